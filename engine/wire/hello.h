/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* ClientHello, ServerHello (HelloRetryRequest with it) and HelloVerifyRequest: their fixed fields,
 * which are the same in 1.2 and 1.3. Extensions stay a borrowed block, see wire/extensions.h. */

#pragma once

#include "wire/codepoints.h"
#include "wire/reader.h"
#include "wire/writer.h"

/* RFC 5246 §7.4.1.2 and RFC 6347 §4.2.1; RFC 9147 §5.3. Everything is borrowed. */
struct client_hello
{
  uint16_t version;
  struct bytes random;      /* RANDOM_LEN */
  struct bytes session_id;  /* up to MAX_SESSION_ID_LEN */
  struct bytes cookie;      /* up to MAX_COOKIE_LEN */
  struct bytes suites;      /* pairs of bytes, at least one pair */
  struct bytes compression; /* at least one byte */
  struct bytes extensions;  /* the block's contents; empty also if there is no block */
};

/* False unless every rule holds that needs no context: lengths, even suites, nothing left over. */
bool client_hello_read (struct bytes message, struct client_hello *hello) DTLS_MUST_CHECK;
/* Writes no extensions block if `hello->extensions` is empty. */
void client_hello_write (struct writer *writer, const struct client_hello *hello);
bool client_hello_has_suite (const struct client_hello *hello, uint16_t suite);

/* RFC 5246 §7.4.1.3; RFC 9147 §5.4, where `session_id` is the client's again. */
struct server_hello
{
  uint16_t version;
  struct bytes random;
  struct bytes session_id;
  uint16_t suite;
  uint8_t compression;
  struct bytes extensions;
};

bool server_hello_read (struct bytes message, struct server_hello *hello) DTLS_MUST_CHECK;
void server_hello_write (struct writer *writer, const struct server_hello *hello);

/* RFC 9846 §4.2.3: the random that makes a ServerHello a HelloRetryRequest. */
extern const uint8_t hello_retry_random[RANDOM_LEN];
bool server_hello_is_retry (const struct server_hello *hello);

/* RFC 6347 §4.2.1. */
struct hello_verify_request
{
  uint16_t version;
  struct bytes cookie; /* 0 to 255 bytes */
};

bool hello_verify_request_read (struct bytes message,
                                struct hello_verify_request *request) DTLS_MUST_CHECK;
void hello_verify_request_write (struct writer *writer, const struct hello_verify_request *request);
