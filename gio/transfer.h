/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Application data between a caller's messages and records, with the lock of one half only. */

#pragma once

#include "gio/pump.h"

typedef struct
{
  GInputMessage *messages;
  guint n;
  guint done;
  GSocketAddress *peer; /* (unowned) (nullable): what callers learn as the sender */
} MoatInbox;

typedef struct
{
  GOutputMessage *messages;
  guint n;
  guint done;
} MoatOutbox;

typedef enum
{
  MOAT_TRANSFER_DONE,    /* some or all; see `done` */
  MOAT_TRANSFER_AGAIN,   /* the connection moved on: look again */
  MOAT_TRANSFER_BLOCKED, /* no (more) without waiting */
  MOAT_TRANSFER_END,     /* no more messages ever, and that is no error */
  MOAT_TRANSFER_FAILED,  /* the error is set */
} MoatTransfer;

/* What is queued and, while the connection is steady, what the base has. */
MoatTransfer moat_transfer_receive (MoatPump *pump, MoatInbox *inbox,
                                    MoatTimeoutClass timeout_class, bool requires_close_notify,
                                    GError **error);
MoatTransfer moat_transfer_send (MoatPump *pump, MoatOutbox *outbox, MoatTimeoutClass timeout_class,
                                 GError **error);
/* The longest message that may be sent; 0 while not connected. */
size_t moat_transfer_max_payload (MoatPump *pump);
