/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The hellos of (D)TLS 1.2 up to their extensions. */

#include "wire/hello.h"

#include "wire/extensions.h"

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
