/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Alerts, RFC 5246 §7.2. */

#pragma once

#include "wire/codepoints.h"
#include "wire/reader.h"
#include "wire/writer.h"

struct alert
{
  uint8_t level;
  uint8_t description;
};

enum
{
  ALERT_LEN = 2,
};

/* Exactly two bytes, any values: levels are judged by the caller. */
bool alert_read (struct bytes record, struct alert *alert) DTLS_MUST_CHECK;
void alert_write (struct writer *writer, const struct alert *alert);
