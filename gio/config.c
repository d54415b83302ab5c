/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Turns what GObject properties hold into the views that struct dtls_config borrows, leaving out
 * what no peer could be told. */

#include "gio/config.h"

#include <string.h>

enum
{
  MAX_PROTOCOL = 255,      /* RFC 7301 §3.1: opaque ProtocolName<1..2^8-1> */
  MAX_PROTOCOLS = 65535,   /* and ProtocolName protocol_name_list<2..2^16-1> */
  MAX_AUTHORITIES = 65535, /* RFC 5246 §7.4.4: certificate_authorities<0..2^16-1> */
};

MoatConfig *
moat_config_new (MoatContext *context)
{
  MoatConfig *self = g_new0 (MoatConfig, 1);

  dtls_config_init (&self->engine);
  /* Until the rest of this folder knows of 1.3 and of sessions. */
  self->engine.max_version = DTLS_1_2;
  self->engine.keeps_sessions = false;
  self->context = g_object_ref (context);
  self->keylog = moat_context_dup_keylog (context);
  self->suites = moat_context_dup_suites (context);

  if (self->suites != NULL)
    {
      self->engine.suites = g_bytes_get_data (self->suites, &self->engine.n_suites);
      self->engine.n_suites /= sizeof *self->engine.suites;
    }

  return self;
}

void
moat_config_free (MoatConfig *self)
{
  g_free (self->server_name);
  g_clear_pointer (&self->alpn, g_byte_array_unref);
  g_clear_pointer (&self->suites, g_bytes_unref);
  g_clear_pointer (&self->authorities, g_ptr_array_unref);
  g_free (self->authority_views);
  g_clear_pointer (&self->keylog, moat_keylog_unref);
  g_clear_object (&self->context);
  g_free (self);
}

void
moat_config_take_server_name (MoatConfig *self, char *name)
{
  self->server_name = name;
  if (name != NULL)
    self->engine.server_name = (struct bytes){ (const uint8_t *) name, strlen (name) };
}

void
moat_config_set_protocols (MoatConfig *self, const char *const *protocols)
{
  if (protocols == NULL)
    return;

  self->alpn = g_byte_array_new ();
  for (gsize i = 0; protocols[i] != NULL; i++)
    {
      gsize len = strlen (protocols[i]);
      guint8 prefix = (guint8) len;

      if (len == 0 || len > MAX_PROTOCOL || self->alpn->len + 1 + len > MAX_PROTOCOLS)
        continue;

      g_byte_array_append (self->alpn, &prefix, 1);
      g_byte_array_append (self->alpn, (const guint8 *) protocols[i], (guint) len);
    }

  self->engine.alpn = (struct bytes){ self->alpn->data, self->alpn->len };
}

/* Takes `names`, an array of GBytes. A list that is too long becomes empty, which asks for any
 * certificate (RFC 5246 §7.4.4), and not shorter, which would ask for the wrong ones. */
void
moat_config_take_authorities (MoatConfig *self, GPtrArray *names)
{
  size_t total = 0;

  self->authorities = names;
  self->authority_views = g_new0 (struct bytes, names->len + 1);

  for (guint i = 0; i < names->len; i++)
    {
      struct bytes *view = &self->authority_views[i];

      view->at = g_bytes_get_data (names->pdata[i], &view->left);
      total += 2 + view->left;
    }

  self->engine.authorities = self->authority_views;
  self->engine.n_authorities = total <= MAX_AUTHORITIES ? names->len : 0;
}
