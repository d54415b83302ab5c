/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Lists, filters and the choices made from them. */

#include "handshake/negotiate.h"

#include "crypto/algorithms.h"
#include "crypto/signature.h"
#include "wire/extensions.h"

static const uint16_t default_groups[] = { GROUP_X25519MLKEM768, GROUP_X25519, GROUP_SECP256R1,
                                           GROUP_SECP384R1 };

static const uint16_t default_schemes[] = {
  SIG_ECDSA_SECP256R1_SHA256, SIG_ED25519,
  SIG_ECDSA_SECP384R1_SHA384, SIG_RSA_PSS_RSAE_SHA256,
  SIG_RSA_PSS_RSAE_SHA384,    SIG_RSA_PSS_RSAE_SHA512,
  SIG_RSA_PSS_PSS_SHA256,     SIG_RSA_PSS_PSS_SHA384,
  SIG_RSA_PSS_PSS_SHA512,     SIG_RSA_PKCS1_SHA256,
  SIG_RSA_PKCS1_SHA384,       SIG_RSA_PKCS1_SHA512,
};

static bool
has (const uint16_t *list, size_t n, uint16_t value)
{
  for (size_t i = 0; i < n; i++)
    if (list[i] == value)
      return true;

  return false;
}

/* Appends `value` unless it is there already or the list is full. */
static void
add (uint16_t *list, size_t *n, size_t capacity, uint16_t value)
{
  if (*n < capacity && !has (list, *n, value))
    list[(*n)++] = value;
}

/* Versions count downwards. */
static bool
config_allows (const struct dtls_config *config, uint16_t version)
{
  return config->min_version >= version && version >= config->max_version;
}

static bool
may_offer_suite (const struct dtls_config *config, const struct dtls_crypto *crypto, uint16_t code)
{
  const struct suite *suite = suite_find (code);

  if (suite == NULL || !config_allows (config, suite->version)
      || !crypto_has_aead (crypto, suite->aead))
    return false;

  return !suite_is_psk (suite) || config->psk != NULL || config->asks_for_psk;
}

static bool
may_offer_group (const struct dtls_config *config, const struct dtls_crypto *crypto, uint16_t group)
{
  return crypto_has_group (crypto, group)
         && ((config_allows (config, VERSION_DTLS_1_2) && group_is_of (group, VERSION_DTLS_1_2))
             || (config_allows (config, VERSION_DTLS_1_3)
                 && group_is_of (group, VERSION_DTLS_1_3)));
}

bool
offer_from_config (struct offer *offer, const struct dtls_config *config,
                   const struct dtls_crypto *crypto)
{
  size_t n_suites = config->n_suites, n_groups = config->n_groups;
  size_t n_schemes = config->n_signature_schemes;
  const uint16_t *suites = n_suites > 0 ? config->suites : suite_defaults (&n_suites);
  const uint16_t *groups = n_groups > 0 ? config->groups : default_groups;
  const uint16_t *schemes = n_schemes > 0 ? config->signature_schemes : default_schemes;

  if (n_groups == 0)
    n_groups = sizeof default_groups / sizeof default_groups[0];
  if (n_schemes == 0)
    n_schemes = sizeof default_schemes / sizeof default_schemes[0];

  *offer = (struct offer){ .n_suites = 0 };

  for (size_t i = 0; i < n_suites; i++)
    if (may_offer_suite (config, crypto, suites[i]))
      add (offer->suites, &offer->n_suites, MAX_OFFERED_SUITES, suites[i]);

  for (size_t i = 0; i < n_groups; i++)
    if (may_offer_group (config, crypto, groups[i]))
      add (offer->groups, &offer->n_groups, MAX_OFFERED_GROUPS, groups[i]);

  /* RFC 9846 §4.3.3: in the list PKCS #1 may be there also in 1.3 alone, for certificates' own
   * signatures; scheme_is_of keeps it from signing messages. So there is none to leave out. */
  for (size_t i = 0; i < n_schemes; i++)
    if (signature_name (schemes[i]) != NULL)
      add (offer->schemes, &offer->n_schemes, MAX_OFFERED_SCHEMES, schemes[i]);

  return offer_has_version (offer, VERSION_DTLS_1_2) || offer_has_version (offer, VERSION_DTLS_1_3);
}

void
offer_take_suites (struct offer *offer, struct bytes list)
{
  for (size_t i = 0; i < u16_list_len (list); i++)
    if (suite_find (u16_list_at (list, i)) != NULL)
      add (offer->suites, &offer->n_suites, MAX_OFFERED_SUITES, u16_list_at (list, i));
}

void
offer_take_groups (struct offer *offer, struct bytes list)
{
  for (size_t i = 0; i < u16_list_len (list); i++)
    if (group_name (u16_list_at (list, i)) != NULL)
      add (offer->groups, &offer->n_groups, MAX_OFFERED_GROUPS, u16_list_at (list, i));
}

void
offer_take_schemes (struct offer *offer, struct bytes list)
{
  for (size_t i = 0; i < u16_list_len (list); i++)
    if (signature_name (u16_list_at (list, i)) != NULL)
      add (offer->schemes, &offer->n_schemes, MAX_OFFERED_SCHEMES, u16_list_at (list, i));
}

bool
offer_has_version (const struct offer *offer, uint16_t version)
{
  bool has_group = false, has_scheme = offer->n_schemes > 0;

  for (size_t i = 0; i < offer->n_groups; i++)
    has_group = has_group || group_is_of (offer->groups[i], version);

  for (size_t i = 0; i < offer->n_suites; i++)
    {
      const struct suite *suite = suite_find (offer->suites[i]);

      if (suite->version == version && (has_group || suite->authentication == SUITE_PSK)
          && (has_scheme || suite_is_psk (suite)))
        return true;
    }

  return false;
}

