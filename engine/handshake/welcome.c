/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The first ClientHello, up to where the two versions part. What is the same in both is taken here:
 * the random, the server's name and the protocols. */

#include "handshake/welcome.h"

#include "handshake/server12.h"
#include "handshake/server13.h"

#include <string.h>

enum
{
  MIN_DTLS_VERSION =
      0x8000, /* versions of DTLS are the ones' complement of their numbers; TLS's lie below */
};

enum dtls_error
welcome_read (struct bytes message, struct client_hello *out_hello, struct extensions *out_found)
{
  if (!client_hello_read (message, out_hello))
    return DTLS_ERROR_DECODE;

  switch (extensions_read (out_hello->extensions, IN_CLIENT_HELLO, out_found))
    {
    case EXTENSIONS_MALFORMED:
    case EXTENSIONS_DUPLICATE:
      return DTLS_ERROR_DECODE;
    case EXTENSIONS_MISPLACED:
      return DTLS_ERROR_ILLEGAL_PARAMETER;
    case EXTENSIONS_OK:
      break;
    }

  return DTLS_OK;
}

/* ---------------------------------------------------------------------------------- the version */

/* Without supported_versions. RFC 6347 §4.1: versions count downwards. RFC 5246 §E.1: one to come,
 * which for DTLS is a smaller number, is met with 1.2. */
static bool
is_offered_of_old (const struct client_hello *hello, uint16_t version)
{
  return version == VERSION_DTLS_1_2 && hello->version <= VERSION_DTLS_1_2
         && hello->version >= MIN_DTLS_VERSION;
}

enum dtls_error
welcome_choose_version (const struct offer *ours, const struct client_hello *hello,
                        const struct extensions *found, uint16_t *out_version)
{
  static const uint16_t versions[] = { VERSION_DTLS_1_3, VERSION_DTLS_1_2 };
  bool has_list = found->has[FOUND_SUPPORTED_VERSIONS];
  struct bytes list = { NULL, 0 };
  uint16_t best = 0, chosen = 0;

  if (has_list && !supported_versions_read (found->body[FOUND_SUPPORTED_VERSIONS], &list))
    return DTLS_ERROR_DECODE;

  for (size_t i = 0; i < sizeof versions / sizeof versions[0] && chosen == 0; i++)
    {
      if (!offer_has_version (ours, versions[i]))
        continue;
      if (best == 0)
        best = versions[i];
      /* RFC 9846 §4.3.1: if it is there, supported_versions alone counts. */
      if (has_list ? u16_list_has (list, versions[i]) : is_offered_of_old (hello, versions[i]))
        chosen = versions[i];
    }

  /* RFC 7507 §3: the client does without a version that both have. */
  if ((chosen != 0 ? chosen : hello->version) > best
      && client_hello_has_suite (hello, SUITE_FALLBACK_SCSV))
    return DTLS_ERROR_INAPPROPRIATE_FALLBACK;
  /* RFC 9846 §4.2.2: "legacy_version ... MUST be set to" 1.2's, and is checked. */
  if (chosen == 0 || (chosen == VERSION_DTLS_1_3 && hello->version != VERSION_DTLS_1_2))
    return DTLS_ERROR_PROTOCOL_VERSION;

  *out_version = chosen;
  return DTLS_OK;
}

/* ------------------------------------------------------------------------------------ both alike */

static enum dtls_error
take_server_name (struct handshake *h, struct bytes body)
{
  struct bytes name;

  if (!server_name_read (body, &name))
    return DTLS_ERROR_DECODE;

  /* Empty: it names no host, but something that we do not know. */
  if (name.left > 0)
    memcpy (h->known->server_name, name.at, name.left);
  h->known->server_name_len = (uint8_t) name.left;
  return DTLS_OK;
}

static enum dtls_error
take_protocols (struct handshake *h, struct bytes body)
{
  struct bytes names, chosen;

  if (!alpn_read (body, &names))
    return DTLS_ERROR_DECODE;

  /* Nothing in common is no reason to end it unless so configured: applications see that none was
   * chosen. */
  chosen = choose_protocol (h->config->alpn, names);
  if (chosen.left == 0 && h->config->requires_protocol)
    return DTLS_ERROR_NO_SHARED_PROTOCOL;
  if (chosen.left > 0)
    memcpy (h->known->alpn, chosen.at, chosen.left);
  h->known->alpn_len = (uint8_t) chosen.left;
  return DTLS_OK;
}

static enum dtls_error
on_client_hello (struct handshake *h, const struct message *message, struct effects *effects)
{
  struct client_hello hello;
  struct extensions found;
  uint16_t version;

  if (!offer_from_config (&h->ours, h->config, h->crypto))
    return DTLS_ERROR_CONFIG;
  TRY (welcome_read (message->body, &hello, &found));
  TRY (welcome_choose_version (&h->ours, &hello, &found, &version));
  if (found.has[FOUND_SERVER_NAME])
    TRY (take_server_name (h, found.body[FOUND_SERVER_NAME]));
  if (found.has[FOUND_ALPN])
    TRY (take_protocols (h, found.body[FOUND_ALPN]));

  memcpy (h->known->randoms, hello.random.at, RANDOM_LEN);
  h->known->version = version;
  if (version == VERSION_DTLS_1_2)
    {
      h->table = &server12_table;
      return server12_on_client_hello (h, message, effects);
    }

  transcript_use_13 (&h->transcript);
  h->table = &server13_table;
  return server13_on_client_hello (h, message, effects);
}

static const struct row rows[] = {
  { WAIT_CLIENT_HELLO, CLIENT_HELLO, on_client_hello, TO (ANSWERING_HELLO) },
};

const struct table opening_server_table = { rows, sizeof rows / sizeof rows[0] };
