/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A GTlsCertificate of anyone's making as the engine wants it: a chain of DER and a key. */

#pragma once

#include "dtls.h"

#include <gio/gio.h>

/* Immutable and counted; may be used from many threads. */
typedef struct _MoatCredential MoatCredential;

/* Returns: (transfer full): NULL with an error for a certificate that nobody can use: one without a
 * private key, with a key of another certificate, or with a key that we cannot sign with. */
MoatCredential *moat_credential_new (GTlsCertificate *certificate, GError **error);
MoatCredential *moat_credential_ref (MoatCredential *self);
void moat_credential_unref (MoatCredential *self);
const struct dtls_credential *moat_credential_get (const MoatCredential *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MoatCredential, moat_credential_unref)
