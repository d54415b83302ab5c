/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Turns what GObject properties hold into the views that struct dtls_config borrows, leaving out
 * what no peer could be told. */

#include "gio/config.h"

#include "gio/secret.h"

#include <string.h>

enum
{
  MAX_PROTOCOL = 255,      /* RFC 7301 §3.1: opaque ProtocolName<1..2^8-1> */
  MAX_PROTOCOLS = 65535,   /* and ProtocolName protocol_name_list<2..2^16-1> */
  MAX_AUTHORITIES = 65535, /* RFC 5246 §7.4.4: certificate_authorities<0..2^16-1> */
};

/* ------------------------------------------------------------------------- of a context, by role */

static void
use_codes (GBytes *codes, const uint16_t **out_at, size_t *out_n)
{
  size_t size = 0;

  if (codes != NULL)
    *out_at = g_bytes_get_data (codes, &size);
  *out_n = size / sizeof **out_at;
}

/* Under all locks of the pump, like the next one. */
static void
on_session_store (void *data, struct bytes id, struct bytes session)
{
  MoatConfig *self = data;

  memcpy (self->session_id, id.at, id.left);
  self->session_id_len = id.left;
  self->has_made_session = true;
  moat_tickets_store (moat_context_get_tickets (self->context), id, session);
}

static bool
on_session_find (void *data, struct bytes id, struct dtls_buffer *out)
{
  MoatConfig *self = data;

  if (id.left > sizeof self->session_id
      || !moat_tickets_find (moat_context_get_tickets (self->context), id, out))
    return false;

  memcpy (self->session_id, id.at, id.left);
  self->session_id_len = id.left;
  return true;
}

/* The two clocks drift apart while a machine sleeps, or when somebody sets one of them. */
static void
set_wall_clock (MoatConfig *self)
{
  self->engine.wall_clock_offset =
      (dtls_time) g_get_real_time () - (dtls_time) g_get_monotonic_time ();
}

void
moat_config_take_ticket_keys (MoatConfig *self)
{
  MoatTickets *tickets = moat_context_get_tickets (self->context);
  bool has_keys =
      moat_tickets_get_keys (tickets, (dtls_time) g_get_real_time (), self->ticket_keys);

  set_wall_clock (self);
  self->engine.ticket_keys = self->ticket_keys;
  self->engine.n_ticket_keys = has_keys ? MOAT_N_TICKET_KEYS : 0;
}

void
moat_config_wipe_ticket_keys (MoatConfig *self)
{
  explicit_bzero (self->ticket_keys, sizeof self->ticket_keys);
  self->engine.n_ticket_keys = 0;
}

void
moat_config_drop_session (MoatConfig *self, bool was_resumed)
{
  struct bytes id = { self->session_id, self->session_id_len };

  if (id.left > 0 && (was_resumed || self->has_made_session))
    moat_tickets_drop (moat_context_get_tickets (self->context), id);
}

static void
configure_server (MoatConfig *self)
{
  self->engine.asks_for_psk = self->settings.psk_lookup != NULL;
  self->engine.ticket_lifetime = MOAT_TICKET_PERIOD;
  self->engine.session_store = on_session_store;
  self->engine.session_find = on_session_find;
  self->engine.session_data = self;
}

static void
configure_client (MoatConfig *self)
{
  if (self->settings.psk != NULL)
    self->engine.psk = moat_psk_get (self->settings.psk);
  self->engine.keeps_sessions = self->settings.keeps_sessions;
}

MoatConfig *
moat_config_new (MoatContext *context, enum dtls_role role)
{
  MoatConfig *self = g_new0 (MoatConfig, 1);
  struct dtls_config *engine = &self->engine;

  dtls_config_init (engine);
  self->context = g_object_ref (context);
  moat_context_get_settings (context, &self->settings);

  engine->min_version = self->settings.min_version;
  engine->max_version = self->settings.max_version;
  use_codes (self->settings.suites, &engine->suites, &engine->n_suites);
  use_codes (self->settings.groups, &engine->groups, &engine->n_groups);
  set_wall_clock (self);

  if (role == DTLS_SERVER)
    configure_server (self);
  else
    configure_client (self);

  return self;
}

void
moat_config_free (MoatConfig *self)
{
  g_free (self->server_name);
  g_clear_pointer (&self->alpn, g_byte_array_unref);
  g_clear_pointer (&self->authorities, g_ptr_array_unref);
  g_free (self->authority_views);
  g_clear_pointer (&self->session, g_bytes_unref);
  g_clear_pointer (&self->session_key, g_bytes_unref);
  g_clear_pointer (&self->session_leaf, g_bytes_unref);
  explicit_bzero (self->ticket_keys, sizeof self->ticket_keys);
  moat_settings_clear (&self->settings);
  g_clear_object (&self->context);
  g_free (self);
}

/* ------------------------------------------------------------------------------ of a connection */

void
moat_config_take_session (MoatConfig *self, GBytes *session)
{
  self->session = session;
  self->engine.session = moat_bytes_view (session);
}

void
moat_config_give_session_back (MoatConfig *self)
{
  if (self->session != NULL && self->session_key != NULL)
    moat_sessions_store (moat_context_get_sessions (self->context), self->session_key,
                         self->session);
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
