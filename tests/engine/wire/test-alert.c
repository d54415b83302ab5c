/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* wire/alert: RFC 5246 §7.2. */

#include "codec.h"
#include "wire/alert.h"

static bool
rewrite_alert (struct bytes message, struct writer *writer)
{
  struct alert alert;

  if (!alert_read (message, &alert))
    return false;

  alert_write (writer, &alert);
  return true;
}

static void
is_a_codec (void)
{
  codec_check (rewrite_alert, TAP_STRING ("\2\x28"), CODEC_NO_PREFIX);
}

static void
level_stands_before_description (void)
{
  struct alert alert;

  CHECK (alert_read (TAP_STRING ("\2\x28"), &alert));
  CHECK_UINT (alert.level, ALERT_LEVEL_FATAL);
  CHECK_UINT (alert.description, ALERT_HANDSHAKE_FAILURE);
}

static void
any_values_are_read (void)
{
  struct alert alert;

  CHECK (alert_read (TAP_STRING ("\0\0"), &alert));
  CHECK (alert_read (TAP_STRING ("\xff\xff"), &alert));
  CHECK_UINT (alert.level, 0xff);
  CHECK_UINT (alert.description, 0xff);
}

static const struct tap_test tests[] = {
  { "/wire/alert/is-a-codec", is_a_codec },
  { "/wire/alert/level-stands-before-description", level_stands_before_description },
  { "/wire/alert/any-values-are-read", any_values_are_read },
};

TAP_MAIN (tests)
