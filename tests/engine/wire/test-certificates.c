/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* wire/certificates: RFC 5246 §7.4.2, §7.4.4 and §7.4.8; RFC 9846 §4.3.4, §4.4.2 and §4.5.1. */

#include "codec.h"
#include "wire/certificates.h"
#include "wire/extensions.h"

enum
{
  MAX_CHAIN = 8,
};

static bool
rewrite_certificate (struct bytes message, struct writer *writer)
{
  struct bytes chain[MAX_CHAIN];
  struct bytes list;
  size_t n_told;
  size_t n = 0;

  if (!certificate_read (message, &list, &n_told))
    return false;

  while (n < MAX_CHAIN && certificate_next (&list, &chain[n]))
    n++;
  CHECK_UINT (n, n_told);
  CHECK_UINT (certificate_len (chain, n), message.left);

  certificate_write (writer, chain, n);
  return true;
}

static bool
rewrite_certificate_13 (struct bytes message, struct writer *writer)
{
  struct certificate_13 certificate;
  struct bytes chain[MAX_CHAIN];
  struct certificate_entry entry;
  size_t n = 0;

  if (!certificate_13_read (message, &certificate))
    return false;

  for (; n < MAX_CHAIN && certificate_entry_next (&certificate.entries, &entry); n++)
    {
      CHECK_UINT (entry.extensions.left, 0);
      chain[n] = entry.der;
    }
  CHECK_UINT (n, certificate.n);
  CHECK_UINT (certificate_13_len (certificate.context, chain, n), message.left);

  certificate_13_write (writer, certificate.context, chain, n);
  return true;
}

static bool
rewrite_certificate_request_13 (struct bytes message, struct writer *writer)
{
  struct certificate_request_13 request;
  size_t block;

  if (!certificate_request_13_read (message, &request))
    return false;

  block = certificate_request_13_begin (writer, request.context);
  write_bytes (writer, request.extensions.at, request.extensions.left);
  extension_block_end (writer, block);
  return true;
}

static bool
rewrite_authorities (struct bytes body, struct writer *writer)
{
  struct bytes names[MAX_CHAIN];
  struct bytes list;
  size_t n = 0;

  if (!certificate_authorities_read (body, &list))
    return false;

  while (n < MAX_CHAIN && authority_next (&list, &names[n]))
    n++;

  certificate_authorities_write (writer, names, n);
  return true;
}

static bool
rewrite_certificate_request (struct bytes message, struct writer *writer)
{
  struct certificate_request request;
  struct bytes names[MAX_CHAIN];
  struct bytes list;
  size_t n = 0;

  if (!certificate_request_read (message, &request))
    return false;

  list = request.authorities;
  while (n < MAX_CHAIN && authority_next (&list, &names[n]))
    n++;

  certificate_request_write (writer, &request, names, n);
  return true;
}

static bool
rewrite_certificate_verify (struct bytes message, struct writer *writer)
{
  struct certificate_verify verify;

  if (!certificate_verify_read (message, &verify))
    return false;

  certificate_verify_write (writer, &verify);
  return true;
}

static void
certificate_is_a_codec (void)
{
  codec_check (rewrite_certificate, TAP_STRING ("\0\0\0"), CODEC_NO_PREFIX);
  codec_check (rewrite_certificate, TAP_STRING ("\0\0\6\0\0\3abc"), CODEC_NO_PREFIX);
  codec_check (rewrite_certificate, TAP_STRING ("\0\0\x0b\0\0\3abc\0\0\2de"), CODEC_NO_PREFIX);
}

