/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What both examples need: one message in or out through GIO's scatter-gather calls, a certificate
 * judged, and what there is to say of a connection. GIO's public API alone, whatever backend it has. */

#pragma once

#include <gio/gio.h>
#include <stdbool.h>

enum
{
  /* The longest message that one DTLS record holds (RFC 6347 §4.1). */
  MAX_MESSAGE = 16384,
};

/* What a caller of receive_message finds. */
enum received
{
  RECEIVED_MESSAGE,
  RECEIVED_END, /* the peer closed the connection */
  RECEIVED_ERROR,
};

/* Waits `timeout_us` at most (-1: as long as it takes), after which the error is
 * G_IO_ERROR_TIMED_OUT. */
enum received receive_message (GDtlsConnection *connection, char buffer[MAX_MESSAGE],
                               gint64 timeout_us, size_t *out_len, GError **error);
bool send_message (GDtlsConnection *connection, const char *data, size_t len, GError **error);

/* The certificate in the PEM file `cert`, with those that issued it, and the private key in `key`. */
GTlsCertificate *load_certificate (const char *cert, const char *key, GError **error);
/* Trusts the CA certificates in the PEM file `ca` and no others. NULL: those of the system. */
bool trust (GDtlsConnection *connection, const char *ca, GError **error);

/* Prints version, cipher suite, the peer's subject and the verdict on its certificate, also of a
 * connection whose handshake has failed. */
void print_connection (GDtlsConnection *connection);

/* Says on standard error what went wrong; the result is main's. */
int fail (const char *what, const GError *error);
