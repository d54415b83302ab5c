/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Our end of BoringSSL's conformance runner: one process per test, on the engine's face alone. See
 * README.md here for what it understands. What it does:
 *
 *   1. options: any that it does not know ends it with 89, "unimplemented"
 *   2. per connection: TCP to the runner, the shim's id, then frames: datagrams, and steps of a fake
 *      clock
 *   3. every datagram and step is answered in full before the next frame is read
 *   4. application data is echoed with its bits turned over
 *   5. errors are told by name on stderr, and by the exit status */

#include "shim.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum
{
  /* The runner calls a little early, and means the timer all the same. */
  FUDGE_NS = 15000000,
  /* Longer than any retransmission: what the engine keeps for a while is no timer of the protocol. */
  NO_TIMER_SECONDS = 100,
  ALERT_DECOMPRESSION_FAILURE = 30, /* what the runner waits for after -send-alert */
  ALERT_INTERNAL_ERROR = 80,
};

static uint8_t frame[MAX_FRAME];
static uint8_t output[MAX_FRAME];

/* -------------------------------------------------------------------------------------- the end */

static void
die_of_signal (int signal_number)
{
  (void) signal_number;
  /* A crash must not pass for an expected failure. */
  _exit (90);
}

void
shim_complain (struct shim *shim, const char *what)
{
  fprintf (stderr, "%s\n", what);
  shim->has_failed = true;
  shim->is_over = true;
}

static void
fail (struct shim *shim)
{
  errors_tell (shim->conn);
  shim->has_failed = true;
  shim->is_over = true;
}

dtls_time
shim_now (const struct shim *shim)
{
  return shim->memory->clock_ns / 1000;
}

/* --------------------------------------------------------------------------------------- output */

static void
drain_datagrams (struct shim *shim)
{
  struct dtls_buffer out = { output, sizeof output, 0 };

  while (out.used = 0, dtls_conn_next_datagram (shim->conn, &out))
    wire_write_datagram (shim, output, out.used);
}

static void
write_data (struct shim *shim, const uint8_t *at, size_t len)
{
  struct bytes part = { at, len };
  struct dtls_buffer out = { output, sizeof output, 0 };
  enum dtls_error error = dtls_conn_seal (shim->conn, &part, 1, &out);

  if (error == DTLS_OK)
    wire_write_datagram (shim, output, out.used);
  else
    shim_complain (shim, dtls_error_text (error));
}

static void
echo (struct shim *shim, struct bytes data)
{
  uint8_t *turned = malloc (data.left + 1);

  if (turned == NULL)
    abort ();
  for (size_t i = 0; i < data.left; i++)
    turned[i] = data.at[i] ^ 0xff;
  write_data (shim, turned, data.left);
  free (turned);
}

static void
export_material (struct shim *shim)
{
  const struct options *o = shim->options;
  struct bytes label = { (const uint8_t *) o->export_label, strlen (o->export_label) };
  struct bytes context = { (const uint8_t *) o->export_context, strlen (o->export_context) };
  uint8_t *material = malloc (o->export_len);

  if (material == NULL)
    abort ();
  if (dtls_conn_export (shim->conn, label, o->has_export_context ? &context : NULL, material,
                        o->export_len)
      == DTLS_OK)
    write_data (shim, material, o->export_len);
  else
    shim_complain (shim, "exporting failed");
  free (material);
}

/* --------------------------------------------------------------------------------------- events */

/* Before every message that is read. */
static void
update_keys (struct shim *shim)
{
  if (shim->options->updates_keys && !shim->is_over
      && dtls_conn_update_keys (shim->conn, shim_now (shim), DTLS_KEY_UPDATE_OURS) != DTLS_OK)
    fail (shim);
}

static void
on_connected (struct shim *shim)
{
  const struct options *o = shim->options;

  checks_when_connected (shim);
  if (o->export_len > 0)
    export_material (shim);
  if (o->sends_alert)
    {
      dtls_conn_abort (shim->conn, shim_now (shim), ALERT_DECOMPRESSION_FAILURE);
      shim->is_over = true;
      return;
    }
  if (o->shim_writes_first)
    write_data (shim, (const uint8_t *) "hello", 5);
  update_keys (shim);
}

