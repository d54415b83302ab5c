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

enum dtls_error
dtls_conn_export (const struct dtls_conn *conn, struct bytes label, const struct bytes *context,
                  uint8_t *out, size_t len)
{
  const struct suite *suite = suite_find (conn->known.suite);
  uint8_t prefix[2];
  struct writer w = writer_over (prefix, sizeof prefix);
  struct prf_input input = {
    .secret = { conn->known.master_secret, MASTER_SECRET_LEN },
    .label = label,
    .seeds = { { conn->known.randoms, 2 * RANDOM_LEN } },
  };

  if (!conn->is_connected || suite == NULL)
    return DTLS_ERROR_NOT_CONNECTED;
  if (is_reserved (label) || (context != NULL && context->left > UINT16_MAX))
    return DTLS_ERROR_CONFIG;

  if (context != NULL)
    {
      write_u16 (&w, (uint16_t) context->left);
      input.seeds[1] = writer_bytes (&w);
      input.seeds[2] = *context;
    }

  return prf (conn->crypto, suite->hash, &input, out, len) ? DTLS_OK : DTLS_ERROR_CRYPTO;
}

size_t
dtls_conn_tls_unique (const struct dtls_conn *conn, uint8_t out[12])
{
  if (!conn->is_connected)
    return 0;

  /* The first Finished of a full handshake is the client's. */
  memcpy (out, conn->known.client_verify_data, VERIFY_DATA_LEN);
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