bool
offer_has_suite (const struct offer *offer, uint16_t suite)
{
  return has (offer->suites, offer->n_suites, suite);
}

bool
offer_has_group (const struct offer *offer, uint16_t group)
{
  return has (offer->groups, offer->n_groups, group);
}

bool
offer_has_scheme (const struct offer *offer, uint16_t scheme)
{
  return has (offer->schemes, offer->n_schemes, scheme);
}

bool
group_is_of (uint16_t group, uint16_t version)
{
  switch (version)
    {
    case VERSION_DTLS_1_2:
      return group_name (group) != NULL && group != GROUP_X25519MLKEM768;
    case VERSION_DTLS_1_3:
      return group_name (group) != NULL;
    default:
      return false;
    }
}

static bool
is_pkcs1 (uint16_t scheme)
{
  return scheme == SIG_RSA_PKCS1_SHA256 || scheme == SIG_RSA_PKCS1_SHA384
         || scheme == SIG_RSA_PKCS1_SHA512;
}

/* For keys on a curve, the scheme that names it. */
static bool
is_own_scheme (uint16_t scheme, enum key_kind kind)
{
  return (kind == KEY_P256 && scheme == SIG_ECDSA_SECP256R1_SHA256)
         || (kind == KEY_P384 && scheme == SIG_ECDSA_SECP384R1_SHA384);
}

bool
scheme_is_of (uint16_t scheme, enum key_kind kind, uint16_t version)
{
  if (!signature_fits (scheme, kind))
    return false;
  if (version != VERSION_DTLS_1_3)
    return version == VERSION_DTLS_1_2;
  if (kind == KEY_P256 || kind == KEY_P384)
    return is_own_scheme (scheme, kind);

  return !is_pkcs1 (scheme);
}

uint16_t
choose_group (const struct offer *ours, const struct offer *theirs, uint16_t version)
{
  for (size_t i = 0; i < ours->n_groups; i++)
    if (group_is_of (ours->groups[i], version) && offer_has_group (theirs, ours->groups[i]))
      return ours->groups[i];

  return 0;
}

/* The first suite of ours from `*next` on that both have in this version. */
static const struct suite *
next_shared_suite (const struct offer *ours, const struct offer *theirs, uint16_t version,
                   size_t *next)
{
  while (*next < ours->n_suites)
    {
      const struct suite *suite = suite_find (ours->suites[(*next)++]);

      if (suite->version == version && offer_has_suite (theirs, suite->code))
        return suite;
    }

  return NULL;
}

const struct suite *
choose_suite_12 (const struct offer *ours, const struct offer *theirs, enum key_kind kind)
{
  const struct suite *suite;
  size_t next = 0;

  while ((suite = next_shared_suite (ours, theirs, VERSION_DTLS_1_2, &next)) != NULL)
    if (suite_fits_key (suite, kind))
      return suite;

  return NULL;
}

const struct suite *
choose_psk_suite_12 (const struct offer *ours, const struct offer *theirs)
{
  const bool has_group = choose_group (ours, theirs, VERSION_DTLS_1_2) != 0;
  const struct suite *suite;
  size_t next = 0;

  while ((suite = next_shared_suite (ours, theirs, VERSION_DTLS_1_2, &next)) != NULL)
    if (suite->authentication == SUITE_PSK
        || (suite->authentication == SUITE_ECDHE_PSK && has_group))
      return suite;

  return NULL;
}

const struct suite *
choose_suite_13 (const struct offer *ours, const struct offer *theirs)
{
  size_t next = 0;

  return next_shared_suite (ours, theirs, VERSION_DTLS_1_3, &next);
}

const struct suite *
choose_suite_13_of (const struct offer *ours, const struct offer *theirs, enum hash hash)
{
  const struct suite *suite;
  size_t next = 0;

  while ((suite = next_shared_suite (ours, theirs, VERSION_DTLS_1_3, &next)) != NULL)
    if (suite->hash == hash)
      return suite;

  return NULL;
}

uint16_t
choose_scheme (const struct offer *ours, const struct offer *theirs, enum key_kind kind,
               uint16_t version)
{
  uint16_t found = 0;

  for (size_t i = 0; i < ours->n_schemes; i++)
    {
      uint16_t scheme = ours->schemes[i];

      if (!scheme_is_of (scheme, kind, version) || !offer_has_scheme (theirs, scheme))
        continue;
      if (is_own_scheme (scheme, kind))
        return scheme;
      if (found == 0)
        found = scheme;
    }

  return found;
}

bool
offer_takes_key_kind (const struct offer *theirs, enum key_kind kind)
{
  switch (kind)
    {
    case KEY_P256:
      return offer_has_group (theirs, GROUP_SECP256R1);
    case KEY_P384:
      return offer_has_group (theirs, GROUP_SECP384R1);
    case KEY_RSA:
    case KEY_RSA_PSS:
    case KEY_ED25519:
      return true;
    case KEY_UNKNOWN:
      break;
    }

  return false;
}

struct bytes
choose_protocol (struct bytes ours, struct bytes theirs)
{
  struct bytes name, other;

  while (alpn_next (&ours, &name))
    for (struct bytes rest = theirs; alpn_next (&rest, &other);)
      if (bytes_equal (name, other))
        return name;

  return (struct bytes){ NULL, 0 };
}