static void
certificate_list_is_checked_whole (void)
{
  static const struct
  {
    const char *row;
    struct bytes message;
    int expected; /* certificates; -1: malformed */
  } rows[] = {
    { "no certificate", TAP_STRING ("\0\0\0"), 0 },
    { "one", TAP_STRING ("\0\0\4\0\0\1a"), 1 },
    { "three", TAP_STRING ("\0\0\x0c\0\0\1a\0\0\1b\0\0\1c"), 3 },
    { "an empty one", TAP_STRING ("\0\0\3\0\0\0"), -1 },
    { "an empty one after a good one", TAP_STRING ("\0\0\7\0\0\1a\0\0\0"), -1 },
    { "one longer than the list", TAP_STRING ("\0\0\4\0\0\2a"), -1 },
    { "the second longer than the list", TAP_STRING ("\0\0\x08\0\0\1a\0\0\2b"), -1 },
    { "the second reaching out of the list", TAP_STRING ("\0\0\x08\0\0\1a\0\0\2bc"), -1 },
    { "half a length at the end", TAP_STRING ("\0\0\6\0\0\1a\0\0"), -1 },
    { "a list longer than the message", TAP_STRING ("\0\0\5\0\0\1a"), -1 },
    { "a list shorter than the message", TAP_STRING ("\0\0\4\0\0\1ab"), -1 },
    { "the largest lengths", TAP_STRING ("\xff\xff\xff\xff\xff\xff"), -1 },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct bytes list;
      size_t n = 0;

      tap_set_row (rows[i].row);
      if (CHECK_UINT (certificate_read (rows[i].message, &list, &n), rows[i].expected >= 0)
          && rows[i].expected >= 0)
        CHECK_UINT (n, (unsigned) rows[i].expected);
    }
}

static void
certificate_next_gives_each_once (void)
{
  struct bytes list;
  struct bytes der;
  size_t n;

  CHECK (certificate_read (TAP_STRING ("\0\0\x0b\0\0\3abc\0\0\2de"), &list, &n));
  CHECK_UINT (n, 2);
  CHECK (certificate_next (&list, &der));
  CHECK_BYTES (der, TAP_STRING ("abc"));
  CHECK (certificate_next (&list, &der));
  CHECK_BYTES (der, TAP_STRING ("de"));
  CHECK (!certificate_next (&list, &der));
  CHECK (!certificate_next (&list, &der));
}

static void
certificate_may_be_longer_than_16_bits (void)
{
  static const uint8_t large[66000];
  static uint8_t out[70000];
  const struct bytes chain[] = { TAP_BYTES (large), TAP_STRING ("ca") };
  struct writer writer = writer_over (out, sizeof out);
  struct bytes list;
  struct bytes der;
  size_t n;

  certificate_write (&writer, chain, TAP_N (chain));
  CHECK (writer_ok (&writer));
  CHECK_UINT (writer.used, certificate_len (chain, TAP_N (chain)));
  CHECK (certificate_read (writer_bytes (&writer), &list, &n));
  CHECK_UINT (n, 2);
  CHECK (certificate_next (&list, &der));
  CHECK_UINT (der.left, sizeof large);
}

static void
certificate_13_is_a_codec (void)
{
  codec_check (rewrite_certificate_13, TAP_STRING ("\0\0\0\0"), CODEC_NO_PREFIX);
  codec_check (rewrite_certificate_13, TAP_STRING ("\0\0\0\x08\0\0\3abc\0\0"), CODEC_NO_PREFIX);
  codec_check (rewrite_certificate_13, TAP_STRING ("\2id\0\0\x0f\0\0\3abc\0\0\0\0\2de\0\0"),
               CODEC_NO_PREFIX);
}

