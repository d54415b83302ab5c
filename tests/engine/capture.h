/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The first datagrams of a link, kept as they went over it. */

#pragma once

#include <string.h>

#include "types.h"

struct capture
{
  uint8_t at[4][2048];
  size_t len[4];
  unsigned n;
};

/* For struct link: lets everything through. */
static inline bool
captures (void *data, unsigned index, struct bytes datagram)
{
  struct capture *capture = data;

  if (index < 4)
    {
      memcpy (capture->at[index], datagram.at, datagram.left);
      capture->len[index] = datagram.left;
      capture->n = index + 1;
    }
  return true;
}
