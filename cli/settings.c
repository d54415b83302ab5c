/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* From options to a context; see settings.h. Secrets are read from files, since everybody on a machine can
 * read a command line. */

#include "cli/settings.h"

#include "cli/secret.h"

#include <string.h>

enum
{
  /* RFC 9257 §6: at least 128 bits. */
  GOOD_KEY_LEN = 16,
};

static GBytes *
read_secret (const char *file, GError **error)
{
  g_autoptr (GBytes) text = secret_read (file, SECRET_FROM_ANYWHERE, error);
  GBytes *secret;

  if (text == NULL)
    return NULL;

  secret = secret_from_hex (text);
  if (secret == NULL)
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                 "%s does not hold an even number of hexadecimal digits", file);

  return secret;
}

/* --- a pre-shared key --- */

struct psk
{
  GBytes *identity; /* (owned) */
  GBytes *key;      /* (owned) */
};

static void
psk_free (gpointer data)
{
  struct psk *psk = data;

  g_bytes_unref (psk->identity);
  g_bytes_unref (psk->key);
  g_free (psk);
}

static GBytes *
find_key (MoatContext *context G_GNUC_UNUSED, GBytes *identity, gpointer data)
{
  const struct psk *psk = data;

  return g_bytes_equal (identity, psk->identity) ? g_bytes_ref (psk->key) : NULL;
}

/* A key that no client can have is refused, as it would be there. */
static gboolean
serve_key (MoatContext *context, GBytes *identity, GBytes *key, GError **error)
{
  g_autoptr (MoatContext) client = moat_context_new ();
  struct psk *psk;

  if (!moat_context_set_psk (client, identity, key, error))
    return FALSE;

  psk = g_new (struct psk, 1);
  *psk = (struct psk){ g_bytes_ref (identity), g_bytes_ref (key) };
  moat_context_set_psk_func (context, find_key, psk, psk_free);
  return TRUE;
}

static enum status
apply_psk (const struct options *options, MoatContext *context, GError **error)
{
  g_autoptr (GBytes) identity = NULL;
  g_autoptr (GBytes) key = NULL;

  if (options->psk_file == NULL)
    return STATUS_OK;

  identity = g_bytes_new (options->psk_identity, strlen (options->psk_identity));
  key = read_secret (options->psk_file, error);
  if (key == NULL)
    return STATUS_UNREADABLE;
  if (g_bytes_get_size (key) < GOOD_KEY_LEN)
    report_warning ("the key in %s is shorter than %d bytes; short keys can be guessed",
                    options->psk_file, GOOD_KEY_LEN);

  if (options->serves ? serve_key (context, identity, key, error)
                      : moat_context_set_psk (context, identity, key, error))
    return STATUS_OK;

  return STATUS_USAGE;
}

static enum status
apply_ticket_secret (const struct options *options, MoatContext *context, GError **error)
{
  g_autoptr (GBytes) secret = NULL;

  if (options->ticket_secret == NULL)
    return STATUS_OK;

  secret = read_secret (options->ticket_secret, error);
  if (secret == NULL)
    return STATUS_UNREADABLE;
  if (moat_context_set_ticket_secret (context, secret, NULL))
    return STATUS_OK;

  g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
               "%s: a secret for tickets has 64 hexadecimal digits or more",
               options->ticket_secret);
  return STATUS_UNREADABLE;
}

/* --- what anybody may know --- */

static enum status
apply_versions (const struct options *options, MoatContext *context, GError **error)
{
  if (options->min_version != NULL
      && !moat_context_set_min_version (context, options->min_version, error))
    return STATUS_USAGE;
  if (options->max_version != NULL
      && !moat_context_set_max_version (context, options->max_version, error))
    return STATUS_USAGE;

  if (strcmp (moat_context_get_min_version (context), moat_context_get_max_version (context)) <= 0)
    return STATUS_OK;

  g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                       "--min-version is above --max-version");
  return STATUS_USAGE;
}

static enum status
apply_suites (const struct options *options, MoatContext *context, GError **error)
{
  g_auto (GStrv) names = NULL;

  if (options->suites == NULL)
    return STATUS_OK;

  names = g_strsplit (options->suites, ",", -1);
  return moat_context_set_cipher_suites (context, (const char *const *) names, error)
             ? STATUS_OK
             : STATUS_USAGE;
}

static enum status
apply_groups (const struct options *options, MoatContext *context, GError **error)
{
  g_auto (GStrv) names = NULL;

  if (options->groups == NULL)
    return STATUS_OK;

  names = g_strsplit (options->groups, ",", -1);
  return moat_context_set_groups (context, (const char *const *) names, error) ? STATUS_OK
                                                                               : STATUS_USAGE;
}

enum status
settings_apply (const struct options *options, MoatContext *context)
{
  enum status (*const steps[]) (const struct options *, MoatContext *,
                                GError **) = { apply_versions, apply_suites, apply_groups,
                                               apply_psk, apply_ticket_secret };
  g_autoptr (GError) error = NULL;
  enum status status = STATUS_OK;

  for (size_t i = 0; i < G_N_ELEMENTS (steps) && status == STATUS_OK; i++)
    status = steps[i](options, context, &error);
  if (status != STATUS_OK)
    report_error ("%s", error->message);

  return status;
}
