/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The part of an interop peer that is the same for every TLS library: the command line, the socket
 * and the conversation of peer.h. Prints `READY PORT`, `CONNECTED VERSION SUITE GROUP`, and
 * what comes back as `GOT LINE`. Exit status: 0 well, 1 not, 2 wrong usage.
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
  struct session *session;
  int fd;
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
      options->group = optarg;
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
    { "group", required_argument, NULL, 'g' },
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

  if (optind + 1 != argc)
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

/* A server serves whoever speaks first; the datagram itself is left for the session to read. */
static enum outcome
connect_to_first (const struct run *run)
{
  struct sockaddr_in peer;
  socklen_t peer_len = sizeof peer;
  enum outcome outcome;
  char byte;

  do
    outcome = wait_for_socket (run, -1);
  while (outcome == AGAIN);
  if (outcome != DONE)
    return outcome;

  if (recvfrom (run->fd, &byte, 1, MSG_PEEK, (struct sockaddr *) &peer, &peer_len) < 0)
    return complain ("recvfrom: %s", strerror (errno));
  if (connect (run->fd, (struct sockaddr *) &peer, peer_len) < 0)
    return complain ("connect: %s", strerror (errno));

  return DONE;
}

static enum outcome
open_socket (struct run *run)
{
  struct sockaddr_in address = { .sin_family = AF_INET };
  socklen_t address_len = sizeof address;

  address.sin_port = htons ((uint16_t) run->options->port);
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);

  run->fd = socket (AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (run->fd < 0)
    return complain ("socket: %s", strerror (errno));

  if (!run->options->is_server)
    {
      if (connect (run->fd, (struct sockaddr *) &address, address_len) < 0)
        return complain ("connect: %s", strerror (errno));
      return DONE;
    }

  if (bind (run->fd, (struct sockaddr *) &address, address_len) < 0
      || getsockname (run->fd, (struct sockaddr *) &address, &address_len) < 0)
    return complain ("bind: %s", strerror (errno));
  printf ("READY %d\n", ntohs (address.sin_port));

  return connect_to_first (run);
}

/* --- conversation --- */

/* Waits until the session should be called again. */
static enum outcome
wait_for_session (const struct run *run)
{
  enum outcome outcome = wait_for_socket (run, session_wait_ms (run->session));

  return outcome == AGAIN ? session_expired (run->session) : outcome;
}

static enum outcome
shake_hands (const struct run *run)
{
  enum outcome outcome;

  while ((outcome = session_handshake (run->session)) == AGAIN)
    if (wait_for_session (run) == FAILED)
      return FAILED;

  if (outcome == DONE)
    printf ("CONNECTED %s %s %s\n", session_version (run->session), session_suite (run->session),
            session_group (run->session));
  return outcome == CLOSED ? complain ("closed during the handshake") : outcome;
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
        outcome = session_write (run->session, buffer, len);
      if (outcome == AGAIN)
        outcome = wait_for_session (run);
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

      if (session_write (run->session, line, (size_t) len) != DONE)
        return FAILED;
      while ((outcome = read_echo (run, message)) == AGAIN && (left = repeat_at - now_ms ()) > 0)
        if (wait_for_socket (run, (int) left) == FAILED)
          return FAILED;
    }

  if (outcome == DONE)
    printf ("GOT %s\n", message);
  return outcome;
}

static enum outcome
converse (const struct run *run)
{
  if (run->options->is_server)
    return echo_until_closed (run);

  for (size_t i = 0; i < run->options->n_messages; i++)
    if (send_until_echoed (run, run->options->messages[i]) != DONE)
      return FAILED;

  return DONE;
}

static enum outcome
run_session (struct run *run)
{
  enum outcome outcome;

  if (open_socket (run) != DONE)
    return FAILED;
  run->session = session_new (run->options, run->fd);
  if (!run->session)
    return FAILED;

  outcome = shake_hands (run);
  if (outcome == DONE)
    outcome = converse (run);
  if (outcome == DONE)
    session_close (run->session);

  return outcome;
}

int
main (int argc, char **argv)
{
  struct options options = { .timeout_s = 30, .servername = "localhost" };
  struct run run = { .options = &options, .fd = -1 };
  enum outcome outcome;

  setvbuf (stdout, NULL, _IOLBF, 0);

  if (!parse_options (&options, argc, argv))
    {
      complain ("usage: %s client|server --port PORT [--ca FILE] [--cert FILE --key FILE]\n"
                "  [--client-auth] [--mtu BYTES] [--suite AEAD] [--group NAME] [--no-ems]\n"
                "  [--servername NAME] [--message LINE]... [--timeout SECONDS]",
                argv[0]);
      return 2;
    }

  run.deadline = now_ms () + options.timeout_s * 1000L;
  outcome = run_session (&run);

  session_free (run.session);
  if (run.fd >= 0)
    close (run.fd);
  return outcome == DONE ? 0 : 1;
}
