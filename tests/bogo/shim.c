/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Our end of BoringSSL's conformance runner: one process per test, on the engine's face alone. See
 * README.md here for what it understands. What it does:
 *
 *   1. options: any that it does not know ends it with 89, "unimplemented"
 *   2. per connection: TCP to the runner, the shim's id, then frames: datagrams, and steps of a
 * fake clock
 *   3. every datagram and step is answered in full before the next frame is read
 *   4. application data is echoed with its bits turned over
 *   5. errors are told by name on stderr, and by the exit status */

#include "options.h"

#include "dtls.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

enum
{
  MAX_FRAME = 1 << 17,
  /* The runner calls a little early, and means the timer all the same. */
  FUDGE_NS = 15000000,
  /* Longer than any retransmission: what the engine keeps for a while is no timer of the protocol.
   */
  NO_TIMER_SECONDS = 100,
};

struct shim
{
  const struct options *options;
  struct dtls_crypto *crypto;
  struct dtls_key *key;
  struct dtls_credential credential;
  struct dtls_config config;
  uint64_t clock_ns;

  int fd;
  struct dtls_conn *conn;
  bool is_over; /* nothing more to do on this connection */
  bool has_failed;
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

static void
complain (struct shim *shim, const char *what)
{
  fprintf (stderr, "%s\n", what);
  shim->has_failed = true;
  shim->is_over = true;
}

static void
tell_error (struct shim *shim)
{
  enum dtls_error error = dtls_conn_error (shim->conn);

  if (error == DTLS_ERROR_PEER_ALERT)
    {
      const char *name = dtls_alert_name ((uint8_t) dtls_conn_peer_alert (shim->conn));

      /* The runner's tokens are in capitals. */
      fprintf (stderr, ":TLSV1_ALERT_");
      for (; name != NULL && *name != '\0'; name++)
        fputc (*name >= 'a' && *name <= 'z' ? *name - 'a' + 'A' : *name, stderr);
      fprintf (stderr, ":\n");
    }
  fprintf (stderr, ":%s:\n", options_error_token (error));
  complain (shim, dtls_error_text (error));
}

/* --------------------------------------------------------------------------------------- frames */

static bool
write_all (struct shim *shim, const uint8_t *at, size_t len)
{
  while (len > 0)
    {
      ssize_t n = write (shim->fd, at, len);

      if (n <= 0)
        {
          /* The runner may hang up on us at any time. */
          shim->is_over = true;
          return false;
        }
      at += n;
      len -= (size_t) n;
    }

  return true;
}

/* False at the end of the stream. */
static bool
read_all (struct shim *shim, uint8_t *at, size_t len)
{
  while (len > 0)
    {
      ssize_t n = read (shim->fd, at, len);

      if (n <= 0)
        return false;
      at += n;
      len -= (size_t) n;
    }

  return true;
}

static uint64_t
big_endian (const uint8_t *at, size_t len)
{
  uint64_t value = 0;

  for (size_t i = 0; i < len; i++)
    value = value << 8 | at[i];

  return value;
}

static void
write_datagram (struct shim *shim, const uint8_t *at, size_t len)
{
  uint8_t head[5] = { 'P', (uint8_t) (len >> 24), (uint8_t) (len >> 16), (uint8_t) (len >> 8),
                      (uint8_t) len };

  if (write_all (shim, head, sizeof head))
    (void) write_all (shim, at, len);
}

/* ----------------------------------------------------------------------------------- the engine */

static dtls_time
now (const struct shim *shim)
{
  return shim->clock_ns / 1000;
}

static void
write_data (struct shim *shim, const uint8_t *at, size_t len)
{
  struct bytes part = { at, len };
  struct dtls_buffer out = { output, sizeof output, 0 };
  enum dtls_error error = dtls_conn_seal (shim->conn, &part, 1, &out);

  if (error == DTLS_OK)
    write_datagram (shim, output, out.used);
  else
    complain (shim, dtls_error_text (error));
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
    complain (shim, "exporting failed");
  free (material);
}

static void
check_expectations (struct shim *shim)
{
  const struct options *o = shim->options;
  struct bytes alpn = dtls_conn_alpn (shim->conn);
  struct bytes name = dtls_conn_server_name (shim->conn);

  if (o->expect_alpn != NULL
      && (strlen (o->expect_alpn) != alpn.left || memcmp (o->expect_alpn, alpn.at, alpn.left) != 0))
    complain (shim, "another ALPN protocol than expected");
  if (o->expect_server_name != NULL
      && (strlen (o->expect_server_name) != name.left
          || memcmp (o->expect_server_name, name.at, name.left) != 0))
    complain (shim, "another server name than expected");
  if (o->expects_no_peer_certificate && dtls_conn_n_peer_certificates (shim->conn) > 0)
    complain (shim, "a peer certificate came");
}

static void
connected (struct shim *shim)
{
  check_expectations (shim);
  if (shim->options->export_len > 0)
    export_material (shim);
  if (shim->options->shim_writes_first)
    write_data (shim, (const uint8_t *) "hello", 5);
}

static void
answer_verdict (struct shim *shim)
{
  const struct options *o = shim->options;
  /* handshake_failure or certificate_unknown, as the runner wants them. */
  struct dtls_verdict verdict = { !o->verify_fails, o->has_custom_verify ? 46 : 40 };

  dtls_conn_answer_verdict (shim->conn, now (shim), verdict);
}

static void
take_events (struct shim *shim)
{
  enum dtls_event event;

  while ((event = dtls_conn_next_event (shim->conn)) != DTLS_EVENT_NONE)
    switch (event)
      {
      case DTLS_EVENT_CREDENTIAL_NEEDED:
        dtls_conn_answer_credential (shim->conn, now (shim), NULL);
        break;
      case DTLS_EVENT_VERDICT_NEEDED:
        answer_verdict (shim);
        break;
      case DTLS_EVENT_CONNECTED:
        connected (shim);
        break;
      case DTLS_EVENT_PEER_CLOSED:
        shim->is_over = true;
        break;
      case DTLS_EVENT_FAILED:
        tell_error (shim);
        break;
      case DTLS_EVENT_SIGNATURE_NEEDED:
      case DTLS_EVENT_NONE:
        break;
      }
}

/* Outputs before events: what an event sends comes behind the handshake's own. */
static void
drain (struct shim *shim)
{
  struct dtls_buffer out = { output, sizeof output, 0 };

  for (int i = 0; i < 2; i++)
    {
      while (out.used = 0, dtls_conn_next_datagram (shim->conn, &out))
        write_datagram (shim, output, out.used);
      take_events (shim);
    }
  while (out.used = 0, dtls_conn_next_datagram (shim->conn, &out))
    write_datagram (shim, output, out.used);
}

/* ---------------------------------------------------------------------------- what a frame says */

static void
on_datagram (struct shim *shim, size_t len)
{
  struct dtls_datagram datagram = { .at = frame, .left = len };
  struct bytes data;

  while (dtls_conn_receive (shim->conn, now (shim), &datagram, &data) == DTLS_READ_DATA)
    {
      drain (shim);
      if (!shim->is_over)
        echo (shim, data);
    }
  drain (shim);
}

static uint64_t
ns_until_timer (const struct shim *shim)
{
  dtls_time deadline = dtls_conn_deadline (shim->conn);
  uint64_t ns;

  if (deadline == DTLS_NEVER || deadline > now (shim) + NO_TIMER_SECONDS * DTLS_SECOND)
    return UINT64_MAX;

  ns = deadline * 1000 > shim->clock_ns ? deadline * 1000 - shim->clock_ns : 0;
  return ns < FUDGE_NS ? 0 : ns;
}

static void
on_advance (struct shim *shim, uint64_t ns)
{
  /* The acknowledgement comes before all that the step brings. */
  (void) write_all (shim, (const uint8_t *) "t", 1);
  shim->clock_ns += ns;
  if (ns_until_timer (shim) == 0)
    dtls_conn_tick (shim->conn, dtls_conn_deadline (shim->conn) > now (shim)
                                    ? dtls_conn_deadline (shim->conn)
                                    : now (shim));
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
      complain (shim, "a timer is wrong");
    }
}

