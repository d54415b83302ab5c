/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Receiving: what is queued comes first; then a batch from the base is opened in place, in this
 * thread's scratch, and copied once, to where the caller wants it. Sending: a batch is sealed
 * into the scratch and sent; what the base has no room for is forgotten and sealed anew, for a
 * gap in the record numbers harms nobody and a message that was reported unsent must not go out. */

#include "gio/transfer.h"

#include <string.h>

enum
{
  /* Batches without one good message before a call that may not wait gives up. */
  MAX_FRUITLESS = 4,
  /* Vectors of a message that are sealed where they are; more are gathered first. */
  MAX_PARTS = 32,
};

/* ------------------------------------------------------------------------------------ receiving */

static void
deliver (MoatInbox *inbox, struct bytes data)
{
  GInputMessage *message = &inbox->messages[inbox->done++];
  size_t left = data.left;

  for (guint i = 0; i < message->num_vectors && left > 0; i++)
    {
      size_t len = MIN (left, message->vectors[i].size);

      if (len > 0)
        memcpy (message->vectors[i].buffer, data.at, len);
      data.at += len;
      left -= len;
    }

  message->bytes_received = data.left - left;
  message->flags = left > 0 ? MSG_TRUNC : 0;
  if (message->address != NULL)
    *message->address = inbox->peer != NULL ? g_object_ref (inbox->peer) : NULL;
  if (message->control_messages != NULL)
    *message->control_messages = NULL;
  if (message->num_control_messages != NULL)
    *message->num_control_messages = 0;
}

static void
take_queued (MoatPump *pump, MoatInbox *inbox)
{
  if (!moat_queue_is_empty (&pump->plaintext))
    pump->attended_at = moat_pump_now ();

  while (inbox->done < inbox->n && !moat_queue_is_empty (&pump->plaintext))
    {
      deliver (inbox, moat_queue_peek (&pump->plaintext));
      moat_queue_pop (&pump->plaintext);
    }
}

/* What a reader is told when nothing is queued; read lock held. */
static MoatTransfer
reading_state (MoatPump *pump, MoatTimeoutClass timeout_class, bool requires_close_notify,
               GError **error)
{
  GError *problem;

  if (pump->is_read_shut)
    {
      moat_error_set_closed (error);
      return MOAT_TRANSFER_FAILED;
    }
  if (pump->has_peer_closed || (pump->is_base_at_end && !requires_close_notify))
    return MOAT_TRANSFER_END;

  problem = moat_pump_error_locked (pump, timeout_class);
  if (problem == NULL && pump->is_base_at_end)
    problem = g_error_new_literal (G_TLS_ERROR, G_TLS_ERROR_EOF,
                                   "The base socket ended without the peer's close_notify");
  if (problem != NULL)
    {
      g_propagate_error (error, problem);
      return MOAT_TRANSFER_FAILED;
    }

  return MOAT_TRANSFER_BLOCKED;
}

static void
hand_over (MoatPump *pump, MoatInbox *inbox, struct bytes data)
{
  if (pump->is_read_shut)
    return;

  if (inbox->done < inbox->n && moat_queue_is_empty (&pump->plaintext))
    deliver (inbox, data);
  else
    moat_pump_queue (pump, data);
}

/* Opens the batch; read lock held. False when the datagram `*i`, now in `begun`, and those after
 * it are for the control part. */
static bool
open_batch (MoatPump *pump, MoatScratch *scratch, MoatInbox *inbox, guint *i,
            struct dtls_datagram *begun)
{
  struct bytes data;

  for (*i = 0; *i < scratch->n_in; (*i)++)
    {
      enum dtls_read result;

      if (!moat_base_is_from_peer (&pump->base, &scratch->in[*i]))
        continue;

      *begun = (struct dtls_datagram){ .at = scratch->in[*i].at, .left = scratch->in[*i].len };
      while ((result = dtls_conn_read (pump->conn, begun, &data)) == DTLS_READ_DATA)
        hand_over (pump, inbox, data);

      if (result == DTLS_READ_CONTROL)
        return false;
    }

  return true;
}

