/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Runs a fuzz target without a fuzzer: on each file given, and on each file in each folder
 * given. */

#include "fuzz.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

enum
{
  MAX_INPUT_LEN = 1 << 20,
};

/* The input is copied to an allocation of just its size: the address sanitiser sees a read
 * beyond it. */
static bool
run_file (const char *path)
{
  static uint8_t buffer[MAX_INPUT_LEN];
  FILE *file = fopen (path, "rb");
  uint8_t *input;
  size_t len;

  if (file == NULL)
    {
      perror (path);
      return false;
    }
  len = fread (buffer, 1, sizeof buffer, file);
  fclose (file);

  input = malloc (len > 0 ? len : 1);
  if (input == NULL)
    return false;
  for (size_t i = 0; i < len; i++)
    input[i] = buffer[i];
  LLVMFuzzerTestOneInput (input, len);
  free (input);

  return true;
}

/* How many inputs were run; -1 if one could not be read. */
static int
run_folder (const char *path)
{
  DIR *folder = opendir (path);
  struct dirent *entry;
  int n = 0;

  if (folder == NULL)
    {
      perror (path);
      return -1;
    }

  while (n >= 0 && (entry = readdir (folder)) != NULL)
    {
      char file[PATH_MAX];
      int len;

      if (entry->d_name[0] == '.')
        continue;
      len = snprintf (file, sizeof file, "%s/%s", path, entry->d_name);
      n = len < (int) sizeof file && run_file (file) ? n + 1 : -1;
    }
  closedir (folder);

  return n;
}

static int
run_path (const char *path)
{
  struct stat info;

  if (stat (path, &info) == 0 && S_ISDIR (info.st_mode))
    return run_folder (path);

  return run_file (path) ? 1 : -1;
}

int
main (int argc, char **argv)
{
  int n_run = 0;

  for (int i = 1; i < argc; i++)
    {
      int n = run_path (argv[i]);

      if (n < 0)
        return EXIT_FAILURE;
      n_run += n;
    }

  printf ("%d inputs\n", n_run);
  /* A corpus that got lost must not look like a success. */
  return n_run > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
