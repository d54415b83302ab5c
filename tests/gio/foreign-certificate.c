/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Each property is asked of the original when somebody asks for it. */

#include "foreign-certificate.h"

struct _ForeignCertificate
{
  GTlsCertificate parent_instance;

  GTlsCertificate *original; /* (owned) */
  gboolean is_its_own_issuer;
  ForeignCertificateHook hook; /* (nullable) */
  gpointer hook_data;
};

G_DEFINE_FINAL_TYPE (ForeignCertificate, foreign_certificate, G_TYPE_TLS_CERTIFICATE)

typedef enum
{
  PROP_CERTIFICATE = 1,
  PROP_CERTIFICATE_PEM,
  PROP_PRIVATE_KEY,
  PROP_PRIVATE_KEY_PEM,
  PROP_ISSUER,
} ForeignCertificateProperty;

static void
foreign_certificate_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  ForeignCertificate *self = FOREIGN_CERTIFICATE (object);
  ForeignCertificateHook hook = id == PROP_CERTIFICATE ? self->hook : NULL;

  if (hook != NULL)
    {
      self->hook = NULL;
      hook (self->hook_data);
    }
  if (id == PROP_ISSUER && self->is_its_own_issuer)
    g_value_set_object (value, self);
  else
    g_object_get_property (G_OBJECT (self->original), pspec->name, value);
}

static void
foreign_certificate_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  /* All are construct-only, and come from the original. */
}

static GTlsCertificateFlags
foreign_certificate_verify (GTlsCertificate *certificate, GSocketConnectable *identity,
                            GTlsCertificate *trusted_ca)
{
  return G_TLS_CERTIFICATE_GENERIC_ERROR;
}

static void
foreign_certificate_finalize (GObject *object)
{
  g_clear_object (&FOREIGN_CERTIFICATE (object)->original);

  G_OBJECT_CLASS (foreign_certificate_parent_class)->finalize (object);
}

static void
foreign_certificate_class_init (ForeignCertificateClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);

  object_class->get_property = foreign_certificate_get_property;
  object_class->set_property = foreign_certificate_set_property;
  object_class->finalize = foreign_certificate_finalize;
  G_TLS_CERTIFICATE_CLASS (class)->verify = foreign_certificate_verify;
  g_object_class_override_property (object_class, PROP_CERTIFICATE, "certificate");
  g_object_class_override_property (object_class, PROP_CERTIFICATE_PEM, "certificate-pem");
  g_object_class_override_property (object_class, PROP_PRIVATE_KEY, "private-key");
  g_object_class_override_property (object_class, PROP_PRIVATE_KEY_PEM, "private-key-pem");
  g_object_class_override_property (object_class, PROP_ISSUER, "issuer");
}

static void
foreign_certificate_init (ForeignCertificate *self)
{
}

GTlsCertificate *
foreign_certificate_new (GTlsCertificate *original, gboolean is_its_own_issuer)
{
  ForeignCertificate *self = g_object_new (FOREIGN_TYPE_CERTIFICATE, NULL);

  self->original = g_object_ref (original);
  self->is_its_own_issuer = is_its_own_issuer;

  return G_TLS_CERTIFICATE (self);
}

void
foreign_certificate_set_hook (GTlsCertificate *self, ForeignCertificateHook hook, gpointer data)
{
  FOREIGN_CERTIFICATE (self)->hook = hook;
  FOREIGN_CERTIFICATE (self)->hook_data = data;
}
