/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The command lines of moat(1): what both commands have in common, what one of them has alone, and the
 * checks that need no file and no network; see options.h. */

#include "cli/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum
{
  /* What the mtu property takes (moat/moat-connection.h). */
  MIN_MTU = 256,
  MAX_MTU = 65507,
  /* RFC 7301 §3.1: a protocol's name is 1 to 255 bytes. */
  MAX_PROTOCOL_NAME = 255,
  MAX_TIMEOUT_S = 86400,
  /* A person at a terminal waits about that long for a server that may not be there; a server has the
   * minute that the library gives by itself. */
  CONNECT_TIMEOUT_S = 10,
  SERVE_TIMEOUT_S = 60,
};

/* What GOption fills in besides struct options. */
struct raw
{
  char *alpn;
  char *client_auth;
  gboolean verbose;
  gboolean quiet;
  char **rest;
};

static gboolean
print_version (const char *name G_GNUC_UNUSED, const char *value G_GNUC_UNUSED,
               gpointer data G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
  puts ("moat " MOAT_VERSION);
  exit (STATUS_OK);
}

static void
add_common_entries (GOptionContext *context, struct options *o, struct raw *raw)
{
  /* clang-format off */
  const GOptionEntry entries[] = {
    { "ca", 0, 0, G_OPTION_ARG_FILENAME, &o->ca, "Trust the CA certificates in FILE and no others", "FILE" },
    { "cert", 0, 0, G_OPTION_ARG_FILENAME, &o->cert, "Show the certificate in FILE, its issuers after it", "FILE" },
    { "key", 0, 0, G_OPTION_ARG_FILENAME, &o->key, "Its private key, if that is not in the same file", "FILE" },
    { "insecure", 'k', 0, G_OPTION_ARG_NONE, &o->insecure, "Go on with a peer that is not trusted", NULL },
    { "alpn", 0, 0, G_OPTION_ARG_STRING, &raw->alpn, "Application protocols, preferred ones first", "P[,P…]" },
    { "mtu", 0, 0, G_OPTION_ARG_INT, &o->mtu, "Send no datagram longer than N bytes (256 to 65507)", "N" },
    { "timeout", 0, 0, G_OPTION_ARG_DOUBLE, &o->timeout, "Give a handshake that long; 0: no limit", "SEC" },
    { "min-version", 0, 0, G_OPTION_ARG_STRING, &o->min_version, "The oldest DTLS version to use: 1.2 or 1.3", "VERSION" },
    { "max-version", 0, 0, G_OPTION_ARG_STRING, &o->max_version, "The newest DTLS version to use: 1.2 or 1.3", "VERSION" },
    { "suites", 0, 0, G_OPTION_ARG_STRING, &o->suites, "Cipher suites, preferred ones first", "S[,S…]" },
    { "groups", 0, 0, G_OPTION_ARG_STRING, &o->groups, "Key exchange groups, preferred ones first", "G[,G…]" },
    { "psk-identity", 0, 0, G_OPTION_ARG_STRING, &o->psk_identity, "The name of the pre-shared key in --psk-file", "ID" },
    { "psk-file", 0, 0, G_OPTION_ARG_FILENAME, &o->psk_file, "Use the pre-shared key in FILE, in hexadecimal digits", "FILE" },
    { "key-update", 0, 0, G_OPTION_ARG_NONE, &o->key_update, "Change the keys of both sides before each message", NULL },
    { "keylog", 0, 0, G_OPTION_ARG_FILENAME, &o->keylog, "Add the secrets of each connection to FILE", "FILE" },
    { "ipv4", '4', 0, G_OPTION_ARG_NONE, &o->only_ipv4, "Use IPv4 only", NULL },
    { "ipv6", '6', 0, G_OPTION_ARG_NONE, &o->only_ipv6, "Use IPv6 only", NULL },
    { "verbose", 'v', 0, G_OPTION_ARG_NONE, &raw->verbose, "Say more", NULL },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &raw->quiet, "Say only what went wrong", NULL },
    { "version", 0, G_OPTION_FLAG_NO_ARG, G_OPTION_ARG_CALLBACK, print_version, "Print the version and end", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &raw->rest, NULL, NULL },
    G_OPTION_ENTRY_NULL
  };
  /* clang-format on */

  g_option_context_add_main_entries (context, entries, NULL);
}

static void
add_connect_entries (GOptionContext *context, struct options *o)
{
  /* clang-format off */
  const GOptionEntry entries[] = {
    { "servername", 0, 0, G_OPTION_ARG_STRING, &o->servername, "Ask for NAME, and check that the certificate names it", "NAME" },
    { "session-file", 0, 0, G_OPTION_ARG_FILENAME, &o->session_file, "Go on from the session in FILE, and keep the next one there", "FILE" },
    G_OPTION_ENTRY_NULL
  };
  /* clang-format on */

  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_set_summary (
      context, "Opens a DTLS connection. Each line of standard input goes out as one datagram;\n"
               "each datagram that comes is printed on standard output.");
}

