/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What every public header needs: which symbols the library shows, and how it declares a class
 * whose instance is opaque and that nobody outside derives from. */

#pragma once

#include <gio/gio.h>

#define MOAT_AVAILABLE __attribute__ ((visibility ("default"))) extern

#define MOAT_DECLARE_TYPE(Type, type, NAME)                                                        \
  MOAT_AVAILABLE                                                                                   \
  GType type##_get_type (void);                                                                    \
  G_GNUC_BEGIN_IGNORE_DEPRECATIONS                                                                 \
  typedef struct _##Type Type;                                                                     \
  typedef struct _##Type##Class Type##Class;                                                       \
  G_DEFINE_AUTOPTR_CLEANUP_FUNC (Type, g_object_unref)                                             \
  G_GNUC_UNUSED static inline Type *MOAT_##NAME (gpointer object)                                  \
  {                                                                                                \
    return G_TYPE_CHECK_INSTANCE_CAST (object, type##_get_type (), Type);                          \
  }                                                                                                \
  G_GNUC_UNUSED static inline gboolean MOAT_IS_##NAME (gpointer object)                            \
  {                                                                                                \
    return G_TYPE_CHECK_INSTANCE_TYPE (object, type##_get_type ());                                \
  }                                                                                                \
  G_GNUC_END_IGNORE_DEPRECATIONS
