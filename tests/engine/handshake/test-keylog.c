/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Lines of the key log as RFC 9850 §2 has them. */

#include "crypto/digest.h"
#include "handshake/keylog.h"
#include "tap.h"

static char heard[512];
static unsigned n_heard;

static void
listen (void *data, const char *line)
{
  CHECK (data == heard);
  n_heard++;
  snprintf (heard, sizeof heard, "%s", line);
}

static const uint8_t client_random[32] = { 0x00, 0x0f, 0xf0, 0xab, [31] = 0xff };
#define RANDOM_TEXT "000ff0ab000000000000000000000000000000000000000000000000000000ff"

static void
test_line (void)
{
  static const uint8_t secret[] = { 0x01, 0xfe };
  const struct dtls_config config = { .keylog = listen, .keylog_data = heard };

  n_heard = 0;
  keylog_secret (&config, "CLIENT_HANDSHAKE_TRAFFIC_SECRET", client_random, TAP_BYTES (secret));
  CHECK_UINT (n_heard, 1);
  CHECK_TEXT (heard, "CLIENT_HANDSHAKE_TRAFFIC_SECRET " RANDOM_TEXT " 01fe");
}

static void
test_every_length (void)
{
  static const uint8_t secret[MAX_HASH_LEN];
  const struct dtls_config config = { .keylog = listen, .keylog_data = heard };

  for (size_t len = 0; len <= sizeof secret; len++)
    {
      keylog_secret (&config, "EXPORTER_SECRET", client_random, (struct bytes){ secret, len });
      CHECK_UINT (strlen (heard), strlen ("EXPORTER_SECRET ") + 64 + 1 + 2 * len);
    }
}

static void
test_nobody_listens (void)
{
  static const uint8_t secret[48];
  const struct dtls_config config = { .keylog_data = heard };

  n_heard = 0;
  keylog_secret (&config, "CLIENT_RANDOM", client_random, TAP_BYTES (secret));
  CHECK_UINT (n_heard, 0);
}

static const struct tap_test tests[] = {
  { "/handshake/keylog/a-line-is-label-random-secret", test_line },
  { "/handshake/keylog/secrets-of-every-length", test_every_length },
  { "/handshake/keylog/nothing-if-nobody-listens", test_nobody_listens },
};

TAP_MAIN (tests)
