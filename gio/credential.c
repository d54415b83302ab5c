/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Only public properties are read, so every backend's and every application's class will do.
 * Parsing a key is dear, and a server uses the same certificate for all its connections: what
 * was made of a certificate stays with it. */

#include "gio/credential.h"

#include "gio/crypto.h"

enum
{
  /* Chains in use have two to four; `issuer` links may form a circle. */
  MAX_CHAIN = 16,
};

static G_DEFINE_QUARK (moat - credential, moat_credential)

    struct _MoatCredential
{
  GPtrArray *ders; /* (element-type GByteArray): what `chain` points into */
  struct bytes chain[MAX_CHAIN];
  struct dtls_key *key;
  struct dtls_credential credential;
};

static void
credential_clear (MoatCredential *self)
{
  g_clear_pointer (&self->ders, g_ptr_array_unref);
  g_clear_pointer (&self->key, dtls_key_free);
}

MoatCredential *
moat_credential_ref (MoatCredential *self)
{
  return g_atomic_rc_box_acquire (self);
}

void
moat_credential_unref (MoatCredential *self)
{
  g_atomic_rc_box_release_full (self, (GDestroyNotify) credential_clear);
}

const struct dtls_credential *
moat_credential_get (const MoatCredential *self)
{
  return &self->credential;
}

static void
collect_chain (MoatCredential *self, GTlsCertificate *certificate)
{
  g_autoptr (GTlsCertificate) current = g_object_ref (certificate);
  size_t n = 0;

  while (current != NULL && n < MAX_CHAIN)
    {
      g_autoptr (GTlsCertificate) issuer = NULL;
      g_autoptr (GByteArray) der = NULL;

      g_object_get (current, "certificate", &der, "issuer", &issuer, NULL);
      if (der == NULL)
        break;

      self->chain[n++] = (struct bytes){ der->data, der->len };
      g_ptr_array_add (self->ders, g_steal_pointer (&der));

      /* A root may name itself. */
      if (issuer == current)
        break;
      g_set_object (&current, issuer);
    }

  self->credential.chain = self->chain;
  self->credential.n_chain = n;
}

static bool
load_key (MoatCredential *self, GTlsCertificate *certificate, GError **error)
{
  g_autoptr (GByteArray) der = NULL;
  g_autofree char *uri = NULL;
  enum dtls_error problem;

  /* Not wiped: the array may be the certificate's own, and nothing tells. */
  g_object_get (certificate, "private-key", &der, "private-key-pkcs11-uri", &uri, NULL);

  if (der == NULL && uri != NULL)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                           "Private keys that stay in a PKCS#11 token cannot be used");
      return false;
    }
  if (der == NULL)
    {
      g_set_error_literal (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE,
                           "The certificate has no private key");
      return false;
    }

  problem = dtls_key_new (moat_crypto_get (), (struct bytes){ der->data, der->len }, &self->key);
  if (problem != DTLS_OK)
    {
      g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE,
                   "The private key cannot be used: %s", dtls_error_text (problem));
      return false;
    }

  return true;
}

static bool
credential_load (MoatCredential *self, GTlsCertificate *certificate, GError **error)
{
  self->ders = g_ptr_array_new_with_free_func ((GDestroyNotify) g_byte_array_unref);

  collect_chain (self, certificate);
  if (self->credential.n_chain == 0)
    {
      g_set_error_literal (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE,
                           "The certificate is empty");
      return false;
    }

  if (!load_key (self, certificate, error))
    return false;

  if (!dtls_key_matches (moat_crypto_get (), self->key, self->chain[0]))
    {
      g_set_error_literal (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE,
                           "The private key belongs to another certificate");
      return false;
    }
  self->credential.key = self->key;

  return true;
}

MoatCredential *
moat_credential_new (GTlsCertificate *certificate, GError **error)
{
  GQuark quark = moat_credential_quark ();
  MoatCredential *kept;
  g_autoptr (MoatCredential) self = NULL;

  /* What was attached stays until the certificate goes, and the caller holds that. */
  kept = g_object_get_qdata (G_OBJECT (certificate), quark);
  if (kept != NULL)
    return moat_credential_ref (kept);

  self = g_atomic_rc_box_new0 (MoatCredential);
  if (!credential_load (self, certificate, error))
    return NULL;

  if (g_object_replace_qdata (G_OBJECT (certificate), quark, NULL, self,
                              (GDestroyNotify) moat_credential_unref, NULL))
    moat_credential_ref (self);

  return g_steal_pointer (&self);
}
