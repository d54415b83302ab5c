/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A datagram: its records under both kinds of header, and the alerts and handshake fragments in
 * them. */

#include "fuzz.h"

#include "wire/alert.h"
#include "wire/codepoints.h"
#include "wire/fragment.h"
#include "wire/record_header.h"

static void
try_fragments (struct bytes record)
{
  struct reader reader = reader_over (record);
  struct fragment fragment;

  while (reader.left > 0)
    {
      uint8_t out[FRAGMENT_HEADER_LEN];
      struct writer writer = writer_over (out, sizeof out);
      struct bytes header = { reader.at, FRAGMENT_HEADER_LEN };

      if (!fragment_read (&reader, &fragment))
        return;
      fuzz_check ((uint64_t) fragment.offset + fragment.body.left <= fragment.message_len);
      fragment_write_header (&writer, &fragment);
      fuzz_check_same (&writer, header);
    }
}

static void
try_alert (struct bytes record)
{
  uint8_t out[ALERT_LEN];
  struct writer writer = writer_over (out, sizeof out);
  struct alert alert;

  if (!alert_read (record, &alert))
    return;

  alert_write (&writer, &alert);
  fuzz_check_same (&writer, record);
}

/* The records of a connection of DTLS 1.3 from here on, up to the first that is none. */
static void
try_unified (struct reader reader, size_t connection_id_len)
{
  struct unified_header header;

  while (reader.left > 0)
    {
      struct bytes record = { reader.at, reader.left };
      uint8_t out[UNIFIED_HEADER_LEN];
      struct writer writer = writer_over (out, sizeof out);
      uint16_t number;

      if (!unified_header_read (&reader, connection_id_len, &header))
        return;
      fuzz_check (is_unified_header (record.at[0]));
      fuzz_check (header.header_len + reader.left == record.left && header.len <= reader.left);
      fuzz_check (header.number_at + header.number_len + (header.has_length ? 2 : 0)
                  == header.header_len);
      fuzz_check (header.has_length || header.len == reader.left);

      if (header.header_len == sizeof out && header.number_len == 2 && connection_id_len == 0)
        {
          number = (uint16_t) (record.at[header.number_at] << 8 | record.at[header.number_at + 1]);
          unified_header_write (&writer, header.epoch_bits, number, (uint16_t) header.len);
          fuzz_check_same (&writer, (struct bytes){ record.at, sizeof out });
        }
      read_bytes (&reader, header.len);
      fuzz_check (reader_ok (&reader));
    }
}

static void
try_plain (struct reader reader)
{
  struct record_header header;

  while (reader.left > 0)
    {
      uint8_t out[RECORD_HEADER_LEN];
      struct writer writer = writer_over (out, sizeof out);
      struct bytes read = { reader.at, RECORD_HEADER_LEN };
      struct bytes record;

      if (!record_header_read (&reader, &header))
        break;
      record_header_write (&writer, &header);
      fuzz_check_same (&writer, read);

      record = read_bytes (&reader, header.len);
      fuzz_check (reader_ok (&reader) && record.left == header.len);
      if (header.type == CONTENT_HANDSHAKE)
        try_fragments (record);
      if (header.type == CONTENT_ALERT)
        try_alert (record);
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  struct reader reader = reader_over ((struct bytes){ data, size });

  try_plain (reader);
  try_unified (reader, 0);
  try_unified (reader, 1);
  try_unified (reader, 8);

  return 0;
}