static void
on_credential_needed (struct shim *shim)
{
  /* BoringSSL's callback has chosen an empty name by then; the engine takes none, so that the
   * application must give up by itself. */
  if (shim->options->selects_empty_alpn)
    {
      fprintf (stderr, ":INVALID_ALPN_PROTOCOL:\n");
      shim_complain (shim, "an empty ALPN protocol");
      dtls_conn_abort (shim->conn, shim_now (shim), ALERT_INTERNAL_ERROR);
      return;
    }

  dtls_conn_answer_credential (shim->conn, shim_now (shim), NULL);
}

static void
on_verdict_needed (struct shim *shim)
{
  const struct options *o = shim->options;
  /* handshake_failure or certificate_unknown, as the runner wants them. */
  struct dtls_verdict verdict = { !o->verify_fails, o->has_custom_verify ? 46 : 40 };

  dtls_conn_answer_verdict (shim->conn, shim_now (shim), verdict);
}

static void
on_session (struct shim *shim)
{
  struct bytes session = dtls_conn_session (shim->conn);

  memcpy (shim->memory->session, session.at, session.left);
  shim->memory->session_len = session.left;
  shim->has_new_session = true;
}

/* While somebody signs, the clock goes on. */
static void
on_signature_needed (struct shim *shim)
{
  shim->memory->clock_ns += shim->options->key_delay_ms * 1000000;
  dtls_conn_tick (shim->conn, shim_now (shim));
  drain_datagrams (shim);
  signing_answer (shim);
}

static void
take_event (struct shim *shim, enum dtls_event event)
{
  switch (event)
    {
    case DTLS_EVENT_CREDENTIAL_NEEDED:
      on_credential_needed (shim);
      break;
    case DTLS_EVENT_SIGNATURE_NEEDED:
      on_signature_needed (shim);
      break;
    case DTLS_EVENT_VERDICT_NEEDED:
      on_verdict_needed (shim);
      break;
    case DTLS_EVENT_PSK_NEEDED:
      dtls_conn_answer_psk (shim->conn, shim_now (shim), &shim->psk);
      break;
    case DTLS_EVENT_CONNECTED:
      on_connected (shim);
      break;
    case DTLS_EVENT_SESSION:
      on_session (shim);
      break;
    case DTLS_EVENT_PEER_CLOSED:
      shim->is_over = true;
      break;
    case DTLS_EVENT_FAILED:
      if (!shim->is_over)
        fail (shim);
      break;
    case DTLS_EVENT_NONE:
      break;
    }
}

/* Outputs before events: what an event sends comes behind the handshake's own. */
static void
drain (struct shim *shim)
{
  enum dtls_event event;

  do
    {
      drain_datagrams (shim);
      event = dtls_conn_next_event (shim->conn);
      take_event (shim, event);
    }
  while (event != DTLS_EVENT_NONE);
}

/* ---------------------------------------------------------------------------- what a frame says */

static void
on_datagram (struct shim *shim, size_t len)
{
  struct dtls_datagram datagram = { .at = frame, .left = len };
  struct bytes data;

  while (dtls_conn_receive (shim->conn, shim_now (shim), &datagram, &data) == DTLS_READ_DATA)
    {
      drain (shim);
      if (!shim->is_over)
        echo (shim, data);
      update_keys (shim);
      drain (shim);
    }
  drain (shim);
}

static uint64_t
ns_until_timer (const struct shim *shim)
{
  dtls_time deadline = dtls_conn_deadline (shim->conn);
  uint64_t clock = shim->memory->clock_ns, ns;

  if (deadline == DTLS_NEVER || deadline > shim_now (shim) + NO_TIMER_SECONDS * DTLS_SECOND)
    return UINT64_MAX;

  ns = deadline * 1000 > clock ? deadline * 1000 - clock : 0;
  return ns < FUDGE_NS ? 0 : ns;
}

static void
on_advance (struct shim *shim, uint64_t ns)
{
  dtls_time deadline, time;

  /* The acknowledgement comes before all that the step brings. */
  (void) wire_write (shim, (const uint8_t *) "t", 1);
  shim->memory->clock_ns += ns;
  deadline = dtls_conn_deadline (shim->conn);
  time = shim_now (shim);
  if (ns_until_timer (shim) == 0 && deadline > time)
    time = deadline;
  dtls_conn_tick (shim->conn, time);
  drain (shim);
}

static void
on_expect_timer (struct shim *shim, uint64_t ns)
{
  uint64_t is = ns_until_timer (shim);
  bool is_equal = ns == UINT64_MAX || is == UINT64_MAX ? ns == is : ns / 1000 == is / 1000;

  if (!is_equal)
    {
      fprintf (stderr, "the timer has %" PRIu64 " ns, not %" PRIu64 "\n", is, ns);
      shim_complain (shim, "a timer is wrong");
    }
}

