/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A datagram: its records, and the alerts and handshake fragments in them. */

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

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  struct reader reader = reader_over ((struct bytes){ data, size });
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

  return 0;
}