/* One batch from the base. */
static MoatTransfer
receive_batch (MoatPump *pump, MoatScratch *scratch, MoatInbox *inbox)
{
  G_GNUC_UNUSED g_autoptr (GRecMutexLocker) turn = g_rec_mutex_locker_new (&pump->intake);
  GError *problem = NULL;
  struct dtls_datagram begun;
  bool is_plain;
  guint i;

  switch (moat_base_receive (&pump->base, scratch, inbox->n - inbox->done, &problem))
    {
    case MOAT_BASE_BLOCKED:
      return MOAT_TRANSFER_BLOCKED;
    case MOAT_BASE_END:
    case MOAT_BASE_GONE:
      moat_pump_lose_base (pump, problem);
      return MOAT_TRANSFER_AGAIN;
    case MOAT_BASE_SOFT:
    case MOAT_BASE_TOO_LARGE:
      /* An ICMP error, long after the handshake: anyone can send one. */
      g_clear_error (&problem);
      return MOAT_TRANSFER_DONE;
    case MOAT_BASE_DONE:
      break;
    }

  g_mutex_lock (&pump->read);
  is_plain = open_batch (pump, scratch, inbox, &i, &begun);
  g_mutex_unlock (&pump->read);
  if (is_plain)
    return MOAT_TRANSFER_DONE;

  moat_pump_process (pump, scratch, &begun, i + 1);
  return MOAT_TRANSFER_AGAIN;
}

static MoatTransfer
receive_steadily (MoatPump *pump, MoatInbox *inbox)
{
  g_autoptr (MoatScratch) scratch = moat_scratch_take ();
  guint start = inbox->done;

  for (guint i = 0; i < MAX_FRUITLESS; i++)
    {
      MoatTransfer result = receive_batch (pump, scratch, inbox);

      if (result != MOAT_TRANSFER_DONE || inbox->done > start)
        return result;
    }

  return MOAT_TRANSFER_BLOCKED;
}

MoatTransfer
moat_transfer_receive (MoatPump *pump, MoatInbox *inbox, MoatTimeoutClass timeout_class,
                       bool requires_close_notify, GError **error)
{
  MoatTransfer state = MOAT_TRANSFER_DONE;
  bool is_connected;

  g_mutex_lock (&pump->read);
  if (!pump->is_read_shut)
    take_queued (pump, inbox);
  if (inbox->done < inbox->n)
    state =
        reading_state (pump, timeout_class, requires_close_notify, inbox->done == 0 ? error : NULL);
  is_connected = pump->phase == MOAT_PHASE_CONNECTED;
  g_mutex_unlock (&pump->read);

  if (state != MOAT_TRANSFER_BLOCKED || !is_connected)
    return state;

  return receive_steadily (pump, inbox);
}

/* -------------------------------------------------------------------------------------- sending */

/* Write lock held. */
static size_t
max_payload (const MoatPump *pump)
{
  if (pump->phase != MOAT_PHASE_CONNECTED || pump->mtu <= pump->overhead)
    return 0;

  return MIN (dtls_conn_max_payload (pump->conn), pump->mtu - pump->overhead);
}

size_t
moat_transfer_max_payload (MoatPump *pump)
{
  size_t max;

  g_mutex_lock (&pump->write);
  max = max_payload (pump);
  g_mutex_unlock (&pump->write);

  return max;
}

/* G_MAXSIZE for one that no memory could hold. */
static size_t
message_size (const GOutputMessage *message)
{
  size_t size = 0;

  for (guint i = 0; i < message->num_vectors; i++)
    if (!g_size_checked_add (&size, size, message->vectors[i].size))
      return G_MAXSIZE;

  return size;
}

static enum dtls_error
seal_message (MoatPump *pump, MoatScratch *scratch, const GOutputMessage *message,
              struct dtls_buffer *out)
{
  struct bytes parts[MAX_PARTS];
  uint8_t *gathered = scratch->in_bytes[0];
  size_t size = 0;

  if (message->num_vectors <= MAX_PARTS)
    {
      for (guint i = 0; i < message->num_vectors; i++)
        parts[i] = (struct bytes){ message->vectors[i].buffer, message->vectors[i].size };
      return dtls_conn_seal (pump->conn, parts, message->num_vectors, out);
    }

  /* The caller has checked that it fits a datagram. */
  for (guint i = 0; i < message->num_vectors; i++)
    {
      if (message->vectors[i].size > 0)
        memcpy (gathered + size, message->vectors[i].buffer, message->vectors[i].size);
      size += message->vectors[i].size;
    }
  parts[0] = (struct bytes){ gathered, size };

  return dtls_conn_seal (pump->conn, parts, 1, out);
}

/* Seals as many messages as fit the scratch, one datagram each; write lock held. What cannot be
 * sealed ends the batch, and is an error if it comes first. */
