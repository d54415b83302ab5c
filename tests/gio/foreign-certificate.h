/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A certificate of a class that no backend knows, as an application may have one. */

#pragma once

#include <gio/gio.h>

#define FOREIGN_TYPE_CERTIFICATE (foreign_certificate_get_type ())
G_DECLARE_FINAL_TYPE (ForeignCertificate, foreign_certificate, FOREIGN, CERTIFICATE,
                      GTlsCertificate)

/* It has what GTlsCertificate's properties say, from another object; and it may say that it is its own
 * issuer. */
GTlsCertificate *foreign_certificate_new (GTlsCertificate *original, gboolean is_its_own_issuer);

/* Runs when somebody next reads the bytes, before he gets them: a place in the middle of whatever he
 * does. */
typedef void (*ForeignCertificateHook) (gpointer data);
void foreign_certificate_set_hook (GTlsCertificate *self, ForeignCertificateHook hook,
                                   gpointer data);
