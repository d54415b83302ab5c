/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What a client takes of a server's answers, and keeps of it. */

#include "handshake/reply.h"
#include "handshake/talk13.h"

static const uint16_t srtp_profiles[] = { 1, 7 };

static void
begin (struct talk *talk)
{
  talk_init (talk);
  talk->client.config.alpn = TAP_STRING ("\3one\3two");
  talk->client.config.srtp_profiles = srtp_profiles;
  talk->client.config.n_srtp_profiles = TAP_N (srtp_profiles);
  CHECK_UINT (talk_begin (talk), DTLS_OK);
}

static void
test_protocol (void)
{
  static const struct
  {
    struct bytes body;
    enum dtls_error expected;
    struct bytes kept;
  } rows[] = {
    { TAP_STRING ("\0\4\3two"), DTLS_OK, TAP_STRING ("two") },
    { TAP_STRING ("\0\4\3six"), DTLS_ERROR_ILLEGAL_PARAMETER, { NULL, 0 } },
    { TAP_STRING ("\0\x08\3one\3two"), DTLS_ERROR_ILLEGAL_PARAMETER, { NULL, 0 } },
    { TAP_STRING ("\0\3\3tw"), DTLS_ERROR_DECODE, { NULL, 0 } },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct talk talk;

      begin (&talk);
      CHECK_UINT (reply_take_protocol (talk.client.h, rows[i].body), rows[i].expected);
      CHECK_BYTES (((struct bytes){ talk.client.known.alpn, talk.client.known.alpn_len }),
                   rows[i].kept);
      talk_clear (&talk);
    }
}

static void
test_srtp_profile (void)
{
  static const struct
  {
    struct bytes body;
    enum dtls_error expected;
    uint16_t kept;
  } rows[] = {
    { TAP_STRING ("\0\2\0\7\0"), DTLS_OK, 7 },
    { TAP_STRING ("\0\2\0\2\0"), DTLS_ERROR_ILLEGAL_PARAMETER, 0 },
    { TAP_STRING ("\0\4\0\7\0\1\0"), DTLS_ERROR_ILLEGAL_PARAMETER, 0 },
    { TAP_STRING ("\0\2\0\7\1m"), DTLS_ERROR_ILLEGAL_PARAMETER, 0 },
    { TAP_STRING ("\0\1\7\0"), DTLS_ERROR_DECODE, 0 },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct talk talk;

      begin (&talk);
      CHECK_UINT (reply_take_srtp_profile (talk.client.h, rows[i].body), rows[i].expected);
      CHECK_UINT (talk.client.known.srtp_profile, rows[i].kept);
      talk_clear (&talk);
    }
}

static void
test_authorities (void)
{
  struct talk talk;

  begin (&talk);
  CHECK_UINT (reply_take_authorities (talk.client.h, TAP_STRING ("\0\1a\0\2bc")), DTLS_OK);
  if (CHECK_UINT (talk.client.peer.authorities.n, 2))
    {
      CHECK_BYTES (talk.client.peer.authorities.items[0], TAP_STRING ("a"));
      CHECK_BYTES (talk.client.peer.authorities.items[1], TAP_STRING ("bc"));
    }
  CHECK_UINT (reply_take_authorities (talk.client.h, (struct bytes){ NULL, 0 }), DTLS_OK);
  CHECK_UINT (talk.client.peer.authorities.n, 0);
  talk_clear (&talk);
}

static const struct tap_test tests[] = {
  { "/handshake/reply/one-protocol-of-ours", test_protocol },
  { "/handshake/reply/one-srtp-profile-of-ours-and-no-mki", test_srtp_profile },
  { "/handshake/reply/keeps-the-names-of-authorities", test_authorities },
};

TAP_MAIN (tests)