static void
certificate_13_list_is_checked_whole (void)
{
  static const struct
  {
    const char *row;
    struct bytes message;
    int expected; /* entries; -1: malformed */
  } rows[] = {
    { "no certificate", TAP_STRING ("\0\0\0\0"), 0 },
    { "no certificate in a context", TAP_STRING ("\2id\0\0\0"), 0 },
    { "one", TAP_STRING ("\0\0\0\6\0\0\1a\0\0"), 1 },
    { "one with an extension", TAP_STRING ("\0\0\0\x0a\0\0\1a\0\4\0\5\0\0"), 1 },
    { "two", TAP_STRING ("\0\0\0\x0c\0\0\1a\0\0\0\0\1b\0\0"), 2 },
    /* Judged by extensions_read, at the caller's. */
    { "one with a malformed block", TAP_STRING ("\0\0\0\7\0\0\1a\0\1x"), 1 },
    { "no list", TAP_STRING ("\0"), -1 },
    { "an empty one", TAP_STRING ("\0\0\0\5\0\0\0\0\0"), -1 },
    { "an empty one after a good one", TAP_STRING ("\0\0\0\x0b\0\0\1a\0\0\0\0\0\0\0"), -1 },
    { "one longer than the list", TAP_STRING ("\0\0\0\4\0\0\2a"), -1 },
    { "one without a block", TAP_STRING ("\0\0\0\4\0\0\1a"), -1 },
    { "half a block's length", TAP_STRING ("\0\0\0\5\0\0\1a\0"), -1 },
    { "a block longer than the list", TAP_STRING ("\0\0\0\6\0\0\1a\0\1"), -1 },
    { "a block reaching out of the list", TAP_STRING ("\0\0\0\6\0\0\1a\0\1x"), -1 },
    { "half a length at the end", TAP_STRING ("\0\0\0\x08\0\0\1a\0\0\0\0"), -1 },
    { "a list longer than the message", TAP_STRING ("\0\0\0\7\0\0\1a\0\0"), -1 },
    { "a list shorter than the message", TAP_STRING ("\0\0\0\6\0\0\1a\0\0x"), -1 },
    { "one of 1.2", TAP_STRING ("\0\0\4\0\0\1a"), -1 },
    { "the largest lengths", TAP_STRING ("\0\xff\xff\xff\xff\xff\xff\xff\xff"), -1 },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct certificate_13 certificate;

      tap_set_row (rows[i].row);
      if (CHECK_UINT (certificate_13_read (rows[i].message, &certificate), rows[i].expected >= 0)
          && rows[i].expected >= 0)
        CHECK_UINT (certificate.n, (unsigned) rows[i].expected);
    }
}

static void
certificate_13_fields_stand_in_order (void)
{
  struct certificate_13 certificate;
  struct certificate_entry entry;

  CHECK (
      certificate_13_read (TAP_STRING ("\2id\0\0\x11\0\0\3abc\0\2xy\0\0\2de\0\0"), &certificate));
  CHECK_BYTES (certificate.context, TAP_STRING ("id"));
  CHECK_UINT (certificate.n, 2);
  CHECK (certificate_entry_next (&certificate.entries, &entry));
  CHECK_BYTES (entry.der, TAP_STRING ("abc"));
  CHECK_BYTES (entry.extensions, TAP_STRING ("xy"));
  CHECK (certificate_entry_next (&certificate.entries, &entry));
  CHECK_BYTES (entry.der, TAP_STRING ("de"));
  CHECK_UINT (entry.extensions.left, 0);
  CHECK (!certificate_entry_next (&certificate.entries, &entry));
  CHECK (!certificate_entry_next (&certificate.entries, &entry));
}

static void
certificate_13_may_be_longer_than_16_bits (void)
{
  static const uint8_t large[66000];
  static uint8_t out[70000];
  const struct bytes chain[] = { TAP_BYTES (large), TAP_STRING ("ca") };
  struct writer writer = writer_over (out, sizeof out);
  struct certificate_13 certificate;
  struct certificate_entry entry;

  certificate_13_write (&writer, (struct bytes){ NULL, 0 }, chain, TAP_N (chain));
  CHECK (writer_ok (&writer));
  CHECK (certificate_13_read (writer_bytes (&writer), &certificate));
  CHECK_UINT (certificate.n, 2);
  CHECK (certificate_entry_next (&certificate.entries, &entry));
  CHECK_UINT (entry.der.left, sizeof large);
}

static void
request_is_a_codec (void)
{
  codec_check (rewrite_certificate_request, TAP_STRING ("\1\x40\0\2\4\3\0\0"), CODEC_NO_PREFIX);
  codec_check (rewrite_certificate_request,
               TAP_STRING ("\2\1\x40\0\4\4\3\x08\7\0\x09\0\3abc\0\2de"), CODEC_NO_PREFIX);
}

