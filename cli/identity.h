/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Who we are and whom we trust, from files: what every connection of a run is given. */

#pragma once

#include "cli/options.h"

#include <moat/moat.h>

struct identity
{
  GTlsCertificate *certificate; /* (owned) (nullable) */
  GTlsDatabase *database;       /* (owned) (nullable): the TLS backend's default then */
  MoatContext *context;         /* (owned) */
};

/* Reports what cannot be read. */
enum status identity_load (struct identity *identity, const struct options *options);
void identity_clear (struct identity *identity);

/* Gives `connection` all of it and what else `options` say for both sides. */
void identity_apply (const struct identity *identity, const struct options *options,
                     GDtlsConnection *connection);
