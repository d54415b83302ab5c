/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Which certificate authorities a server names when it asks a client for a certificate. */

#pragma once

#include <gio/gio.h>

/* Returns: (transfer full) (element-type GBytes): the subjects, DER, of a GTlsFileDatabase's
 * anchors; of any other database none. Reads the file at the first call for a database. */
GPtrArray *moat_authorities_of (GTlsDatabase *database);