static void
request_lists_are_checked (void)
{
  static const struct
  {
    const char *row;
    struct bytes message;
    bool expected;
  } rows[] = {
    { "no authority", TAP_STRING ("\1\1\0\2\4\1\0\0"), true },
    { "one authority", TAP_STRING ("\1\1\0\2\4\1\0\3\0\1a"), true },
    { "no certificate type", TAP_STRING ("\0\0\2\4\1\0\0"), false },
    { "no scheme", TAP_STRING ("\1\1\0\0\0\0"), false },
    { "half a scheme", TAP_STRING ("\1\1\0\1\4\0\0"), false },
    { "a scheme and a half", TAP_STRING ("\1\1\0\3\4\1\4\0\0"), false },
    { "an empty authority", TAP_STRING ("\1\1\0\2\4\1\0\2\0\0"), false },
    { "an empty authority after a good one", TAP_STRING ("\1\1\0\2\4\1\0\5\0\1a\0\0"), false },
    { "an authority longer than the list", TAP_STRING ("\1\1\0\2\4\1\0\3\0\2a"), false },
    { "an authority reaching out of the list", TAP_STRING ("\1\1\0\2\4\1\0\3\0\2ab"), false },
    { "half a length at the end", TAP_STRING ("\1\1\0\2\4\1\0\4\0\1a\0"), false },
    /* That is how TLS 1.0 and 1.1 had it, RFC 4346 §7.4.4. */
    { "no list of schemes", TAP_STRING ("\1\1\0\3\0\1a"), false },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct certificate_request request;

      tap_set_row (rows[i].row);
      CHECK_UINT (certificate_request_read (rows[i].message, &request), rows[i].expected);
    }
}

static void
request_fields_stand_in_order (void)
{
  struct certificate_request request;
  struct bytes name;

  CHECK (certificate_request_read (TAP_STRING ("\2\1\x40\0\4\4\3\x08\7\0\x09\0\3abc\0\2de"),
                                   &request));
  CHECK_BYTES (request.types, TAP_STRING ("\1\x40"));
  CHECK_BYTES (request.schemes, TAP_STRING ("\4\3\x08\7"));
  CHECK (authority_next (&request.authorities, &name));
  CHECK_BYTES (name, TAP_STRING ("abc"));
  CHECK (authority_next (&request.authorities, &name));
  CHECK_BYTES (name, TAP_STRING ("de"));
  CHECK (!authority_next (&request.authorities, &name));
}

static void
request_writes_the_authorities_given (void)
{
  struct certificate_request request = { .types = TAP_STRING ("\x40"),
                                         .schemes = TAP_STRING ("\4\3"),
                                         .authorities = TAP_STRING ("not these") };
  const struct bytes names[] = { TAP_STRING ("abc") };
  uint8_t out[32];
  struct writer writer = writer_over (out, sizeof out);

  certificate_request_write (&writer, &request, names, 1);
  CHECK_BYTES (writer_bytes (&writer), TAP_STRING ("\1\x40\0\2\4\3\0\5\0\3abc"));
}

static void
request_may_be_longer_than_8_bits (void)
{
  static const uint8_t name[400];
  const struct certificate_request request = { .types = TAP_STRING ("\x40"),
                                               .schemes = TAP_STRING ("\4\3") };
  const struct bytes names[] = { TAP_BYTES (name) };
  uint8_t out[512];
  struct writer writer = writer_over (out, sizeof out);
  struct certificate_request again;
  struct bytes got;

  certificate_request_write (&writer, &request, names, 1);
  CHECK (certificate_request_read (writer_bytes (&writer), &again));
  CHECK (authority_next (&again.authorities, &got));
  CHECK_UINT (got.left, sizeof name);
}

static void
request_13_is_a_codec (void)
{
  codec_check (rewrite_certificate_request_13, TAP_STRING ("\0\0\0"), CODEC_NO_PREFIX);
  codec_check (rewrite_certificate_request_13, TAP_STRING ("\2id\0\x08\0\x0d\0\4\0\2\4\3"),
               CODEC_NO_PREFIX);
}

