/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The loops around gio/transfer.h: an error is returned only if nothing was transferred; a call
 * with a time may return with less than it was asked for, one without end may not. Each call holds the
 * connection, since a handler that it runs may drop the caller's reference. */

#include "gio/datagram.h"

#include "gio/call.h"
#include "gio/connection.h"
#include "gio/news.h"
#include "gio/source.h"
#include "gio/transfer.h"

enum
{
  /* How often a call looks again without a look at the clock, so that what ended the connection is told
   * and yet no peer can keep a call by keeping the connection busy. */
  MAX_AGAIN = 16,
};

/* Whether the loop goes on; `*again` counts how often it was for the connection's sake. */
static bool
may_go_on (MoatTransfer result, MoatCall *call, bool has_some, guint *again, GError **error)
{
  /* A deadline leaves what has come; only a call without end wants everything. */
  if (has_some && call->timeout >= 0)
    return false;

  switch (result)
    {
    case MOAT_TRANSFER_DONE:
      return true;
    case MOAT_TRANSFER_AGAIN:
      return ++*again < MAX_AGAIN || moat_call_has_time (call, error);
    case MOAT_TRANSFER_BLOCKED:
      return moat_call_wait (call, error);
    case MOAT_TRANSFER_END:
    case MOAT_TRANSFER_FAILED:
      break;
    }

  return false;
}

static bool
are_flags_supported (gint flags, GError **error)
{
  if (flags == 0)
    return true;

  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                       "DTLS has no flags for sending and receiving");
  return false;
}

/* ------------------------------------------------------------------------------------ receiving */

static bool
requires_close_notify (MoatConnection *self)
{
  bool is_required;

  g_mutex_lock (&self->lock);
  is_required = self->requires_close_notify;
  g_mutex_unlock (&self->lock);

  return is_required;
}

static bool
is_sender_wanted (const GInputMessage *messages, guint n)
{
  for (guint i = 0; i < n; i++)
    if (messages[i].address != NULL)
      return true;

  return false;
}

static void
receive (MoatCall *call, MoatInbox *inbox, GError **error)
{
  bool requires = requires_close_notify (call->connection);
  MoatTransfer result;
  guint again = 0;

  do
    {
      if (!moat_call_enter (call, error))
        return;
      result = moat_transfer_receive (&call->connection->pump, inbox,
                                      moat_timeout_class (call->timeout), requires, error);
      if (inbox->done == inbox->n)
        return;
    }
  while (may_go_on (result, call, inbox->done > 0, &again, error));
}

static gint
moat_datagram_receive_messages (GDatagramBased *object, GInputMessage *messages, guint num_messages,
                                gint flags, gint64 timeout, GCancellable *cancellable,
                                GError **error)
{
  g_autoptr (MoatConnection) self = g_object_ref (MOAT_CONNECTION (object));
  g_autoptr (GSocketAddress) peer = NULL;
  GError *problem = NULL;
  MoatInbox inbox = { .messages = messages, .n = num_messages };
  MoatCall call;

  if (num_messages == 0)
    return 0;
  if (!are_flags_supported (flags, error))
    return -1;

  if (is_sender_wanted (messages, num_messages))
    inbox.peer = peer = moat_connection_dup_peer_address (self);

  moat_call_init (&call, self, G_IO_IN, timeout, cancellable);
  receive (&call, &inbox, &problem);

  if (inbox.done > 0)
    g_clear_error (&problem);
  if (problem == NULL)
    return (gint) inbox.done;

  g_propagate_error (error, problem);
  return -1;
}

/* -------------------------------------------------------------------------------------- sending */

static bool
are_addresses_unset (const GOutputMessage *messages, guint n, GError **error)
{
  for (guint i = 0; i < n; i++)
    if (messages[i].address != NULL)
      {
        g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                             "A DTLS connection has one peer; a message cannot name another");
        return false;
      }

  return true;
}

