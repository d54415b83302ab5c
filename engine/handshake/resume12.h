/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Sessions of DTLS 1.2: by ticket (RFC 5077) or by ID (RFC 5246 §7.3). Only with the extended master
 * secret (RFC 7627 §5.3): without it the Finished of a resumed handshake binds nothing. */

#pragma once

#include "handshake/machine.h"
#include "wire/hello.h"

/* The server. */

/* Looks for the session that a ClientHello names, by `ticket` or else by ID. One that is not there or not
 * to be resumed is no error: `handshake->has_session` tells. */
enum dtls_error resume12_find (struct handshake *handshake, struct bytes session_id,
                               struct bytes ticket) DTLS_MUST_CHECK;
/* Whether an external key began it. Then whoever knows keys is asked for that one (DTLS_WAIT_PSK); called
 * again with the answer, the session is forgotten if the key is not the same any more. */
bool resume12_is_of_key (const struct handshake *handshake);
enum dtls_error resume12_judge_key (struct handshake *handshake,
                                    struct effects *effects) DTLS_MUST_CHECK;
/* Whether it was made with the certificate, or the key, that we have now. */
bool resume12_fits (const struct handshake *handshake);
/* Forgets it, and with it the client's ID. */
void resume12_forget (struct handshake *handshake);
/* Whether we send a NewSessionTicket: a promise that the ServerHello gives. */
bool resume12_promises_ticket (const struct handshake *handshake);
/* A new session's ID, if it is to be kept by one. */
enum dtls_error resume12_choose_id (struct handshake *handshake) DTLS_MUST_CHECK;
enum dtls_error resume12_send_ticket (struct handshake *handshake,
                                      struct effects *effects) DTLS_MUST_CHECK;
/* Hands it to config.session_store if it has an ID. */
void resume12_store (struct handshake *handshake);

/* The client. */

/* Whether the ServerHello says that our session is resumed. */
bool resume12_is_accepted (const struct handshake *handshake, const struct server_hello *hello);
/* WAIT_SESSION_TICKET. */
enum dtls_error resume12_on_ticket (struct handshake *handshake, const struct message *message,
                                    struct effects *effects) DTLS_MUST_CHECK;
/* The handshake is over: what dtls_conn_session gives, with its event if it is a new one. */
void resume12_keep (struct handshake *handshake, struct effects *effects);

/* Both. */

/* The handshake goes on as the session's, once both randoms are there: keys, and who the peer is. What it
 * owes is the Finished, and perhaps a verdict. */
enum dtls_error resume12_begin (struct handshake *handshake) DTLS_MUST_CHECK;
