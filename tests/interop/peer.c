/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The part of an interop peer that is the same for every TLS library: the command line, the socket
 * and the conversation of peer.h. Prints `READY PORT`, `CONNECTED VERSION SUITE GROUP ALPN KIND`,
 * and what comes back as `GOT LINE`. Exit status: 0 well, 1 not, 2 wrong usage.
 */

#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum
{
  /* Application data is not sent again by DTLS: a client repeats its message until it is echoed. */
  REPEAT_MS = 300,
  MAX_TIMEOUT_S = 3600,
};

struct run
{
  const struct options *options;
  struct context *context;
  struct session *session; /* the connection that there is now, and its socket */
  int fd;
  int next_fd; /* a server's, for the next client; or -1 */
  int port;    /* the server's, once it has one */
  long deadline;
};

long
now_ms (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

enum outcome
complain (const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  vfprintf (stderr, format, arguments);
  va_end (arguments);
  fputc ('\n', stderr);

  return FAILED;
}

/* --- command line --- */

static bool
parse_number (const char *text, int max, int *out_number)
{
  char *end;
  long number;

  errno = 0;
  number = strtol (text, &end, 10);
  *out_number = (int) number;
  return errno == 0 && end != text && *end == '\0' && number >= 0 && number <= max;
}

static bool
parse_version (const char *text, enum version *out_version)
{
  *out_version = strcmp (text, "1.3") == 0 ? DTLS_1_3 : DTLS_1_2;
  return *out_version == DTLS_1_3 || strcmp (text, "1.2") == 0;
}

/* A line of hexadecimal digits. */
static bool
read_psk (struct options *options, const char *path)
{
  FILE *file = fopen (path, "r");
  unsigned byte;

  if (!file)
    return false;
  while (options->psk_len < MAX_PSK && fscanf (file, "%2x", &byte) == 1)
    options->psk[options->psk_len++] = (uint8_t) byte;
  fclose (file);

  return options->psk_len > 0;
}

bool
next_name (const char **list, char *name, size_t capacity)
{
  size_t len = *list ? strcspn (*list, ",") : 0;

  if (len == 0 || len >= capacity)
    return false;

  memcpy (name, *list, len);
  name[len] = '\0';
  *list += (*list)[len] == ',' ? len + 1 : len;
  return true;
}

static bool
add_message (struct options *options, const char *message)
{
  if (options->n_messages == MAX_MESSAGES || strlen (message) >= MAX_DATAGRAM)
    return false;

  options->messages[options->n_messages++] = message;
  return true;
}

/* One per line of `known` below. */
static bool
set_option (struct options *options, int name)
{
  switch (name)
    {
    case 'p':
      return parse_number (optarg, UINT16_MAX, &options->port);
    case 'c':
      options->ca = optarg;
      return true;
    case 'e':
      options->cert = optarg;
      return true;
    case 'k':
      options->key = optarg;
      return true;
    case 'a':
      options->wants_client_certificate = true;
      return true;
    case 'u':
      return parse_number (optarg, MAX_DATAGRAM, &options->mtu);
    case 's':
      options->suite = optarg;
      return true;
    case 'g':
      options->groups = optarg;
      return true;
    case 'l':
      options->alpn = optarg;
      return true;
    case 'i':
      options->identity = optarg;
      return true;
    case 'f':
      return read_psk (options, optarg);
    case 'v':
      return parse_version (optarg, &options->min_version);
    case 'V':
      return parse_version (optarg, &options->max_version);
    case 'o':
      options->without_cookie = true;
      return true;
    case 'r':
      options->resumes = true;
      return true;
    case 'y':
      options->updates_keys = true;
      return true;
    case 'n':
      options->without_extended_master_secret = true;
      return true;
    case 'h':
      options->servername = optarg;
      return true;
    case 'm':
      return add_message (options, optarg);
    case 't':
      return parse_number (optarg, MAX_TIMEOUT_S, &options->timeout_s);
    default:
      return false;
    }
}

static bool
parse_options (struct options *options, int argc, char **argv)
{
  /* clang-format off */
  static const struct option known[] = {
    { "port", required_argument, NULL, 'p' },
    { "ca", required_argument, NULL, 'c' },
    { "cert", required_argument, NULL, 'e' },
    { "key", required_argument, NULL, 'k' },
    { "client-auth", no_argument, NULL, 'a' },
    { "mtu", required_argument, NULL, 'u' },
    { "suite", required_argument, NULL, 's' },
    { "groups", required_argument, NULL, 'g' },
    { "alpn", required_argument, NULL, 'l' },
    { "psk-identity", required_argument, NULL, 'i' },
    { "psk-file", required_argument, NULL, 'f' },
    { "min-version", required_argument, NULL, 'v' },
    { "max-version", required_argument, NULL, 'V' },
    { "no-cookie", no_argument, NULL, 'o' },
    { "resume", no_argument, NULL, 'r' },
    { "key-update", no_argument, NULL, 'y' },
    { "no-ems", no_argument, NULL, 'n' },
    { "servername", required_argument, NULL, 'h' },
    { "message", required_argument, NULL, 'm' },
    { "timeout", required_argument, NULL, 't' },
    { NULL, 0, NULL, 0 },
  };
  /* clang-format on */
  int name;

  while ((name = getopt_long (argc, argv, "", known, NULL)) != -1)
    if (!set_option (options, name))
      return false;

  if (optind + 1 != argc || (options->psk_len > 0) != (options->identity != NULL))
    return false;
  options->is_server = strcmp (argv[optind], "server") == 0;
  return options->is_server || strcmp (argv[optind], "client") == 0;
}

/* --- socket --- */

/* Waits for the socket, at most wait_ms (-1: for ever) and never beyond the run's deadline. DONE:
 * something to read; AGAIN: wait_ms are over. */
static enum outcome
wait_for_socket (const struct run *run, int wait_ms)
{
  struct pollfd poll_fd = { .fd = run->fd, .events = POLLIN };
  long left = run->deadline - now_ms ();
  int n_ready;

  if (left <= 0)
    return complain ("timed out");

  n_ready = poll (&poll_fd, 1, wait_ms >= 0 && wait_ms < left ? wait_ms : (int) left);
  if (n_ready < 0 && errno != EINTR)
    return complain ("poll: %s", strerror (errno));

  return n_ready > 0 ? DONE : AGAIN;
}

/* RFC 6347 §4.1: the header of a plaintext handshake record, as a first hello has it. What an
 * earlier connection still gets has another type or epoch. */
static bool
is_hello (const uint8_t *header, ssize_t len)
{
  enum
  {
    RECORD_HEADER = 13,
    HANDSHAKE = 22
  };

  return len == RECORD_HEADER && header[0] == HANDSHAKE && header[3] == 0 && header[4] == 0;
}

/* A server serves whoever says hello first; the datagram itself is left for the session to read. */
static enum outcome
connect_to_first (const struct run *run)
{
  struct sockaddr_in peer;
  socklen_t peer_len = sizeof peer;
  uint8_t header[13];
  ssize_t len;

  for (;;)
    {
      enum outcome outcome = wait_for_socket (run, -1);

      if (outcome == FAILED)
        return FAILED;
      len =
          recvfrom (run->fd, header, sizeof header, MSG_PEEK, (struct sockaddr *) &peer, &peer_len);
      if (len < 0 && errno != EAGAIN)
        return complain ("recvfrom: %s", strerror (errno));
      if (is_hello (header, len))
        break;
      recv (run->fd, header, sizeof header, 0);
    }

  if (connect (run->fd, (struct sockaddr *) &peer, peer_len) < 0)
    return complain ("connect: %s", strerror (errno));
  return DONE;
}

static int
new_socket (void)
{
  int fd = socket (AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

  if (fd < 0)
    complain ("socket: %s", strerror (errno));
  return fd;
}

static struct sockaddr_in
address_of (const struct run *run)
{
  struct sockaddr_in address = { .sin_family = AF_INET };

  address.sin_port = htons ((uint16_t) run->port);
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  return address;
}

static enum outcome
open_client_socket (struct run *run)
{
  struct sockaddr_in address = address_of (run);

  run->fd = new_socket ();
  if (run->fd < 0)
    return FAILED;
  if (connect (run->fd, (struct sockaddr *) &address, sizeof address) < 0)
    return complain ("connect: %s", strerror (errno));

  return DONE;
}

/* Several at one port: what comes from a peer goes to the socket that is connected to it, if there
 * is one. */
static enum outcome
bind_next (struct run *run)
{
  struct sockaddr_in address = address_of (run);
  socklen_t address_len = sizeof address;
  const int yes = 1;

  run->next_fd = new_socket ();
  if (run->next_fd < 0)
    return FAILED;
  if (setsockopt (run->next_fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes) < 0
      || bind (run->next_fd, (struct sockaddr *) &address, address_len) < 0
      || getsockname (run->next_fd, (struct sockaddr *) &address, &address_len) < 0)
    return complain ("bind: %s", strerror (errno));

  run->port = ntohs (address.sin_port);
  return DONE;
}

/* A client of a session to be resumed comes back as soon as it has closed; the socket that it finds
 * then is there before. */
static enum outcome
open_server_socket (struct run *run)
{
  if (run->next_fd < 0)
    {
      if (bind_next (run) != DONE)
        return FAILED;
      printf ("READY %d\n", run->port);
    }

  run->fd = run->next_fd;
  run->next_fd = -1;
  if (connect_to_first (run) != DONE)
    return FAILED;

  return run->options->resumes ? bind_next (run) : DONE;
}

/* --- conversation --- */

/* Waits until the session should be called again, or until max_wait_ms (-1: no such limit) are
 * over. */
static enum outcome
wait_for_session (const struct run *run, int max_wait_ms)
{
  int wait_ms = session_wait_ms (run->session);
  bool is_cut = max_wait_ms >= 0 && (wait_ms < 0 || max_wait_ms < wait_ms);
  enum outcome outcome = wait_for_socket (run, is_cut ? max_wait_ms : wait_ms);

  return outcome == AGAIN && !is_cut ? session_expired (run->session) : outcome;
}

static enum outcome
shake_hands (const struct run *run)
{
  const struct session *session = run->session;
  enum outcome outcome;

  while ((outcome = session_handshake (run->session)) == AGAIN)
    if (wait_for_session (run, -1) == FAILED)
      return FAILED;

  if (outcome == DONE)
    printf ("CONNECTED %s %s %s %s %s\n", session_version (session), session_suite (session),
            session_group (session), session_alpn (session), session_kind (session));
  return outcome == CLOSED ? complain ("closed during the handshake") : outcome;
}

static enum outcome
write_message (const struct run *run, const char *data, size_t len)
{
  if (run->options->updates_keys && session_update_keys (run->session) != DONE)
    return FAILED;

  return session_write (run->session, data, len);
}

static enum outcome
echo_until_closed (const struct run *run)
{
  static char buffer[MAX_DATAGRAM];
  enum outcome outcome;
  size_t len;

  for (;;)
    {
      outcome = session_read (run->session, buffer, sizeof buffer, &len);
      if (outcome == DONE)
        outcome = write_message (run, buffer, len);
      if (outcome == AGAIN)
        outcome = wait_for_session (run, -1);
      if (outcome == CLOSED || outcome == FAILED)
        return outcome == CLOSED ? DONE : FAILED;
    }
}

/* Reads until the message is there (DONE) or nothing more is (AGAIN). An echo may come twice, if
 * the first was only slow; then what is read is the message before, and is passed over. */
static enum outcome
read_echo (const struct run *run, const char *message)
{
  static char buffer[MAX_DATAGRAM];
  enum outcome outcome;
  size_t len;

  while ((outcome = session_read (run->session, buffer, sizeof buffer, &len)) == DONE)
    if (len >= strlen (message) && memcmp (buffer, message, strlen (message)) == 0)
      return DONE;

  return outcome == CLOSED ? complain ("closed before the echo") : outcome;
}

static enum outcome
send_until_echoed (const struct run *run, const char *message)
{
  static char line[MAX_DATAGRAM + 1];
  int len = snprintf (line, sizeof line, "%s\n", message);
  enum outcome outcome = AGAIN;

  while (outcome == AGAIN)
    {
      long repeat_at = now_ms () + REPEAT_MS;
      long left;

      if (write_message (run, line, (size_t) len) != DONE)
        return FAILED;
      while ((outcome = read_echo (run, message)) == AGAIN && (left = repeat_at - now_ms ()) > 0)
        if (wait_for_session (run, (int) left) == FAILED)
          return FAILED;
    }

  if (outcome == DONE)
    printf ("GOT %s\n", message);
  return outcome;
}

/* New keys are taken when the other side has acknowledged it, which has some time for that. */
static enum outcome
linger (const struct run *run)
{
  static char buffer[MAX_DATAGRAM];
  const long end = now_ms () + REPEAT_MS;
  enum outcome outcome = AGAIN;
  size_t len;
  long left;

  while ((outcome == DONE || outcome == AGAIN) && (left = end - now_ms ()) > 0)
    {
      outcome = session_read (run->session, buffer, sizeof buffer, &len);
      if (outcome == AGAIN)
        outcome = wait_for_session (run, (int) left);
    }

  return outcome == FAILED ? FAILED : DONE;
}

static enum outcome
converse (const struct run *run)
{
  const struct options *options = run->options;

  if (options->is_server)
    return echo_until_closed (run);

  for (size_t i = 0; i < options->n_messages; i++)
    if (send_until_echoed (run, options->messages[i]) != DONE
        || (options->updates_keys && linger (run) != DONE))
      return FAILED;

  return DONE;
}

static void
close_socket (int *fd)
{
  if (*fd >= 0)
    close (*fd);
  *fd = -1;
}

static void
end_connection (struct run *run)
{
  session_free (run->session);
  run->session = NULL;
  close_socket (&run->fd);
}

static enum outcome
run_connection (struct run *run)
{
  bool is_server = run->options->is_server;
  enum outcome outcome = is_server ? open_server_socket (run) : open_client_socket (run);

  if (outcome != DONE)
    return FAILED;
  run->session = session_new (run->context, run->fd);
  if (!run->session)
    return FAILED;

  outcome = shake_hands (run);
  if (outcome == DONE)
    outcome = converse (run);
  if (outcome == DONE)
    session_close (run->session);

  return outcome;
}

static enum outcome
run_all (struct run *run)
{
  int n_connections = run->options->resumes ? 2 : 1;
  enum outcome outcome = DONE;

  run->context = context_new (run->options);
  if (!run->context)
    return FAILED;

  for (int i = 0; i < n_connections && outcome == DONE; i++)
    {
      outcome = run_connection (run);
      end_connection (run);
    }

  close_socket (&run->next_fd);
  context_free (run->context);
  return outcome;
}

int
main (int argc, char **argv)
{
  struct options options = { .timeout_s = 30, .servername = "localhost", .max_version = DTLS_1_3 };
  struct run run = { .options = &options, .fd = -1, .next_fd = -1 };

  setvbuf (stdout, NULL, _IOLBF, 0);

  if (!parse_options (&options, argc, argv))
    {
      complain ("usage: %s client|server --port PORT [--ca FILE] [--cert FILE --key FILE]\n"
                "  [--client-auth] [--psk-identity ID --psk-file FILE] [--servername NAME]\n"
                "  [--min-version 1.2|1.3] [--max-version 1.2|1.3] [--suite AEAD]\n"
                "  [--groups NAME[,NAME]...] [--alpn NAME] [--no-ems] [--no-cookie] [--resume]\n"
                "  [--key-update] [--mtu BYTES] [--message LINE]... [--timeout SECONDS]",
                argv[0]);
      return 2;
    }

  run.port = options.port;
  run.deadline = now_ms () + options.timeout_s * 1000L;
  return run_all (&run) == DONE ? 0 : 1;
}
