/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The engine's configuration of one connection, with everything that it borrows. */

#pragma once

#include "dtls.h"
#include "gio/context.h"

typedef struct
{
  struct dtls_config engine;

  /* (owned) (nullable), all of them: */
  char *server_name;
  GByteArray *alpn;
  GBytes *suites;
  GPtrArray *authorities; /* (element-type GBytes) */
  struct bytes *authority_views;
  MoatContext *context;
  MoatKeylog *keylog;
} MoatConfig;

/* The defaults, with what `context` says. */
MoatConfig *moat_config_new (MoatContext *context);
void moat_config_free (MoatConfig *self);

void moat_config_take_server_name (MoatConfig *self, char *name);
void moat_config_set_protocols (MoatConfig *self, const char *const *protocols);
void moat_config_take_authorities (MoatConfig *self, GPtrArray *names);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MoatConfig, moat_config_free)
