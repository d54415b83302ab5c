/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The server's memory of sessions, against the plainest one that there can be. */

#include "dtls.h"
#include "random.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

enum
{
  MANY = 1 << 20,
};

static void
test_finds_what_was_stored (void)
{
  struct dtls_session_cache *cache = dtls_session_cache_new (4, MANY);

  CHECK_UINT (dtls_session_cache_n (cache), 0);
  CHECK_UINT (dtls_session_cache_find (cache, TAP_STRING ("a")).left, 0);
  dtls_session_cache_store (cache, TAP_STRING ("a"), TAP_STRING ("first"));
  dtls_session_cache_store (cache, TAP_STRING ("ab"), TAP_STRING ("second"));
  CHECK_UINT (dtls_session_cache_n (cache), 2);
  CHECK_BYTES (dtls_session_cache_find (cache, TAP_STRING ("a")), TAP_STRING ("first"));
  CHECK_BYTES (dtls_session_cache_find (cache, TAP_STRING ("ab")), TAP_STRING ("second"));
  CHECK_UINT (dtls_session_cache_find (cache, TAP_STRING ("b")).left, 0);
  CHECK_UINT (dtls_session_cache_find (cache, (struct bytes){ NULL, 0 }).left, 0);
  dtls_session_cache_free (cache);
  dtls_session_cache_free (NULL);
}

static void
test_same_id_replaces (void)
{
  struct dtls_session_cache *cache = dtls_session_cache_new (2, 10);

  dtls_session_cache_store (cache, TAP_STRING ("a"), TAP_STRING ("first"));
  dtls_session_cache_store (cache, TAP_STRING ("b"), TAP_STRING ("other"));
  dtls_session_cache_store (cache, TAP_STRING ("a"), TAP_STRING ("later"));
  CHECK_UINT (dtls_session_cache_n (cache), 2);
  CHECK_BYTES (dtls_session_cache_find (cache, TAP_STRING ("a")), TAP_STRING ("later"));
  /* It is then the newest. */
  dtls_session_cache_store (cache, TAP_STRING ("c"), TAP_STRING ("third"));
  CHECK_UINT (dtls_session_cache_find (cache, TAP_STRING ("b")).left, 0);
  CHECK_BYTES (dtls_session_cache_find (cache, TAP_STRING ("a")), TAP_STRING ("later"));
  /* Also with what is kept here, and with what is too long. */
  dtls_session_cache_store (cache, TAP_STRING ("a"),
                            dtls_session_cache_find (cache, TAP_STRING ("a")));
  CHECK_BYTES (dtls_session_cache_find (cache, TAP_STRING ("a")), TAP_STRING ("later"));
  dtls_session_cache_store (cache, TAP_STRING ("a"), TAP_STRING ("eleven byte"));
  CHECK_UINT (dtls_session_cache_find (cache, TAP_STRING ("a")).left, 0);
  CHECK_UINT (dtls_session_cache_n (cache), 1);
  dtls_session_cache_free (cache);
}

struct refused_row
{
  const char *name;
  size_t max_sessions;
  size_t max_bytes;
  struct bytes id;
  struct bytes session;
};

static void
test_what_is_not_kept (void)
{
  static const uint8_t id[DTLS_MAX_SESSION_ID_LEN + 1];
  const struct refused_row rows[] = {
    { "longer than the whole bound", 2, 4, TAP_STRING ("a"), TAP_STRING ("12345") },
    { "an ID that is too long", 2, MANY, TAP_BYTES (id), TAP_STRING ("1") },
    { "no ID", 2, MANY, { NULL, 0 }, TAP_STRING ("1") },
    { "no session", 2, MANY, TAP_STRING ("a"), { NULL, 0 } },
    { "a cache for none", 0, MANY, TAP_STRING ("a"), TAP_STRING ("1") },
    { "a cache of no bytes", 2, 0, TAP_STRING ("a"), TAP_STRING ("1") },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct dtls_session_cache *cache =
          dtls_session_cache_new (rows[i].max_sessions, rows[i].max_bytes);

      tap_set_row (rows[i].name);
      dtls_session_cache_store (cache, rows[i].id, rows[i].session);
      CHECK_UINT (dtls_session_cache_n (cache), 0);
      CHECK_UINT (dtls_session_cache_find (cache, rows[i].id).left, 0);
      dtls_session_cache_free (cache);
    }
  tap_set_row (NULL);
}

static void
test_longest_that_is_kept (void)
{
  static const uint8_t id[DTLS_MAX_SESSION_ID_LEN];
  struct dtls_session_cache *cache = dtls_session_cache_new (1, 4);

  dtls_session_cache_store (cache, TAP_BYTES (id), TAP_STRING ("1234"));
  CHECK_BYTES (dtls_session_cache_find (cache, TAP_BYTES (id)), TAP_STRING ("1234"));
  dtls_session_cache_free (cache);
}

