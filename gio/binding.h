/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Channel bindings: bytes that both ends of this connection know and nobody in the middle can
 * arrange. */

#pragma once

#include <gio/gio.h>

gboolean moat_binding_get_data (GDtlsConnection *object, GTlsChannelBindingType type,
                                GByteArray *data, GError **error);
