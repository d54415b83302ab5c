/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The subcommands of moat(1). argv[0] is the command's name. */

#pragma once

#include "cli/report.h"

enum status connect_main (int argc, char **argv);
enum status serve_main (int argc, char **argv);
