/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What the command line says of the protocol: versions, suites, groups, pre-shared key, ticket secret. */

#pragma once

#include "cli/options.h"

#include <moat/moat.h>

/* Gives `context` all of it. Reports what makes no sense, with STATUS_USAGE, and which file cannot be used. */
enum status settings_apply (const struct options *options, MoatContext *context);
