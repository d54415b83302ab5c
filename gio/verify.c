/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* From a peer's chain to flags:
 *
 *   1. DER becomes certificate objects of the backend that GIO uses, each linked to the next by
 *      `issuer`
 *   2. the database judges the chain; without one the leaf is judged alone, its root is unknown,
 *      and its dates are for us to look at, since hosts then do not
 *   3. we add what databases are known to leave out: the leaf's extended key usage, and an identity
 *      that nobody gave */

#include "gio/verify.h"

/* ---------------------------------------------------------------------------------- the objects */

static GTlsCertificate *
make_certificate (GBytes *der, GTlsCertificate *issuer, GError **error)
{
  GType type = g_tls_backend_get_certificate_type (g_tls_backend_get_default ());
  g_autoptr (GByteArray) array = g_byte_array_new ();
  gsize size;
  const guint8 *data = g_bytes_get_data (der, &size);

  g_byte_array_append (array, data, (guint) size);

  return g_initable_new (type, NULL, error, "certificate", array, "issuer", issuer, NULL);
}

static GTlsCertificate *
make_chain (GPtrArray *ders, GError **error)
{
  g_autoptr (GTlsCertificate) chain = NULL;

  for (guint i = ders->len; i > 0; i--)
    {
      GTlsCertificate *certificate = make_certificate (ders->pdata[i - 1], chain, error);

      if (certificate == NULL)
        return NULL;

      g_clear_object (&chain);
      chain = certificate;
    }

  return g_steal_pointer (&chain);
}

MoatInquiry *
moat_inquiry_new (const MoatInquiry *facts, GError **error)
{
  g_autoptr (MoatInquiry) self = g_new0 (MoatInquiry, 1);

  *self = (MoatInquiry){
    .peer_role = facts->peer_role,
    .ders = g_ptr_array_ref (facts->ders),
    .must_be_identified = facts->must_be_identified,
  };
  g_set_object (&self->database, facts->database);
  g_set_object (&self->identity, facts->identity);
  g_set_object (&self->interaction, facts->interaction);

  if (self->ders->len == 0)
    {
      g_set_error_literal (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE,
                           "The peer's certificate chain is empty");
      return NULL;
    }

  self->certificate = make_chain (self->ders, error);
  if (self->certificate == NULL)
    return NULL;

  return g_steal_pointer (&self);
}

void
moat_inquiry_free (MoatInquiry *self)
{
  g_clear_pointer (&self->ders, g_ptr_array_unref);
  g_clear_object (&self->database);
  g_clear_object (&self->identity);
  g_clear_object (&self->interaction);
  g_clear_object (&self->certificate);
  g_free (self);
}

/* --------------------------------------------------------------------------------- the question */

static const char *
purpose (const MoatInquiry *self)
{
  return self->peer_role == DTLS_SERVER ? G_TLS_DATABASE_PURPOSE_AUTHENTICATE_SERVER
                                        : G_TLS_DATABASE_PURPOSE_AUTHENTICATE_CLIENT;
}

/* What a certificate does not say is no reason to trust it. */
static GTlsCertificateFlags
judge_dates (GTlsCertificate *certificate)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autoptr (GDateTime) first = g_tls_certificate_get_not_valid_before (certificate);
  g_autoptr (GDateTime) last = g_tls_certificate_get_not_valid_after (certificate);

  if (first == NULL || last == NULL)
    return G_TLS_CERTIFICATE_GENERIC_ERROR;
  if (g_date_time_compare (now, first) < 0)
    return G_TLS_CERTIFICATE_NOT_ACTIVATED;
  if (g_date_time_compare (now, last) > 0)
    return G_TLS_CERTIFICATE_EXPIRED;

  return 0;
}

static GTlsCertificateFlags
own_judgement (const MoatInquiry *self)
{
  GTlsCertificateFlags errors = 0;
  gsize size;
  const guint8 *leaf = g_bytes_get_data (self->ders->pdata[0], &size);

  if (!dtls_certificate_may_be ((struct bytes){ leaf, size }, self->peer_role))
    errors |= G_TLS_CERTIFICATE_GENERIC_ERROR;
  if (self->must_be_identified && self->identity == NULL)
    errors |= G_TLS_CERTIFICATE_BAD_IDENTITY;
  if (self->database == NULL)
    errors |= judge_dates (self->certificate);

  return errors;
}

GTlsCertificateFlags
moat_inquiry_ask (MoatInquiry *self, GCancellable *cancellable, GError **error)
{
  GTlsCertificateFlags errors;

  if (self->database == NULL)
    errors = G_TLS_CERTIFICATE_UNKNOWN_CA
             | g_tls_certificate_verify (self->certificate, self->identity, NULL);
  else
    errors = g_tls_database_verify_chain (self->database, self->certificate, purpose (self),
                                          self->identity, self->interaction,
                                          G_TLS_DATABASE_VERIFY_NONE, cancellable, error);

  return errors | own_judgement (self);
}

bool
moat_inquiry_can_ask_async (const MoatInquiry *self)
{
  g_autoptr (GTypeClass) plain = NULL;

  if (self->database == NULL)
    return false;

  /* GTlsDatabase's own asynchronous form only moves the synchronous one to a thread. */
  plain = g_type_class_ref (G_TYPE_TLS_DATABASE);

  return G_TLS_DATABASE_GET_CLASS (self->database)->verify_chain_async
         != G_TLS_DATABASE_CLASS (plain)->verify_chain_async;
}

void
moat_inquiry_ask_async (MoatInquiry *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                        gpointer user_data)
{
  g_tls_database_verify_chain_async (self->database, self->certificate, purpose (self),
                                     self->identity, self->interaction, G_TLS_DATABASE_VERIFY_NONE,
                                     cancellable, callback, user_data);
}

GTlsCertificateFlags
moat_inquiry_ask_finish (MoatInquiry *self, GAsyncResult *result, GError **error)
{
  return g_tls_database_verify_chain_finish (self->database, result, error) | own_judgement (self);
}

/* ----------------------------------------------------------------------------------- the answer */

/* RFC 5246 §7.2.2. The first flag that is set wins. */
uint8_t
moat_verify_alert (GTlsCertificateFlags errors)
{
  enum
  {
    BAD_CERTIFICATE = 42,
    CERTIFICATE_REVOKED = 44,
    CERTIFICATE_EXPIRED = 45,
    CERTIFICATE_UNKNOWN = 46,
    UNKNOWN_CA = 48,
  };
  static const struct
  {
    GTlsCertificateFlags flag;
    uint8_t alert;
  } alerts[] = {
    { G_TLS_CERTIFICATE_REVOKED, CERTIFICATE_REVOKED },
    { G_TLS_CERTIFICATE_UNKNOWN_CA, UNKNOWN_CA },
    { G_TLS_CERTIFICATE_NOT_ACTIVATED | G_TLS_CERTIFICATE_EXPIRED, CERTIFICATE_EXPIRED },
    { G_TLS_CERTIFICATE_BAD_IDENTITY | G_TLS_CERTIFICATE_INSECURE, BAD_CERTIFICATE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (alerts); i++)
    if (errors & alerts[i].flag)
      return alerts[i].alert;

  return CERTIFICATE_UNKNOWN;
}
