/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Reading a ClientHello of 1.3, choosing from it, and asking for another. */

#include "handshake/hello13.h"

#include "handshake/welcome.h"
#include "wire/certificates.h"

/* -------------------------------------------------------------------------------------- reading */

/* RFC 9846 §9.2. */
static bool
has_what_it_must (const struct extensions *found)
{
  if (!found->has[FOUND_PRE_SHARED_KEY]
      && (!found->has[FOUND_SIGNATURE_ALGORITHMS] || !found->has[FOUND_SUPPORTED_GROUPS]))
    return false;
  /* RFC 9846 §4.3.9: no keys without their modes. */
  if (found->has[FOUND_PRE_SHARED_KEY] && !found->has[FOUND_PSK_KEY_EXCHANGE_MODES])
    return false;

  return found->has[FOUND_SUPPORTED_GROUPS] == found->has[FOUND_KEY_SHARE];
}

static bool
reads_as_pairs (const struct extensions *found, enum extension_index index)
{
  struct bytes list;

  return !found->has[index] || u16_list_read (found->body[index], &list);
}

/* Those that are looked at later or not at all: malformed they are all the same. */
static bool
are_well_formed (const struct extensions *found)
{
  struct bytes authorities;
  struct use_srtp srtp;

  if (found->has[FOUND_CERTIFICATE_AUTHORITIES]
      && !certificate_authorities_read (found->body[FOUND_CERTIFICATE_AUTHORITIES], &authorities))
    return false;
  if (found->has[FOUND_USE_SRTP] && !use_srtp_read (found->body[FOUND_USE_SRTP], &srtp))
    return false;

  return reads_as_pairs (found, FOUND_SUPPORTED_GROUPS)
         && reads_as_pairs (found, FOUND_SIGNATURE_ALGORITHMS)
         && reads_as_pairs (found, FOUND_SIGNATURE_ALGORITHMS_CERT)
         && found->body[FOUND_EARLY_DATA].left == 0;
}

static enum dtls_error
error_of (enum read_result result)
{
  static const enum dtls_error errors[] = {
    [READ_OK] = DTLS_OK,
    [READ_MALFORMED] = DTLS_ERROR_DECODE,
    [READ_ILLEGAL] = DTLS_ERROR_ILLEGAL_PARAMETER,
  };

  return errors[result];
}

/* RFC 9846 §4.3.9, §4.3.11. */
static enum dtls_error
read_psks (struct hello13 *hello)
{
  const struct extensions *found = &hello->found;
  struct bytes modes = { NULL, 0 };

  if (found->has[FOUND_PSK_KEY_EXCHANGE_MODES]
      && !psk_key_exchange_modes_read (found->body[FOUND_PSK_KEY_EXCHANGE_MODES], &modes))
    return DTLS_ERROR_DECODE;

  hello->takes_psk_dhe_ke = bytes_have (modes, PSK_DHE_KE);
  if (!found->has[FOUND_PRE_SHARED_KEY])
    return DTLS_OK;

  return error_of (offered_psks_read (found->body[FOUND_PRE_SHARED_KEY], &hello->psks));
}

enum dtls_error
hello13_read (struct bytes message, struct hello13 *out)
{
  const struct extensions *found = &out->found;

  *out = (struct hello13){ .message = message };
  TRY (welcome_read (message, &out->fields, &out->found));

  /* RFC 9147 §5.3: an empty legacy_cookie; RFC 9846 §4.2.2: no compression, and no choice of it. */
  if (out->fields.cookie.left > 0 || out->fields.compression.left != 1
      || out->fields.compression.at[0] != 0)
    return DTLS_ERROR_ILLEGAL_PARAMETER;
  if (!are_well_formed (found))
    return DTLS_ERROR_DECODE;
  if (!has_what_it_must (found))
    return DTLS_ERROR_MISSING_EXTENSION;

  if (found->has[FOUND_COOKIE] && !cookie_read (found->body[FOUND_COOKIE], &out->cookie))
    return DTLS_ERROR_DECODE;
  if (found->has[FOUND_KEY_SHARE])
    TRY (error_of (client_shares_read (found->body[FOUND_KEY_SHARE], &out->shares)));

  return read_psks (out);
}

/* ------------------------------------------------------------------------------------- choosing */

void
hello13_offer (const struct hello13 *hello, struct offer *out)
{
  const struct extensions *found = &hello->found;
  struct bytes list;

  *out = (struct offer){ .n_suites = 0 };
  offer_take_suites (out, hello->fields.suites);
  if (found->has[FOUND_SUPPORTED_GROUPS]
      && u16_list_read (found->body[FOUND_SUPPORTED_GROUPS], &list))
    offer_take_groups (out, list);
  if (found->has[FOUND_SIGNATURE_ALGORITHMS]
      && u16_list_read (found->body[FOUND_SIGNATURE_ALGORITHMS], &list))
    offer_take_schemes (out, list);
}

