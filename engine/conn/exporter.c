/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Keying material and channel bindings for what runs above us: RFC 5705, RFC 5929. */

#include "conn/conn.h"

#include "crypto/kdf.h"
#include "wire/writer.h"

#include <string.h>

/* RFC 5705 §4: labels of the PRF's own uses would give its secrets away. */
static bool
is_reserved (struct bytes label)
{
  static const char *const labels[] = { "client finished", "server finished", "master secret",
                                        "extended master secret", "key expansion" };

  for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++)
    if (strlen (labels[i]) == label.left && memcmp (labels[i], label.at, label.left) == 0)
      return true;

  return false;
}

/* RFC 5705 §4: both randoms, and then the context with its length, if there is one. */
static bool
export_12 (const struct dtls_conn *conn, enum hash hash, struct bytes label,
           const struct bytes *context, struct dtls_buffer *out)
{
  uint8_t prefix[2];
  struct writer w = writer_over (prefix, sizeof prefix);
  struct prf_input input = {
    .secret = { conn->known.master_secret, MASTER_SECRET_LEN },
    .label = label,
    .seeds = { { conn->known.randoms, 2 * RANDOM_LEN } },
  };

  if (context != NULL)
    {
      write_u16 (&w, (uint16_t) context->left);
      input.seeds[1] = writer_bytes (&w);
      input.seeds[2] = *context;
    }

  return prf (conn->crypto, hash, &input, out->at, out->capacity);
}

static bool
export_13 (const struct dtls_conn *conn, enum hash hash, struct bytes label,
           const struct bytes *context, struct dtls_buffer *out)
{
  struct export_input input = { .label = label };

  if (context != NULL)
    input.context = *context;

  return schedule13_export (conn->crypto, hash, &conn->known, &input, out);
}

enum dtls_error
dtls_conn_export (const struct dtls_conn *conn, struct bytes label, const struct bytes *context,
                  uint8_t *out, size_t len)
{
  const struct suite *suite = suite_find (conn->known.suite);
  struct dtls_buffer buffer = { out, len, 0 };
  bool is_made;

  if (!conn->is_connected || suite == NULL)
    return DTLS_ERROR_NOT_CONNECTED;
  if (is_reserved (label) || (context != NULL && context->left > UINT16_MAX))
    return DTLS_ERROR_CONFIG;

  is_made = conn_is_13 (conn) ? export_13 (conn, suite->hash, label, context, &buffer)
                              : export_12 (conn, suite->hash, label, context, &buffer);
  return is_made ? DTLS_OK : DTLS_ERROR_CRYPTO;
}

size_t
dtls_conn_tls_unique (const struct dtls_conn *conn, uint8_t out[12])
{
  const struct association *known = &conn->known;

  /* RFC 9846 §C.5: not defined for 1.3. */
  if (!conn->is_connected || conn_is_13 (conn))
    return 0;

  /* RFC 5929 §3.1: the first Finished, which is the client's in a full handshake and the server's in
   * one that resumes. */
  memcpy (out, known->is_resumed ? known->server_verify_data : known->client_verify_data,
          VERIFY_DATA_LEN);
  return VERIFY_DATA_LEN;
}

size_t
dtls_conn_server_end_point (const struct dtls_conn *conn, uint8_t *out)
{
  if (!conn->is_connected)
    return 0;

  memcpy (out, conn->known.end_point_hash, conn->known.end_point_hash_len);
  return conn->known.end_point_hash_len;
}