/* False at the end of the stream. */
static bool
take_frame (struct shim *shim)
{
  uint8_t head[9];
  uint64_t len;

  if (!read_all (shim, head, 1))
    return false;

  switch (head[0])
    {
    case 'P':
      if (!read_all (shim, head, 4))
        return false;
      len = big_endian (head, 4);
      if (len > sizeof frame || !read_all (shim, frame, len))
        return false;
      on_datagram (shim, len);
      return true;
    case 'T':
      if (!read_all (shim, head, 8))
        return false;
      on_advance (shim, big_endian (head, 8));
      return true;
    case 'E':
      if (!read_all (shim, head, 8))
        return false;
      on_expect_timer (shim, big_endian (head, 8));
      return true;
    case 'M':
      if (!read_all (shim, head, 4))
        return false;
      dtls_conn_set_mtu (shim->conn, big_endian (head, 4));
      return true;
    case 'U':
      if (!read_all (shim, head, 4))
        return false;
      dtls_conn_set_retransmit_initial (shim->conn, big_endian (head, 4) * DTLS_MILLISECOND);
      return true;
    default:
      complain (shim, "a frame of an unknown kind");
      return false;
    }
}

/* --------------------------------------------------------------------------------- a connection */

static int
connect_to_runner (const struct options *o)
{
  struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons (o->port) };
  struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons (o->port) };
  const struct sockaddr *address = o->is_ipv6 ? (struct sockaddr *) &v6 : (struct sockaddr *) &v4;
  int fd = socket (o->is_ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  uint8_t id[8];

  v4.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  v6.sin6_addr = in6addr_loopback;
  if (fd < 0 || connect (fd, address, o->is_ipv6 ? sizeof v6 : sizeof v4) != 0)
    return -1;

  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof (int));
  for (size_t i = 0; i < sizeof id; i++)
    id[i] = (uint8_t) (o->shim_id >> 8 * i);
  return write (fd, id, sizeof id) == sizeof id ? fd : -1;
}

