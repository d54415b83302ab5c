/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* moat(1): finds the subcommand and hands over to it. */

#include "cli/commands.h"

#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* clang-format off */
static const struct
{
  const char *name;
  enum status (*run) (int argc, char **argv);
  const char *caption;
} commands[] = {
  { "connect", connect_main, "open a connection, as a client" },
  { "serve",   serve_main,   "wait for clients, one at a time" },
};
/* clang-format on */

static void
print_usage (FILE *file)
{
  fputs ("Usage:\n  moat COMMAND [OPTION…] ADDRESS\n\nDTLS, datagrams that nobody else can read or "
         "forge, from the command line.\n\nCommands:\n",
         file);
  for (size_t i = 0; i < G_N_ELEMENTS (commands); i++)
    fprintf (file, "  %-10s %s\n", commands[i].name, commands[i].caption);
  fputs ("\nOptions:\n  --help     print this; after a command, what that one takes\n"
         "  --version  print the version\n",
         file);
}

static enum status
run_command (int argc, char **argv)
{
  for (size_t i = 0; i < G_N_ELEMENTS (commands); i++)
    if (strcmp (argv[0], commands[i].name) == 0)
      {
        /* GOption prints this as the program's name. */
        g_autofree char *name = g_strconcat ("moat ", argv[0], NULL);

        g_set_prgname (name);
        return commands[i].run (argc, argv);
      }

  report_error ("“%s” is no command; see “moat --help”", argv[0]);
  return STATUS_USAGE;
}

/* A standard descriptor that is closed would become a socket's, and what is printed would go out on
 * the network, in the clear. */
static bool
fill_standard_descriptors (void)
{
  int fd;

  do
    fd = open ("/dev/null", O_RDWR);
  while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd >= 0)
    close (fd);

  return fd >= 0;
}

int
main (int argc, char **argv)
{
  if (!fill_standard_descriptors ())
    return STATUS_RUNTIME;

  setlocale (LC_ALL, "");

  if (argc < 2)
    {
      print_usage (stderr);
      return STATUS_USAGE;
    }

  if (strcmp (argv[1], "--help") == 0 || strcmp (argv[1], "-h") == 0)
    print_usage (stdout);
  else if (strcmp (argv[1], "--version") == 0)
    puts ("moat " MOAT_VERSION);
  else
    return run_command (argc - 1, argv + 1);

  return STATUS_OK;
}