static void
request_13_fields_stand_in_order (void)
{
  struct certificate_request_13 request;

  CHECK (certificate_request_13_read (TAP_STRING ("\2id\0\3xyz"), &request));
  CHECK_BYTES (request.context, TAP_STRING ("id"));
  CHECK_BYTES (request.extensions, TAP_STRING ("xyz"));
}

static void
authorities_is_a_codec (void)
{
  codec_check (rewrite_authorities, TAP_STRING ("\0\3\0\1a"), CODEC_NO_PREFIX);
  codec_check (rewrite_authorities, TAP_STRING ("\0\x09\0\3abc\0\2de"), CODEC_NO_PREFIX);
}

static void
authorities_are_checked (void)
{
  static const struct
  {
    const char *row;
    struct bytes body;
    bool expected;
  } rows[] = {
    { "one", TAP_STRING ("\0\3\0\1a"), true },
    { "no body", { NULL, 0 }, false },
    { "none", TAP_STRING ("\0\0"), false },
    { "an empty one", TAP_STRING ("\0\2\0\0"), false },
    { "an empty one after a good one", TAP_STRING ("\0\5\0\1a\0\0"), false },
    { "one longer than the list", TAP_STRING ("\0\3\0\2a"), false },
    { "one reaching out of the list", TAP_STRING ("\0\3\0\2ab"), false },
    { "half a length at the end", TAP_STRING ("\0\4\0\1a\0"), false },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct bytes list;

      tap_set_row (rows[i].row);
      CHECK_UINT (certificate_authorities_read (rows[i].body, &list), rows[i].expected);
    }
}

static void
verify_is_a_codec (void)
{
  codec_check (rewrite_certificate_verify, TAP_STRING ("\4\3\0\3sig"), CODEC_NO_PREFIX);
}

static void
verify_fields_stand_in_order (void)
{
  struct certificate_verify verify;

  CHECK (certificate_verify_read (TAP_STRING ("\4\3\0\3sig"), &verify));
  CHECK_UINT (verify.scheme, SIG_ECDSA_SECP256R1_SHA256);
  CHECK_BYTES (verify.signature, TAP_STRING ("sig"));
}

static const struct tap_test tests[] = {
  { "/wire/certificates/certificate/is-a-codec", certificate_is_a_codec },
  { "/wire/certificates/certificate/list-is-checked-whole", certificate_list_is_checked_whole },
  { "/wire/certificates/certificate/next-gives-each-once", certificate_next_gives_each_once },
  { "/wire/certificates/certificate/may-be-longer-than-16-bits",
    certificate_may_be_longer_than_16_bits },
  { "/wire/certificates/certificate-13/is-a-codec", certificate_13_is_a_codec },
  { "/wire/certificates/certificate-13/list-is-checked-whole",
    certificate_13_list_is_checked_whole },
  { "/wire/certificates/certificate-13/fields-stand-in-order",
    certificate_13_fields_stand_in_order },
  { "/wire/certificates/certificate-13/may-be-longer-than-16-bits",
    certificate_13_may_be_longer_than_16_bits },
  { "/wire/certificates/request/is-a-codec", request_is_a_codec },
  { "/wire/certificates/request/lists-are-checked", request_lists_are_checked },
  { "/wire/certificates/request/fields-stand-in-order", request_fields_stand_in_order },
  { "/wire/certificates/request/writes-the-authorities-given",
    request_writes_the_authorities_given },
  { "/wire/certificates/request/may-be-longer-than-8-bits", request_may_be_longer_than_8_bits },
  { "/wire/certificates/request-13/is-a-codec", request_13_is_a_codec },
  { "/wire/certificates/request-13/fields-stand-in-order", request_13_fields_stand_in_order },
  { "/wire/certificates/authorities/is-a-codec", authorities_is_a_codec },
  { "/wire/certificates/authorities/are-checked", authorities_are_checked },
  { "/wire/certificates/verify/is-a-codec", verify_is_a_codec },
  { "/wire/certificates/verify/fields-stand-in-order", verify_fields_stand_in_order },
};

TAP_MAIN (tests)