struct model
{
  struct
  {
    uint16_t id;
    size_t len;
  } kept[64]; /* oldest first */
  size_t n;
  size_t max_sessions;
  size_t max_bytes;
};

static void
model_drop_at (struct model *model, size_t at)
{
  memmove (&model->kept[at], &model->kept[at + 1], (model->n - at - 1) * sizeof model->kept[0]);
  model->n--;
}

static void
model_drop (struct model *model, uint16_t id)
{
  for (size_t i = 0; i < model->n; i++)
    if (model->kept[i].id == id)
      {
        model_drop_at (model, i);
        return;
      }
}

static size_t
model_bytes (const struct model *model)
{
  size_t n_bytes = 0;

  for (size_t i = 0; i < model->n; i++)
    n_bytes += model->kept[i].len;
  return n_bytes;
}

static void
model_store (struct model *model, uint16_t id, size_t len)
{
  model_drop (model, id);
  if (len > model->max_bytes)
    return;

  model->kept[model->n].id = id;
  model->kept[model->n].len = len;
  model->n++;
  while (model->n > model->max_sessions || model_bytes (model) > model->max_bytes)
    model_drop_at (model, 0);
}

static struct bytes
id_of (uint16_t number, uint8_t id[2])
{
  id[0] = (uint8_t) (number >> 8);
  id[1] = (uint8_t) number;
  return (struct bytes){ id, 2 };
}

static void
check_model (const struct model *model, const struct dtls_session_cache *cache, uint16_t n_ids)
{
  CHECK_UINT (dtls_session_cache_n (cache), model->n);
  for (uint16_t number = 0; number < n_ids; number++)
    {
      uint8_t id[2];
      size_t expected = 0;

      for (size_t i = 0; i < model->n; i++)
        if (model->kept[i].id == number)
          expected = model->kept[i].len;
      CHECK_UINT (dtls_session_cache_find (cache, id_of (number, id)).left, expected);
    }
}

static void
test_oldest_goes_first (void)
{
  enum
  {
    N_IDS = 80,
  };
  static const uint8_t session[200] = { 7 };
  uint64_t seed = 1;

  for (size_t max_sessions = 1; max_sessions < 40; max_sessions += 3)
    {
      struct model model = { .max_sessions = max_sessions, .max_bytes = 1500 };
      struct dtls_session_cache *cache = dtls_session_cache_new (max_sessions, 1500);

      for (unsigned i = 0; i < 1000; i++)
        {
          uint16_t number = (uint16_t) random_below (&seed, N_IDS);
          size_t len = 1 + random_below (&seed, sizeof session);
          uint8_t id[2];

          if (random_below (&seed, 4) == 0)
            {
              dtls_session_cache_drop (cache, id_of (number, id));
              model_drop (&model, number);
            }
          else
            {
              dtls_session_cache_store (cache, id_of (number, id), (struct bytes){ session, len });
              model_store (&model, number, len);
            }
          if (i % 16 == 0)
            check_model (&model, cache, N_IDS);
        }
      check_model (&model, cache, N_IDS);
      dtls_session_cache_free (cache);
    }
}

/* With more sessions than there are chains. */
static void
test_very_many (void)
{
  struct dtls_session_cache *cache = dtls_session_cache_new (100000, SIZE_MAX);
  size_t n_found = 0;
  uint8_t id[4];

  for (uint32_t i = 0; i < 200000; i++)
    {
      memcpy (id, &i, sizeof id);
      dtls_session_cache_store (cache, TAP_BYTES (id), TAP_BYTES (id));
    }
  CHECK_UINT (dtls_session_cache_n (cache), 100000);
  for (uint32_t i = 0; i < 200000; i++)
    {
      memcpy (id, &i, sizeof id);
      n_found += dtls_session_cache_find (cache, TAP_BYTES (id)).left == sizeof id;
    }
  CHECK_UINT (n_found, 100000);
  dtls_session_cache_free (cache);
}

static const struct tap_test tests[] = {
  { "/handshake/session-cache/finds-what-was-stored", test_finds_what_was_stored },
  { "/handshake/session-cache/the-same-id-replaces", test_same_id_replaces },
  { "/handshake/session-cache/what-is-not-kept", test_what_is_not_kept },
  { "/handshake/session-cache/the-longest-that-is-kept", test_longest_that_is_kept },
  { "/handshake/session-cache/the-oldest-goes-first-by-count-and-bytes", test_oldest_goes_first },
  { "/handshake/session-cache/more-than-there-are-chains", test_very_many },
};

TAP_MAIN (tests)