/* RFC 9846 §4.3.11: a key goes with suites of one hash, so keys that are offered count where a suite is
 * chosen before they are looked at. A binder is as long as the hash. */
const struct suite *
hello13_choose_suite (const struct hello13 *hello, const struct offer *ours,
                      const struct offer *theirs)
{
  struct offered_psks psks = hello->psks;
  const struct suite *suite = NULL;
  struct offered_psk first;

  if (hello->takes_psk_dhe_ke && psks.n > 0 && offered_psks_next (&psks, &first))
    suite = choose_suite_13_of (
        ours, theirs, first.binder.left == hash_len (HASH_SHA384) ? HASH_SHA384 : HASH_SHA256);

  return suite != NULL ? suite : choose_suite_13 (ours, theirs);
}

bool
hello13_find_share (const struct hello13 *hello, uint16_t group, struct key_share_entry *out)
{
  struct bytes rest = hello->shares;

  while (client_share_next (&rest, out))
    if (out->group == group)
      return true;

  return false;
}

bool
hello13_choose_share (const struct hello13 *hello, const struct offer *ours,
                      const struct offer *theirs, struct key_share_entry *out)
{
  for (size_t i = 0; i < ours->n_groups; i++)
    if (group_is_of (ours->groups[i], VERSION_DTLS_1_3) && offer_has_group (theirs, ours->groups[i])
        && hello13_find_share (hello, ours->groups[i], out))
      return true;

  return false;
}

/* ------------------------------------------------------------------------------ the second hello */

enum
{
  EXT_PADDING = 21, /* RFC 7685; we have no use for it */
};

static const uint16_t changing[N_CHANGING_EXTENSIONS] = {
  EXT_PADDING, EXT_PRE_SHARED_KEY, EXT_EARLY_DATA, EXT_COOKIE, EXT_KEY_SHARE,
};

static bool
may_change (uint16_t type)
{
  for (size_t i = 0; i < N_CHANGING_EXTENSIONS; i++)
    if (changing[i] == type)
      return true;

  return false;
}

/* At the end of the last part, if it follows that on the wire. */
static size_t
add_part (struct bytes *parts, size_t n, struct bytes part)
{
  struct bytes *last = &parts[n - 1];

  if (last->at + last->left != part.at)
    {
      parts[n] = part;
      return n + 1;
    }

  last->left += part.left;
  return n;
}

size_t
hello13_fixed_parts (const struct hello13 *hello, struct bytes out[MAX_FIXED_PARTS])
{
  const struct client_hello *fields = &hello->fields;
  struct reader r = reader_over (fields->extensions);
  struct bytes known[N_EXTENSIONS] = { { NULL, 0 } };
  size_t n = 0;

  /* Up to the extensions' length: legacy_cookie is empty in both. */
  out[n++] = (struct bytes){ hello->message.at, hello->message.left - 2 - fields->extensions.left };

  while (r.left > 0)
    {
      const uint8_t *at = r.at;
      uint16_t type = read_u16 (&r);
      enum extension_index index = extension_index_of (type);
      struct bytes extension;

      (void) read_vec (&r, 2);
      extension = (struct bytes){ at, (size_t) (r.at - at) };
      if (may_change (type))
        continue;
      if (index == N_EXTENSIONS)
        n = add_part (out, n, extension);
      else
        known[index] = extension;
    }

  for (size_t i = 0; i < N_EXTENSIONS; i++)
    if (known[i].left > 0)
      n = add_part (out, n, known[i]);
  return n;
}

void
hello13_write_retry (struct writer *writer, const struct retry13 *retry)
{
  struct server_hello hello = {
    .version = VERSION_DTLS_1_2,
    .random = { hello_retry_random, RANDOM_LEN },
    .suite = retry->suite,
  };
  size_t block, body;

  /* RFC 9147 §5: the client's session ID is not echoed. */
  server_hello_write (writer, &hello);
  block = extension_block_begin (writer);
  body = extension_begin (writer, EXT_SUPPORTED_VERSIONS);
  selected_write (writer, VERSION_DTLS_1_3);
  extension_end (writer, body);
  if (retry->group != 0)
    {
      body = extension_begin (writer, EXT_KEY_SHARE);
      selected_write (writer, retry->group);
      extension_end (writer, body);
    }
  if (retry->cookie.left > 0)
    {
      body = extension_begin (writer, EXT_COOKIE);
      cookie_write (writer, retry->cookie);
      extension_end (writer, body);
    }
  extension_block_end (writer, block);
}

bool
hello13_has_only_share (const struct hello13 *hello, uint16_t group, struct key_share_entry *out)
{
  struct bytes rest = hello->shares;

  return client_share_next (&rest, out) && rest.left == 0 && out->group == group;
}
