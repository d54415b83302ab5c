/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What every folder of the engine and its callers share: bytes, time and errors. */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DTLS_MUST_CHECK __attribute__ ((warn_unused_result))

/* A borrowed run of bytes. How long it may be used is said where it is handed out. */
struct bytes
{
  const uint8_t *at;
  size_t left;
};

/* A caller's output buffer; calls append at `used` and never write beyond `capacity`. */
struct dtls_buffer
{
  uint8_t *at;
  size_t capacity;
  size_t used;
};

/* Microseconds on a monotonic clock of the caller's; only differences matter. */
typedef uint64_t dtls_time;
typedef uint64_t dtls_duration;

#define DTLS_NEVER UINT64_MAX
#define DTLS_MILLISECOND ((dtls_duration) 1000)
#define DTLS_SECOND (1000 * DTLS_MILLISECOND)

/* Why a connection ended, or why a call was refused. Each value's alert and text stand in one
 * table, engine/conn/errors.c. One that ended a connection is returned from then on. */
enum dtls_error
{
  DTLS_OK = 0,

  /* The peer broke the protocol; we tell it with an alert. */
  DTLS_ERROR_DECODE,
  DTLS_ERROR_ILLEGAL_PARAMETER,
  DTLS_ERROR_UNEXPECTED_MESSAGE,
  DTLS_ERROR_EXCESS_HANDSHAKE_DATA,
  DTLS_ERROR_MESSAGE_TOO_LONG,
  DTLS_ERROR_RECORD_OVERFLOW,
  DTLS_ERROR_BAD_ALERT,
  DTLS_ERROR_UNSUPPORTED_EXTENSION,
  DTLS_ERROR_MISSING_EXTENSION,
  DTLS_ERROR_DOWNGRADE,
  DTLS_ERROR_RENEGOTIATION,
  DTLS_ERROR_RENEGOTIATION_INFO,
  DTLS_ERROR_BAD_SIGNATURE,
  DTLS_ERROR_BAD_FINISHED,

  /* The two sides do not fit together. */
  DTLS_ERROR_PROTOCOL_VERSION,
  DTLS_ERROR_INAPPROPRIATE_FALLBACK,
  DTLS_ERROR_NO_SHARED_SUITE,
  DTLS_ERROR_NO_SHARED_GROUP,
  DTLS_ERROR_NO_SHARED_SIGNATURE,
  DTLS_ERROR_NO_SHARED_PROTOCOL,
  DTLS_ERROR_EXTENDED_MASTER_SECRET_REQUIRED,

  /* Certificates. */
  DTLS_ERROR_BAD_CERTIFICATE,
  DTLS_ERROR_UNSUPPORTED_CERTIFICATE,
  DTLS_ERROR_CERTIFICATE_REJECTED,
  DTLS_ERROR_CERTIFICATE_REQUIRED,
  DTLS_ERROR_UNKNOWN_PSK,
  DTLS_ERROR_PSK_REQUIRED,
  DTLS_ERROR_NO_CREDENTIAL,
  DTLS_ERROR_SIGNING_FAILED,

  /* The peer ended it: dtls_conn_peer_alert () names the alert. */
  DTLS_ERROR_PEER_ALERT,

  /* Time and limits. */
  DTLS_ERROR_TIMED_OUT,
  DTLS_ERROR_RECORD_LIMIT,
  DTLS_ERROR_FORGERY_LIMIT,
  DTLS_ERROR_KEY_UPDATE_LIMIT, /* no epoch is left for another KeyUpdate */
  DTLS_ERROR_MESSAGE_LIMIT,    /* no message_seq is left */

  /* Ours. */
  DTLS_ERROR_CLOSED,
  DTLS_ERROR_NOT_CONNECTED,
  DTLS_ERROR_TOO_LARGE,
  DTLS_ERROR_CONFIG,
  DTLS_ERROR_KEY,
  DTLS_ERROR_CRYPTO,
  DTLS_ERROR_NO_MEMORY,

  N_DTLS_ERRORS
};

/* Why a record was dropped without a word. */
enum dtls_drop
{
  DTLS_DROP_NONE,
  DTLS_DROP_HEADER,         /* no record header, or not one of ours */
  DTLS_DROP_LENGTH,         /* longer than the datagram or than a record may be; or too short */
  DTLS_DROP_EPOCH,          /* an epoch that is not accepted (now) */
  DTLS_DROP_REPLAY,         /* seen before, or older than the window */
  DTLS_DROP_AUTHENTICATION, /* did not open */
  DTLS_DROP_TYPE,           /* a content type that has no business here */
  DTLS_DROP_CONTENT, /* a malformed alert, ChangeCipherSpec or fragment in an unprotected epoch */
  DTLS_DROP_EARLY,   /* opened, but ahead of what must come first */
  DTLS_DROP_LATE,    /* a message that was there already, or after the end */
  N_DTLS_DROPS
};

/* The only control-flow macro: hand an error up. Only where nothing is owned. */
#define TRY(call)                                                                                  \
  do                                                                                               \
    {                                                                                              \
      enum dtls_error try_error = (call);                                                          \
      if (try_error != DTLS_OK)                                                                    \
        return try_error;                                                                          \
    }                                                                                              \
  while (0)