/* A big-endian number. False at the end of the stream. */
static bool
read_number (struct shim *shim, size_t len, uint64_t *out)
{
  uint8_t memory[8];

  if (!wire_read (shim, memory, len))
    return false;

  *out = 0;
  for (size_t i = 0; i < len; i++)
    *out = *out << 8 | memory[i];
  return true;
}

/* False at the end of the stream. */
static bool
take_datagram (struct shim *shim, uint64_t len)
{
  if (len > sizeof frame)
    {
      shim_complain (shim, "a frame is too long");
      return false;
    }
  if (!wire_read (shim, frame, len))
    return false;

  on_datagram (shim, len);
  return true;
}

/* False at the end of the stream. */
static bool
take_frame (struct shim *shim)
{
  uint8_t kind;
  uint64_t number;

  if (!wire_read (shim, &kind, 1)
      || !read_number (shim, kind == 'T' || kind == 'E' ? 8 : 4, &number))
    return false;

  switch (kind)
    {
    case 'P':
      return take_datagram (shim, number);
    case 'T':
      on_advance (shim, number);
      return true;
    case 'E':
      on_expect_timer (shim, number);
      return true;
    case 'M':
      dtls_conn_set_mtu (shim->conn, number);
      return true;
    case 'U':
      dtls_conn_set_retransmit_initial (shim->conn, number * DTLS_MILLISECOND);
      return true;
    default:
      shim_complain (shim, "a frame of an unknown kind");
      return false;
    }
}

/* --------------------------------------------------------------------------------- a connection */

static enum dtls_error
new_connection (struct shim *shim)
{
  const struct options *o = shim->options;
  struct dtls_crypto *crypto = shim->memory->crypto;

  return o->is_server
             ? dtls_conn_new_server (&shim->config, crypto, shim_now (shim), NULL, &shim->conn)
             : dtls_conn_new_client (&shim->config, crypto, shim_now (shim), &shim->conn);
}

static void
converse (struct shim *shim)
{
  drain (shim);
  while (!shim->is_over && take_frame (shim))
    ;

  drain_datagrams (shim);
  checks_at_the_end (shim);
}

static void
run_connection (struct shim *shim)
{
  enum dtls_error error;

  if (!wire_connect (shim))
    {
      shim_complain (shim, "the runner cannot be reached");
      return;
    }
  if (shim->index > 0 && !shim->options->is_server && shim->memory->session_len == 0)
    shim_complain (shim, "there is no session to offer");

  error = new_connection (shim);
  if (error == DTLS_OK)
    {
      converse (shim);
    }
  else
    {
      errors_tell_refusal (error);
      shim->has_failed = true;
    }

  wire_hang_up (shim);
  dtls_conn_free (shim->conn);
}

/* Returns how many connections the process is to make in all. */
static size_t
run (struct memory *memory, int argc, char **argv, unsigned index, bool *has_failed)
{
  struct options options;
  struct shim shim = { .options = &options, .memory = memory, .index = index };

  options_parse (&options, argc, argv, index);
  if (options.has_no_12 && options.has_no_13)
    {
      shim_complain (&shim, ":NO_SUPPORTED_VERSIONS_ENABLED:");
    }
  else
    {
      setup_begin (&shim);
      run_connection (&shim);
      setup_end (&shim);
    }
  options_clear (&options);
  *has_failed = shim.has_failed;
  return 1 + options.resume_count;
}

int
main (int argc, char **argv)
{
  static const int crashes[] = { SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL };
  static struct memory memory = { .clock_ns = UINT64_C (1234000000000) };
  bool has_failed = false;

  for (size_t i = 0; i < sizeof crashes / sizeof crashes[0]; i++)
    signal (crashes[i], die_of_signal);
  signal (SIGPIPE, SIG_IGN);

  memory.crypto = dtls_crypto_new ();
  memory.cache = dtls_session_cache_new (16, 1 << 20);
  if (memory.crypto == NULL || memory.cache == NULL
      || !dtls_crypto_random (memory.crypto, (uint8_t *) &memory.ticket_key,
                              sizeof memory.ticket_key))
    abort ();

  for (unsigned i = 0; !has_failed && run (&memory, argc, argv, i, &has_failed) > i + 1; i++)
    ;

  dtls_session_cache_free (memory.cache);
  dtls_crypto_free (memory.crypto);
  return has_failed ? 1 : 0;
}