static enum dtls_error
seal_batch (MoatPump *pump, MoatScratch *scratch, const MoatOutbox *outbox)
{
  struct dtls_buffer buffer = { scratch->out_bytes, SCRATCH_OUT_SIZE, 0 };
  size_t max = max_payload (pump);

  scratch->n_out = 0;
  for (guint i = outbox->done; i < outbox->n && scratch->n_out < SCRATCH_MAX_OUT; i++)
    {
      size_t start = buffer.used;
      size_t size = message_size (&outbox->messages[i]);
      enum dtls_error error = DTLS_ERROR_TOO_LARGE;

      if (size <= max && buffer.capacity - start < size + pump->overhead)
        break;
      if (size <= max)
        error = seal_message (pump, scratch, &outbox->messages[i], &buffer);
      if (error != DTLS_OK)
        return scratch->n_out == 0 ? error : DTLS_OK;

      scratch->out[scratch->n_out++] =
          (struct iovec){ scratch->out_bytes + start, buffer.used - start };
    }

  return DTLS_OK;
}

/* What a writer is told before anything is sealed; write lock held. */
static MoatTransfer
writing_state (MoatPump *pump, MoatTimeoutClass timeout_class, GError **error)
{
  GError *problem;

  if (pump->is_write_shut)
    {
      moat_error_set_closed (error);
      return MOAT_TRANSFER_FAILED;
    }

  problem = moat_pump_error_locked (pump, timeout_class);
  if (problem != NULL)
    {
      g_propagate_error (error, problem);
      return MOAT_TRANSFER_FAILED;
    }

  if (pump->phase != MOAT_PHASE_CONNECTED || g_atomic_int_get (&pump->has_backlog))
    return MOAT_TRANSFER_BLOCKED;

  return MOAT_TRANSFER_DONE;
}

static void
set_seal_error (MoatPump *pump, enum dtls_error problem, MoatTimeoutClass timeout_class,
                GError **error)
{
  MoatFailure failure = { .error = problem, .peer_alert = -1 };
  g_autoptr (GError) fresh = moat_error_new (&failure, timeout_class);

  if (problem == DTLS_ERROR_TOO_LARGE)
    g_prefix_error (&fresh,
                    "At most %" G_GSIZE_FORMAT " bytes fit a message: ", max_payload (pump));
  g_propagate_error (error, g_steal_pointer (&fresh));
}

/* Write lock held; nothing is sent yet. */
static MoatTransfer
seal (MoatPump *pump, MoatScratch *scratch, const MoatOutbox *outbox,
      MoatTimeoutClass timeout_class, GError **error)
{
  MoatTransfer state = writing_state (pump, timeout_class, error);
  enum dtls_error problem;

  if (state != MOAT_TRANSFER_DONE)
    return state;

  problem = seal_batch (pump, scratch, outbox);
  if (problem == DTLS_OK)
    return MOAT_TRANSFER_DONE;

  set_seal_error (pump, problem, timeout_class, error);
  return MOAT_TRANSFER_FAILED;
}

static void
count_sent (MoatOutbox *outbox, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      GOutputMessage *message = &outbox->messages[outbox->done++];

      message->bytes_sent = (guint) message_size (message);
    }
}

MoatTransfer
moat_transfer_send (MoatPump *pump, MoatOutbox *outbox, MoatTimeoutClass timeout_class,
                    GError **error)
{
  g_autoptr (MoatScratch) scratch = moat_scratch_take ();
  G_GNUC_UNUSED g_autoptr (GRecMutexLocker) turn = g_rec_mutex_locker_new (&pump->output);
  GError *problem = NULL;
  MoatBaseResult result;
  MoatTransfer state;
  guint done = 0;

  g_mutex_lock (&pump->write);
  state = seal (pump, scratch, outbox, timeout_class, outbox->done == 0 ? error : NULL);
  g_mutex_unlock (&pump->write);
  if (state != MOAT_TRANSFER_DONE)
    return state;

  result = moat_base_send (&pump->base, scratch, &done, &problem);
  count_sent (outbox, done);

  switch (result)
    {
    case MOAT_BASE_BLOCKED:
      return MOAT_TRANSFER_BLOCKED;
    case MOAT_BASE_TOO_LARGE:
      if (outbox->done == 0)
        g_propagate_error (error, g_steal_pointer (&problem));
      g_clear_error (&problem);
      return MOAT_TRANSFER_FAILED;
    case MOAT_BASE_GONE:
      moat_pump_lose_base (pump, problem);
      return MOAT_TRANSFER_AGAIN;
    case MOAT_BASE_SOFT:
    case MOAT_BASE_DONE:
    case MOAT_BASE_END:
      g_clear_error (&problem);
      break;
    }

  return MOAT_TRANSFER_DONE;
}
