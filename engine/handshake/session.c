/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A session's bytes: a magic and the number of the format, then the fields in the order of the code
 * below. A change of the fields is another format, and what is not of this one is no session: whoever
 * kept it makes a whole handshake. */

#include "handshake/session.h"

#include "crypto/digest.h"
#include "handshake/suites.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t magic[] = { 'M', 'o', 'a', 't' };

enum
{
  FORMAT = 1,
  /* All but the vectors' bodies: magic, format, version and suite; three times, lifetime and age_add;
   * facts, client_auth and bound_to; and the lengths of seven vectors. */
  FIXED_LEN = 4 + 1 + 2 + 2 + 8 + 8 + 4 + 4 + 1 + 1 + 32 + 4 * 1 + 3 * 2,
  CERTIFICATE_PREFIX = 3,
};

/* An external key authenticates by itself, and certificates do without one. */
static bool
is_of_one_proof (const struct session *session, const struct suite *suite)
{
  size_t identity_len = session->psk_identity.left;

  if (!suite_is_psk (suite))
    return identity_len == 0;

  return identity_len > 0 && identity_len <= DTLS_MAX_PSK_IDENTITY_LEN && session->chain.left == 0;
}

static bool
is_consistent (const struct session *session)
{
  const struct suite *suite = suite_find (session->suite);

  if (suite == NULL || suite->version != session->version
      || session->lifetime > MAX_SESSION_LIFETIME
      || session->client_auth > DTLS_CLIENT_AUTH_REQUIRED || session->id.left > MAX_SESSION_ID_LEN
      || !is_of_one_proof (session, suite)
      || !vec_list_is_well_formed (session->chain, CERTIFICATE_PREFIX))
    return false;

  if (session->version == VERSION_DTLS_1_3)
    return session->secret_len == hash_len (suite->hash) && !session->has_extended_master_secret;

  return session->secret_len == MASTER_SECRET_LEN && session->has_extended_master_secret;
}

static bool
read_beginning (struct reader *r)
{
  struct bytes found = read_bytes (r, sizeof magic);

  return bytes_equal (found, (struct bytes){ magic, sizeof magic }) && read_u8 (r) == FORMAT;
}

static bool
read_secret (struct reader *r, struct session *out)
{
  struct bytes secret = read_vec (r, 1);

  if (secret.left == 0 || secret.left > sizeof out->secret)
    return false;

  memcpy (out->secret, secret.at, secret.left);
  out->secret_len = (uint8_t) secret.left;
  return true;
}

static bool
read_session (struct reader *r, struct session *out)
{
  struct bytes bound_to;
  uint8_t has_extended_master_secret;

  if (!read_beginning (r))
    return false;

  out->version = read_u16 (r);
  out->suite = read_u16 (r);
  out->made = read_u64 (r);
  out->received = read_u64 (r);
  out->lifetime = read_u32 (r);
  out->age_add = read_u32 (r);
  has_extended_master_secret = read_u8 (r);
  out->client_auth = read_u8 (r);
  bound_to = read_bytes (r, sizeof out->bound_to);
  out->server_name = read_vec (r, 1);
  out->alpn = read_vec (r, 1);
  out->id = read_vec (r, 1);
  out->ticket = read_vec (r, 2);
  out->psk_identity = read_vec (r, 2);
  out->chain = read_vec (r, 2);
  if (!read_secret (r, out) || !reader_done (r) || has_extended_master_secret > 1)
    return false;

  out->has_extended_master_secret = has_extended_master_secret == 1;
  memcpy (out->bound_to, bound_to.at, sizeof out->bound_to);
  return is_consistent (out);
}

bool
session_read (struct bytes bytes, struct session *out)
{
  struct reader r = reader_over (bytes);

  *out = (struct session){ .version = 0 };
  if (bytes.left <= DTLS_MAX_SESSION_LEN && read_session (&r, out))
    return true;

  wipe (out, sizeof *out);
  return false;
}

void
session_write (struct writer *writer, const struct session *session)
{
  write_bytes (writer, magic, sizeof magic);
  write_u8 (writer, FORMAT);
  write_u16 (writer, session->version);
  write_u16 (writer, session->suite);
  write_u64 (writer, session->made);
  write_u64 (writer, session->received);
  write_u32 (writer, session->lifetime);
  write_u32 (writer, session->age_add);
  write_u8 (writer, session->has_extended_master_secret);
  write_u8 (writer, session->client_auth);
  write_bytes (writer, session->bound_to, sizeof session->bound_to);
  write_vec (writer, session->server_name, 1);
  write_vec (writer, session->alpn, 1);
  write_vec (writer, session->id, 1);
  write_vec (writer, session->ticket, 2);
  write_vec (writer, session->psk_identity, 2);
  write_vec (writer, session->chain, 2);
  write_vec (writer, (struct bytes){ session->secret, session->secret_len }, 1);
}

size_t
session_len (const struct session *session)
{
  return FIXED_LEN + session->server_name.left + session->alpn.left + session->id.left
         + session->ticket.left + session->psk_identity.left + session->chain.left
         + session->secret_len;
}

void
session_chain_write (struct writer *writer, const struct der_list *chain)
{
  for (size_t i = 0; i < chain->n; i++)
    write_vec (writer, chain->items[i], CERTIFICATE_PREFIX);
}

size_t
session_chain_len (const struct der_list *chain)
{
  size_t len = 0;

  for (size_t i = 0; i < chain->n; i++)
    len += CERTIFICATE_PREFIX + chain->items[i].left;

  return len;
}

bool
session_chain_read (struct bytes chain, struct der_list *out)
{
  struct bytes rest = chain, item, *items;
  size_t n = 0;
  bool is_copied;

  if (!vec_list_is_well_formed (chain, CERTIFICATE_PREFIX))
    return false;

  while (vec_list_next (&rest, CERTIFICATE_PREFIX, &item))
    n++;
  items = calloc (n > 0 ? n : 1, sizeof *items);
  if (items == NULL)
    return false;

  for (size_t i = 0; i < n; i++)
    (void) vec_list_next (&chain, CERTIFICATE_PREFIX, &items[i]);
  is_copied = der_list_copy (out, items, n);
  free (items);

  return is_copied;
}

bool
session_is_fresh (const struct session *session, uint64_t wall_clock)
{
  if (wall_clock < session->made || wall_clock < session->received)
    return false;

  /* RFC 9846 §4.7.1: neither a ticket nor what it goes back to outlives seven days. */
  return wall_clock - session->received < session->lifetime * DTLS_SECOND
         && wall_clock - session->made < MAX_SESSION_LIFETIME * DTLS_SECOND;
}