static void
send_all (MoatCall *call, MoatOutbox *outbox, GError **error)
{
  MoatTransfer result;
  guint again = 0;

  do
    {
      if (!moat_call_enter (call, error))
        return;
      result = moat_transfer_send (&call->connection->pump, outbox,
                                   moat_timeout_class (call->timeout), error);
      if (outbox->done == outbox->n)
        return;
      /* A batch that went out whole is followed by the next one, whatever the time. */
    }
  while (result == MOAT_TRANSFER_DONE || may_go_on (result, call, outbox->done > 0, &again, error));
}

static gint
moat_datagram_send_messages (GDatagramBased *object, GOutputMessage *messages, guint num_messages,
                             gint flags, gint64 timeout, GCancellable *cancellable, GError **error)
{
  g_autoptr (MoatConnection) self = g_object_ref (MOAT_CONNECTION (object));
  GError *problem = NULL;
  MoatOutbox outbox = { .messages = messages, .n = num_messages };
  MoatCall call;

  if (num_messages == 0)
    return 0;
  if (!are_flags_supported (flags, error) || !are_addresses_unset (messages, num_messages, error))
    return -1;

  moat_call_init (&call, self, G_IO_OUT, timeout, cancellable);
  send_all (&call, &outbox, &problem);

  if (outbox.done > 0)
    g_clear_error (&problem);
  if (problem == NULL)
    return (gint) outbox.done;

  g_propagate_error (error, problem);
  return -1;
}

/* ----------------------------------------------------------------------------------- conditions */

static GSource *
moat_datagram_create_source (GDatagramBased *object, GIOCondition condition,
                             GCancellable *cancellable)
{
  return moat_source_new (MOAT_CONNECTION (object), condition, cancellable);
}

/* What is ready now, after moving the connection on. */
static GIOCondition
look (MoatConnection *self, MoatCaller caller, GIOCondition condition, GCancellable *cancellable)
{
  MoatPump *pump = &self->pump;
  GIOCondition mask = condition | G_IO_ERR | G_IO_HUP;
  GIOCondition base_ready = 0;

  if (!self->is_initialized)
    return G_IO_ERR;

  moat_connection_begin (self);
  if (!(moat_pump_ready (pump, 0) & mask & G_IO_IN) || !moat_pump_is_steady_for_reading (pump))
    {
      if (condition & G_IO_IN)
        moat_pump_attend (pump);
      moat_pump_step (pump);
      if (caller == MOAT_CALLER_POLLS)
        moat_handshake_drive (self, NULL);
      moat_news_attend (self, caller, cancellable);
    }
  if ((condition & G_IO_OUT) && moat_pump_phase (pump) == MOAT_PHASE_CONNECTED
      && moat_wake_check (&pump->wake, &pump->base, G_IO_OUT))
    base_ready = G_IO_OUT;

  return moat_pump_ready (pump, base_ready) & mask;
}

static GIOCondition
moat_datagram_condition_check (GDatagramBased *object, GIOCondition condition)
{
  g_autoptr (MoatConnection) self = g_object_ref (MOAT_CONNECTION (object));

  return look (self, MOAT_CALLER_POLLS, condition, NULL);
}

static gboolean
moat_datagram_condition_wait (GDatagramBased *object, GIOCondition condition, gint64 timeout,
                              GCancellable *cancellable, GError **error)
{
  g_autoptr (MoatConnection) self = g_object_ref (MOAT_CONNECTION (object));
  MoatCall call;

  moat_call_init (&call, self, condition & (G_IO_IN | G_IO_OUT), timeout, cancellable);
  do
    {
      call.ticket = moat_wake_ticket (&self->pump.wake);
      if (!call.has_waited && !moat_call_is_allowed (&call, error))
        return FALSE;
      if (look (self, call.caller, condition, cancellable) != 0)
        return TRUE;
      if (timeout == 0)
        {
          moat_error_set_timed_out (error);
          return FALSE;
        }
    }
  while (moat_call_wait (&call, error));

  return FALSE;
}

void
moat_datagram_init_interface (gpointer interface, G_GNUC_UNUSED gpointer data)
{
  GDatagramBasedInterface *iface = interface;

  iface->receive_messages = moat_datagram_receive_messages;
  iface->send_messages = moat_datagram_send_messages;
  iface->create_source = moat_datagram_create_source;
  iface->condition_check = moat_datagram_condition_check;
  iface->condition_wait = moat_datagram_condition_wait;
}
