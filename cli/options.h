/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The command lines of moat(1), read and checked. */

#pragma once

#include "cli/report.h"

#include <gio/gio.h>

struct options
{
  bool serves;   /* which of the two commands it is */
  char *address; /* connect: HOST:PORT; serve: [ADDR:]PORT */

  char *ca;          /* (nullable): the system's CAs then */
  char *cert;        /* (nullable) */
  char *key;         /* (nullable): in the same file as the certificate then */
  char *keylog;      /* (nullable) */
  char *servername;  /* (nullable) connect: the host's name then */
  char **alpn;       /* (nullable) by preference */
  gboolean insecure; /* take a peer whose certificate is not trusted */
  int mtu;           /* 0: the library's choice */
  double timeout;    /* seconds for a handshake; 0: no limit */
  char *min_version; /* (nullable), like the rest of these: the library's choice then */
  char *max_version;
  char *suites;       /* names, with commas between them */
  char *groups;       /* the same */
  char *psk_identity; /* with psk_file or not at all */
  char *psk_file;
  gboolean key_update; /* new keys before each message */
  gboolean only_ipv4;
  gboolean only_ipv6;

  char *session_file; /* (nullable) connect */

  GTlsAuthenticationMode client_auth; /* serve, as the next ones */
  char *ticket_secret;                /* (nullable): a file */
  gboolean no_cookie;
  gboolean once; /* end with the first peer */
  gboolean echo;
};

/* Reads what follows the command's name in argv[0]. A command line that is not understood is reported
 * and gives STATUS_USAGE; --help and --version end the program. */
enum status options_parse_connect (struct options *options, int argc, char **argv);
enum status options_parse_serve (struct options *options, int argc, char **argv);

void options_clear (struct options *options);