/* The kernel would throw our last alert away if we closed with input unread. */
static void
hang_up (struct shim *shim)
{
  shutdown (shim->fd, SHUT_WR);
  while (read (shim->fd, frame, sizeof frame) > 0)
    ;
  close (shim->fd);
}

static void
run_connection (struct shim *shim)
{
  enum dtls_error error;

  shim->is_over = false;
  shim->fd = connect_to_runner (shim->options);
  if (shim->fd < 0)
    {
      complain (shim, "the runner cannot be reached");
      return;
    }

  error = shim->options->is_server
              ? dtls_conn_new_server (&shim->config, shim->crypto, now (shim), NULL, &shim->conn)
              : dtls_conn_new_client (&shim->config, shim->crypto, now (shim), &shim->conn);
  if (error != DTLS_OK)
    {
      fprintf (stderr, ":%s:\n", options_error_token (error));
      complain (shim, dtls_error_text (error));
      hang_up (shim);
      return;
    }

  drain (shim);
  while (!shim->is_over && take_frame (shim))
    if (shim->options->shim_shuts_down && dtls_conn_is_connected (shim->conn))
      break;

  hang_up (shim);
  dtls_conn_free (shim->conn);
  shim->conn = NULL;
}

static void
set_up (struct shim *shim)
{
  const struct options *o = shim->options;

  shim->crypto = dtls_crypto_new ();
  if (shim->crypto == NULL)
    abort ();

  dtls_config_init (&shim->config);
  shim->config.mtu = o->mtu > 0 ? o->mtu : 1472;
  shim->config.fallback_mtu = shim->config.mtu;
  shim->config.handshake_deadline = DTLS_NEVER;
  shim->config.paces_flights = false;
  if (o->retransmit_initial_ms > 0)
    shim->config.retransmit_initial = o->retransmit_initial_ms * DTLS_MILLISECOND;
  if (o->max_certificate_message > 0)
    shim->config.max_certificate_message = o->max_certificate_message;
  shim->config.client_auth = o->client_auth;
  shim->config.alpn = o->alpn;
  shim->config.server_name = o->server_name;

  if (o->n_chain > 0 && o->key.left > 0)
    {
      shim->credential = (struct dtls_credential){ o->chain, o->n_chain, NULL };
      if (dtls_key_new (shim->crypto, o->key, &shim->key) != DTLS_OK)
        abort ();
      shim->credential.key = shim->key;
      shim->config.credential = &shim->credential;
    }
}

int
main (int argc, char **argv)
{
  struct options options;
  struct shim shim = { .options = &options, .clock_ns = UINT64_C (1234000000000) };
  static const int crashes[] = { SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL };

  for (size_t i = 0; i < sizeof crashes / sizeof crashes[0]; i++)
    signal (crashes[i], die_of_signal);
  signal (SIGPIPE, SIG_IGN);

  options_parse (&options, argc, argv);
  set_up (&shim);
  for (unsigned i = 0; i <= options.resume_count && !shim.has_failed; i++)
    run_connection (&shim);

  dtls_key_free (shim.key);
  dtls_crypto_free (shim.crypto);
  options_clear (&options);
  return shim.has_failed ? 1 : 0;
}
