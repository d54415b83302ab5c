/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Each datagram goes to the engine's pure function with its sender's address; the first one
 * whose cookie verifies makes the connection, and pins the address on a base that has many. */

#include "gio/first-hello.h"

#include "gio/crypto.h"

#include <string.h>

enum
{
  /* A reply to a first hello is never longer than the hello, and one datagram's worth is plenty. */
  REPLY_SIZE = 2048,
};

static void
accept_hello (MoatPump *pump, MoatDatagram *datagram, const struct dtls_hello *hello)
{
  enum dtls_error error;

  if (pump->base.wants_addresses)
    moat_base_pin (&pump->base, datagram);
  moat_config_take_ticket_keys (pump->config);

  error = dtls_conn_new_server (&pump->config->engine, moat_crypto_get (), moat_pump_now (), hello,
                                &pump->conn);
  g_clear_pointer (&pump->gather, dtls_hello_gather_free);

  if (error != DTLS_OK)
    moat_pump_become_over (pump, error);
  else
    pump->phase = MOAT_PHASE_HANDSHAKING;
}

/* Cookies are bound to a sender, so that nobody uses one that he got elsewhere in another's
 * name. A base that names no senders has one peer, and what names that is a random number of
 * this connection's. */
static struct bytes
sender (const MoatPump *pump, const MoatDatagram *datagram)
{
  struct bytes address = moat_base_sender (&pump->base, datagram);

  if (address.left > 0)
    return address;

  return (struct bytes){ pump->peer_name, sizeof pump->peer_name };
}

/* RFC 6347 §4.2.1, RFC 9147 §5.1. Returns false when the datagram is not for us to judge, but the connection's. */
static bool
answer_hello (MoatPump *pump, MoatDatagram *datagram)
{
  struct bytes address = sender (pump, datagram);
  uint8_t reply_bytes[REPLY_SIZE];
  struct dtls_buffer reply = { reply_bytes, sizeof reply_bytes, 0 };
  struct dtls_hello hello;
  struct dtls_cookie_keys keys;
  enum dtls_hello_answer answer = DTLS_HELLO_DROP;
  bool is_listening;

  moat_pump_lock_all (pump);
  is_listening = pump->phase == MOAT_PHASE_LISTENING;
  if (is_listening
      && dtls_hello_find (pump->gather, address, (struct bytes){ datagram->at, datagram->len },
                          &hello)
      && moat_crypto_get_cookie_keys (moat_pump_now (), &keys))
    {
      keys.config = &pump->config->engine;
      answer = dtls_hello_answer (&keys, moat_pump_now (), address, &hello, &reply);
    }
  if (answer == DTLS_HELLO_ACCEPT)
    accept_hello (pump, datagram, &hello);
  moat_pump_unlock_all (pump);

  explicit_bzero (&keys, sizeof keys);

  if (answer == DTLS_HELLO_REPLY)
    moat_base_reply (&pump->base, datagram, &reply);
  if (answer == DTLS_HELLO_ACCEPT)
    moat_wake_all (&pump->wake);

  return is_listening;
}

guint
moat_first_hello_answer (MoatPump *pump, MoatScratch *scratch)
{
  guint i;

  for (i = 0; i < scratch->n_in; i++)
    if (!answer_hello (pump, &scratch->in[i]))
      break;

  return i;
}
