/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Defaults of the configuration, and what it may not be. */

#pragma once

#include "dtls.h"

enum
{
  MIN_MTU = 256,
  MAX_MTU = 65507, /* UDP over IPv4 */
};
