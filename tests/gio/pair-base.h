/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Two GDatagramBased that are each other's far end, in memory: no socket, no waiting, and a script says
 * what becomes of each datagram. They are as unkind as a base may be: condition_check and condition_wait
 * abort, waiting receives and sends abort, and sources become ready only by being poked with
 * g_source_set_ready_time, from whatever thread. */

#pragma once

#include <gio/gio.h>

#define PAIR_TYPE_BASE (pair_base_get_type ())
G_DECLARE_FINAL_TYPE (PairBase, pair_base, PAIR, BASE, GObject)

typedef enum
{
  PAIR_DELIVER,
  PAIR_DROP,
  PAIR_DUPLICATE,
  PAIR_HOLD, /* until pair_base_release or pair_base_release_joined */
} PairFate;

/* Decides about the `index`th datagram, from 0, that an end sends after the script was set. It is called
 * with a lock held and does nothing else. */
typedef PairFate (*PairScript) (guint index, const guint8 *at, gsize len, gpointer user_data);

/* Both (transfer full). */
void pair_base_new (PairBase **out_one, PairBase **out_other);

/* What this end sends. */
void pair_base_set_script (PairBase *self, PairScript script, gpointer user_data);
void pair_base_release (PairBase *self);           /* what was held, in its order */
void pair_base_release_backwards (PairBase *self); /* the newest first */
void pair_base_release_joined (PairBase *self);    /* as one datagram */
guint pair_base_n_held (PairBase *self);
guint pair_base_n_sent (PairBase *self);
GBytes *pair_base_dup_sent (PairBase *self, guint index);
/* The size of the largest send_messages call so far. */
guint pair_base_largest_batch (PairBase *self);

/* What this end receives. */
void pair_base_inject (PairBase *self, gconstpointer at, gsize len);
void pair_base_end (PairBase *self); /* after what is queued, the end of the stream */
guint pair_base_n_queued (PairBase *self);
guint pair_base_n_receive_calls (PairBase *self);

/* How many datagrams can be sent before sending would block; G_MAXUINT for any number. */
void pair_base_set_send_room (PairBase *self, guint n);
/* Whether receiving would block, whatever is queued. */
void pair_base_set_receive_blocked (PairBase *self, gboolean is_blocked);
/* The next `times` calls fail with this G_IO_ERROR. */
void pair_base_fail_sends (PairBase *self, guint times, GIOErrorEnum code);
void pair_base_fail_receives (PairBase *self, guint times, GIOErrorEnum code);