static void
add_serve_entries (GOptionContext *context, struct options *o, struct raw *raw)
{
  /* clang-format off */
  const GOptionEntry entries[] = {
    { "echo", 0, 0, G_OPTION_ARG_NONE, &o->echo, "Send every datagram back instead of printing it", NULL },
    { "client-auth", 0, 0, G_OPTION_ARG_STRING, &raw->client_auth, "Ask clients for a certificate: none, request or require", "MODE" },
    { "no-cookie", 0, 0, G_OPTION_ARG_NONE, &o->no_cookie, "Do not make clients prove their address", NULL },
    { "ticket-secret", 0, 0, G_OPTION_ARG_FILENAME, &o->ticket_secret, "Make tickets with the secret in FILE, 64 hexadecimal digits or more", "FILE" },
    { "once", 0, 0, G_OPTION_ARG_NONE, &o->once, "End when the first peer is done", NULL },
    G_OPTION_ENTRY_NULL
  };
  /* clang-format on */

  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_set_summary (
      context, "Waits for a DTLS client, one at a time. Each datagram that comes is printed on\n"
               "standard output; each line of standard input goes to the client as one datagram.");
}

/* --- checks --- */

static bool
check_alpn (struct options *options, const struct raw *raw, GError **error)
{
  if (raw->alpn == NULL)
    return true;

  options->alpn = g_strsplit (raw->alpn, ",", -1);
  for (char **name = options->alpn; *name != NULL; name++)
    if (**name == '\0' || strlen (*name) > MAX_PROTOCOL_NAME)
      {
        g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                     "“%s” in --alpn is not a protocol's name of 1 to 255 bytes", *name);
        return false;
      }

  return true;
}

static bool
check_client_auth (struct options *options, const struct raw *raw, GError **error)
{
  static const struct
  {
    const char *name;
    GTlsAuthenticationMode mode;
  } modes[] = {
    { "none", G_TLS_AUTHENTICATION_NONE },
    { "request", G_TLS_AUTHENTICATION_REQUESTED },
    { "require", G_TLS_AUTHENTICATION_REQUIRED },
  };

  if (raw->client_auth == NULL)
    return true;

  for (size_t i = 0; i < G_N_ELEMENTS (modes); i++)
    if (strcmp (raw->client_auth, modes[i].name) == 0)
      {
        options->client_auth = modes[i].mode;
        return true;
      }

  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
               "--client-auth is none, request or require, not “%s”", raw->client_auth);
  return false;
}

static bool
is_empty (const char *text)
{
  return text != NULL && *text == '\0';
}

/* What must not be, and how to say so; the first that holds is reported. */
static const char *
find_contradiction (const struct options *o, const struct raw *raw)
{
  if (raw->rest == NULL || raw->rest[0] == NULL)
    return "an address is missing";
  if (raw->rest[1] != NULL)
    return "more than one address";
  if (o->only_ipv4 && o->only_ipv6)
    return "-4 and -6 exclude each other";
  if (raw->verbose && raw->quiet)
    return "-v and -q exclude each other";
  if (o->key != NULL && o->cert == NULL)
    return "--key needs --cert";
  if ((o->psk_identity != NULL) != (o->psk_file != NULL))
    return "--psk-identity and --psk-file need each other";
  if (o->serves && o->cert == NULL && o->psk_file == NULL)
    return "a server needs --cert or --psk-file";
  if (is_empty (raw->alpn) || is_empty (o->suites) || is_empty (o->groups))
    return "a list that is given names something";
  if (o->mtu != 0 && (o->mtu < MIN_MTU || o->mtu > MAX_MTU))
    return "--mtu is 256 to 65507 bytes";
  /* Written so that a NaN fails too. */
  if (!(o->timeout >= 0 && o->timeout <= MAX_TIMEOUT_S))
    return "--timeout is 0 to 86400 seconds";

  return NULL;
}

static bool
parse (GOptionContext *context, struct options *options, struct raw *raw, int argc, char **argv,
       GError **error)
{
  const char *contradiction;

  add_common_entries (context, options, raw);
  if (!g_option_context_parse (context, &argc, &argv, error))
    return false;

  contradiction = find_contradiction (options, raw);
  if (contradiction != NULL)
    {
      g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, contradiction);
      return false;
    }

  options->address = g_strdup (raw->rest[0]);
  if (raw->verbose || raw->quiet)
    report_set_verbosity (raw->verbose ? VERBOSE : QUIET);

  return check_alpn (options, raw, error) && check_client_auth (options, raw, error);
}

static enum status
finish (struct raw *raw, GError *error)
{
  g_free (raw->alpn);
  g_free (raw->client_auth);
  g_strfreev (raw->rest);

  if (error == NULL)
    return STATUS_OK;

  report_error ("%s; see “%s --help”", error->message, g_get_prgname ());
  g_error_free (error);
  return STATUS_USAGE;
}

enum status
options_parse_connect (struct options *options, int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new ("HOST:PORT");
  struct raw raw = { 0 };
  GError *error = NULL;

  options->timeout = CONNECT_TIMEOUT_S;
  add_connect_entries (context, options);
  parse (context, options, &raw, argc, argv, &error);

  return finish (&raw, error);
}

enum status
options_parse_serve (struct options *options, int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new ("[ADDR:]PORT");
  struct raw raw = { 0 };
  GError *error = NULL;

  options->serves = true;
  options->timeout = SERVE_TIMEOUT_S;
  add_serve_entries (context, options, &raw);
  parse (context, options, &raw, argc, argv, &error);

  return finish (&raw, error);
}

void
options_clear (struct options *options)
{
  g_free (options->address);
  g_free (options->ca);
  g_free (options->cert);
  g_free (options->key);
  g_free (options->keylog);
  g_free (options->servername);
  g_free (options->min_version);
  g_free (options->max_version);
  g_free (options->suites);
  g_free (options->groups);
  g_free (options->psk_identity);
  g_free (options->psk_file);
  g_free (options->session_file);
  g_free (options->ticket_secret);
  g_strfreev (options->alpn);
}
