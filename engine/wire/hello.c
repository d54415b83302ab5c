/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The hellos of DTLS 1.2 and 1.3 up to their extensions. */

#include "wire/hello.h"

#include "wire/extensions.h"

/* SHA-256 of "HelloRetryRequest". */
const uint8_t hello_retry_random[RANDOM_LEN] = {
  0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
  0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
};

/* RFC 5246 §7.4.1.2: "The presence of extensions can be detected by determining whether there
 * are bytes following" the fields before them. */
static struct bytes
read_extensions (struct reader *reader)
{
  if (reader->left == 0)
    return (struct bytes){ NULL, 0 };

  return read_vec (reader, 2);
}

static void
write_extensions (struct writer *writer, struct bytes extensions)
{
  if (extensions.left > 0)
    write_vec (writer, extensions, 2);
}

bool
client_hello_read (struct bytes message, struct client_hello *hello)
{
  struct reader reader = reader_over (message);

  hello->version = read_u16 (&reader);
  hello->random = read_bytes (&reader, RANDOM_LEN);
  hello->session_id = read_vec (&reader, 1);
  hello->cookie = read_vec (&reader, 1);
  hello->suites = read_vec (&reader, 2);
  hello->compression = read_vec (&reader, 1);
  hello->extensions = read_extensions (&reader);

  return reader_done (&reader) && hello->session_id.left <= MAX_SESSION_ID_LEN
         && hello->suites.left > 0 && hello->suites.left % 2 == 0 && hello->compression.left > 0;
}

void
client_hello_write (struct writer *writer, const struct client_hello *hello)
{
  write_u16 (writer, hello->version);
  write_bytes (writer, hello->random.at, hello->random.left);
  write_vec (writer, hello->session_id, 1);
  write_vec (writer, hello->cookie, 1);
  write_vec (writer, hello->suites, 2);
  write_vec (writer, hello->compression, 1);
  write_extensions (writer, hello->extensions);
}

bool
client_hello_has_suite (const struct client_hello *hello, uint16_t suite)
{
  return u16_list_has (hello->suites, suite);
}

bool
server_hello_read (struct bytes message, struct server_hello *hello)
{
  struct reader reader = reader_over (message);

  hello->version = read_u16 (&reader);
  hello->random = read_bytes (&reader, RANDOM_LEN);
  hello->session_id = read_vec (&reader, 1);
  hello->suite = read_u16 (&reader);
  hello->compression = read_u8 (&reader);
  hello->extensions = read_extensions (&reader);

  return reader_done (&reader) && hello->session_id.left <= MAX_SESSION_ID_LEN;
}

void
server_hello_write (struct writer *writer, const struct server_hello *hello)
{
  write_u16 (writer, hello->version);
  write_bytes (writer, hello->random.at, hello->random.left);
  write_vec (writer, hello->session_id, 1);
  write_u16 (writer, hello->suite);
  write_u8 (writer, hello->compression);
  write_extensions (writer, hello->extensions);
}

bool
server_hello_is_retry (const struct server_hello *hello)
{
  return bytes_equal (hello->random, (struct bytes){ hello_retry_random, RANDOM_LEN });
}

bool
hello_verify_request_read (struct bytes message, struct hello_verify_request *request)
{
  struct reader reader = reader_over (message);

  request->version = read_u16 (&reader);
  request->cookie = read_vec (&reader, 1);

  return reader_done (&reader);
}

void
hello_verify_request_write (struct writer *writer, const struct hello_verify_request *request)
{
  write_u16 (writer, request->version);
  write_vec (writer, request->cookie, 1);
}
