/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A client's beginning, in protocol order:
 *
 *   1. the ClientHello of whatever versions it speaks
 *   2. a HelloVerifyRequest, which only a server of 1.2 sends, and the hello again
 *   3. the ServerHello or HelloRetryRequest, as far as it tells the version */

#include "handshake/opening.h"

#include "handshake/client12.h"
#include "handshake/client13.h"
#include "handshake/psk_offer.h"
#include "handshake/session_offer.h"
#include "handshake/shares.h"
#include "wire/extensions.h"

#include <string.h>

enum
{
  /* What a hello has whatever is offered: fixed fields, cookie, suites, and the extensions that do
   * not grow with the configuration, at their longest: a name of 255 bytes, and the lists of
   * handshake/negotiate.h. */
  MAX_FIXED_LEN = 2 + RANDOM_LEN + 1 + MAX_SESSION_ID_LEN + 1 + MAX_COOKIE_LEN + 2
                  + 2 * MAX_OFFERED_SUITES + 2 + 2 + (9 + 255) + 5 + 4
                  + (6 + 2 * MAX_OFFERED_GROUPS) + 6 + (6 + 2 * MAX_OFFERED_SCHEMES) + 6 + 9 + 6,
  MAX_SRTP_PROFILES = 32, /* the registry has 13 */

  /* A server whose keys changed asks twice. More would let anyone make us send hello after hello. */
  MAX_VERIFY_REQUESTS = 4,
};

static bool
speaks (const struct handshake *h, uint16_t version)
{
  return offer_has_version (&h->ours, version);
}

/* -------------------------------------------------------------------------------- 1. ClientHello */

static bool
offers_psks (const struct handshake *h)
{
  struct psk_offer offers[MAX_PSK_OFFERS];

  return psk_offers (h, offers) > 0;
}

bool
opening_has_extension (const struct handshake *handshake, unsigned extension_index)
{
  const struct dtls_config *config = handshake->config;
  bool has_12 = speaks (handshake, VERSION_DTLS_1_2);
  bool has_13 = speaks (handshake, VERSION_DTLS_1_3);

  switch (extension_index)
    {
    case FOUND_SERVER_NAME:
      return config->server_name.left > 0;
    case FOUND_ALPN:
      return config->alpn.left > 0;
    case FOUND_USE_SRTP:
      return config->n_srtp_profiles > 0;
    case FOUND_SUPPORTED_GROUPS:
      return handshake->ours.n_groups > 0;
    case FOUND_SIGNATURE_ALGORITHMS:
      return handshake->ours.n_schemes > 0;
    case FOUND_RECORD_SIZE_LIMIT:
      return true;
    case FOUND_EC_POINT_FORMATS:
      return has_12 && handshake->ours.n_groups > 0;
    case FOUND_EXTENDED_MASTER_SECRET:
    case FOUND_RENEGOTIATION_INFO:
      return has_12;
    case FOUND_SESSION_TICKET:
      return has_12 && (config->keeps_sessions || session_offer_ticket_12 (handshake).left > 0);
    case FOUND_SUPPORTED_VERSIONS:
    case FOUND_KEY_SHARE:
      return has_13;
    case FOUND_COOKIE:
      return has_13 && handshake->retry_cookie.left > 0;
    case FOUND_PSK_KEY_EXCHANGE_MODES:
      return has_13 && (config->keeps_sessions || offers_psks (handshake));
    case FOUND_PRE_SHARED_KEY:
      return offers_psks (handshake);
    default:
      return false;
    }
}

/* RFC 8449 §4: in 1.3 the limit counts the content type too, in 1.2 it does not, and a hello that
 * offers both says one number. That is what the configuration allows in 1.2, which costs a limited
 * record of 1.3 one byte; only where there is no limit it is 1.3's maximum, which a server of 1.2
 * must take for its own. */
uint16_t
opening_record_size_limit (const struct handshake *handshake)
{
  uint16_t limit = handshake->config->record_size_limit;
  bool is_unlimited = limit == MAX_PLAINTEXT_LEN;

  if (!speaks (handshake, VERSION_DTLS_1_3))
    return limit;

  return speaks (handshake, VERSION_DTLS_1_2) && !is_unlimited ? limit : limit + 1;
}

static void
write_server_name (const struct handshake *h, struct writer *w)
{
  server_name_write (w, h->config->server_name);
}

static void
write_renegotiation_info (const struct handshake *h, struct writer *w)
{
  (void) h;
  renegotiation_info_write (w, (struct bytes){ NULL, 0 });
}

static void
write_nothing (const struct handshake *h, struct writer *w)
{
  (void) h;
  (void) w;
}

static void
write_groups (const struct handshake *h, struct writer *w)
{
  u16_list_write (w, h->ours.groups, h->ours.n_groups);
}

static void
write_point_formats (const struct handshake *h, struct writer *w)
{
  (void) h;
  ec_point_formats_write (w);
}

static void
write_schemes (const struct handshake *h, struct writer *w)
{
  u16_list_write (w, h->ours.schemes, h->ours.n_schemes);
}

static void
write_protocols (const struct handshake *h, struct writer *w)
{
  alpn_write (w, h->config->alpn);
}

static void
write_record_size_limit (const struct handshake *h, struct writer *w)
{
  record_size_limit_write (w, opening_record_size_limit (h));
}

static void
write_session_ticket (const struct handshake *h, struct writer *w)
{
  struct bytes ticket = session_offer_ticket_12 (h);

  write_bytes (w, ticket.at, ticket.left);
}

static void
write_srtp_profiles (const struct handshake *h, struct writer *w)
{
  uint8_t profiles[2 * MAX_SRTP_PROFILES];
  struct writer list = writer_over (profiles, sizeof profiles);
  struct use_srtp srtp = { .mki = { NULL, 0 } };

  for (size_t i = 0; i < h->config->n_srtp_profiles && i < MAX_SRTP_PROFILES; i++)
    write_u16 (&list, h->config->srtp_profiles[i]);
  srtp.profiles = writer_bytes (&list);
  use_srtp_write (w, &srtp);
}

static void
write_versions (const struct handshake *h, struct writer *w)
{
  static const uint16_t versions[] = { VERSION_DTLS_1_3, VERSION_DTLS_1_2 };

  supported_versions_write (w, versions, speaks (h, VERSION_DTLS_1_2) ? 2 : 1);
}

static void
write_cookie (const struct handshake *h, struct writer *w)
{
  cookie_write (w, h->retry_cookie);
}

/* RFC 9846 §4.3.9: no key exchange without forward secrecy. */
static void
write_psk_modes (const struct handshake *h, struct writer *w)
{
  static const uint8_t modes[] = { PSK_DHE_KE };

  (void) h;
  psk_key_exchange_modes_write (w, (struct bytes){ modes, sizeof modes });
}

/* All but pre_shared_key, which is the last. */
/* clang-format off */
static const struct
{
  uint16_t type;
  enum extension_index index;
  void (*write) (const struct handshake *, struct writer *);
} extensions[] = {
  { EXT_SERVER_NAME,            FOUND_SERVER_NAME,            write_server_name },
  { EXT_RENEGOTIATION_INFO,     FOUND_RENEGOTIATION_INFO,     write_renegotiation_info },
  { EXT_EXTENDED_MASTER_SECRET, FOUND_EXTENDED_MASTER_SECRET, write_nothing },
  { EXT_SUPPORTED_GROUPS,       FOUND_SUPPORTED_GROUPS,       write_groups },
  { EXT_EC_POINT_FORMATS,       FOUND_EC_POINT_FORMATS,       write_point_formats },
  { EXT_SIGNATURE_ALGORITHMS,   FOUND_SIGNATURE_ALGORITHMS,   write_schemes },
  { EXT_ALPN,                   FOUND_ALPN,                   write_protocols },
  { EXT_RECORD_SIZE_LIMIT,      FOUND_RECORD_SIZE_LIMIT,      write_record_size_limit },
  { EXT_SESSION_TICKET,         FOUND_SESSION_TICKET,         write_session_ticket },
  { EXT_USE_SRTP,               FOUND_USE_SRTP,               write_srtp_profiles },
  { EXT_SUPPORTED_VERSIONS,     FOUND_SUPPORTED_VERSIONS,     write_versions },
  { EXT_COOKIE,                 FOUND_COOKIE,                 write_cookie },
  { EXT_PSK_KEY_EXCHANGE_MODES, FOUND_PSK_KEY_EXCHANGE_MODES, write_psk_modes },
  { EXT_KEY_SHARE,              FOUND_KEY_SHARE,              shares_write },
};
/* clang-format on */

static struct bytes
suite_list (const struct handshake *h, uint8_t out[2 * MAX_OFFERED_SUITES])
{
  struct writer w = writer_over (out, 2 * MAX_OFFERED_SUITES);

  for (size_t i = 0; i < h->ours.n_suites; i++)
    write_u16 (&w, h->ours.suites[i]);
  return writer_bytes (&w);
}

/* Returns where the binders of pre_shared_key begin, if it has that. */
static size_t
write_hello (const struct handshake *h, struct writer *w)
{
  uint8_t suites[2 * MAX_OFFERED_SUITES];
  struct client_hello hello = {
    .version = VERSION_DTLS_1_2, /* RFC 9147 §5.3: whatever supported_versions says */
    .random = { h->known->randoms, RANDOM_LEN },
    .session_id = { h->session_id, h->session_id_len },
    .cookie = { h->cookie, h->cookie_len },
    .suites = suite_list (h, suites),
    .compression = { (const uint8_t[]){ 0 }, 1 },
  };
  size_t block, body, binders = 0;

  client_hello_write (w, &hello);
  block = extension_block_begin (w);
  for (size_t i = 0; i < sizeof extensions / sizeof extensions[0]; i++)
    if (opening_has_extension (h, extensions[i].index))
      {
        body = extension_begin (w, extensions[i].type);
        extensions[i].write (h, w);
        extension_end (w, body);
      }

  if (opening_has_extension (h, FOUND_PRE_SHARED_KEY))
    {
      body = extension_begin (w, EXT_PRE_SHARED_KEY);
      binders = psk_offers_write (h, w);
      extension_end (w, body);
    }
  extension_block_end (w, block);
  return binders;
}

static size_t
max_hello_len (const struct handshake *h)
{
  size_t len = MAX_FIXED_LEN;

  len += 6 + h->config->alpn.left;
  len += 4 + session_offer_ticket_12 (h).left;
  len += 4 + 2 + 2 * MAX_SRTP_PROFILES + 1;
  len += 6 + h->retry_cookie.left;
  len += 4 + shares_len (h);
  len += 4 + psk_offers_len (h);
  return len;
}

/* A hello is too long only by the vectors that are not ours to choose: a HelloRetryRequest's cookie,
 * or what is configured. */
enum dtls_error
opening_send (struct handshake *handshake, struct effects *effects)
{
  struct writer *w = effects_draft (effects, max_hello_len (handshake));
  size_t binders;

  if (!writer_ok (w))
    return DTLS_ERROR_NO_MEMORY;

  binders = write_hello (handshake, w);
  if (!writer_ok (w))
    return handshake->has_retried ? DTLS_ERROR_ILLEGAL_PARAMETER : DTLS_ERROR_CONFIG;

  if (opening_has_extension (handshake, FOUND_PRE_SHARED_KEY))
    TRY (psk_offers_bind (handshake, w, binders));
  return handshake_send (handshake, effects, CLIENT_HELLO);
}

/* Shares by what room the hello leaves for them. */
static enum dtls_error
add_shares (struct handshake *h, struct effects *effects)
{
  struct writer *w = effects_draft (effects, max_hello_len (h));

  if (!speaks (h, VERSION_DTLS_1_3))
    return DTLS_OK;

  write_hello (h, w);
  return shares_add (h, w->used);
}

static enum dtls_error
send_first_hello (struct handshake *h, const struct message *message, struct effects *effects)
{
  (void) message;

  if (!offer_from_config (&h->ours, h->config, h->crypto) || !psk_offers_allow (h->config->psk))
    return DTLS_ERROR_CONFIG;
  if (!handshake_random (h, h->known->randoms, RANDOM_LEN))
    return DTLS_ERROR_CRYPTO;
  TRY (session_offer_choose (h));
  TRY (add_shares (h, effects));

  effects_add (effects, EFFECT_BEGIN_FLIGHT);
  TRY (opening_send (h, effects));
  effects_add (effects, EFFECT_END_FLIGHT);
  h->state = WAIT_SERVER_HELLO;
  return DTLS_OK;
}

/* ------------------------------------------------------------------------- 2. HelloVerifyRequest */

static enum dtls_error
on_hello_verify_request (struct handshake *h, const struct message *message,
                         struct effects *effects)
{
  struct hello_verify_request request;

  (void) effects;
  /* RFC 9147 §5.1: 1.3 has none, so this server means an older version. */
  if (!speaks (h, VERSION_DTLS_1_2))
    return DTLS_ERROR_PROTOCOL_VERSION;
  if (!hello_verify_request_read (message->body, &request))
    return DTLS_ERROR_DECODE;
  if (++h->n_verify_requests > MAX_VERIFY_REQUESTS)
    return DTLS_ERROR_UNEXPECTED_MESSAGE;

  /* RFC 6347 §4.2.1: its version says nothing about the one to come. */
  if (request.cookie.left > 0)
    memcpy (h->cookie, request.cookie.at, request.cookie.left);
  h->cookie_len = (uint8_t) request.cookie.left;
  h->state = ANSWERING_VERIFY_REQUEST;
  return DTLS_OK;
}

static enum dtls_error
send_verified_hello (struct handshake *h, const struct message *message, struct effects *effects)
{
  (void) message;

  transcript_restart (&h->transcript);
  effects_add (effects, EFFECT_BEGIN_FLIGHT);
  TRY (opening_send (h, effects));
  effects_add (effects, EFFECT_END_FLIGHT);
  h->state = WAIT_SERVER_HELLO;
  return DTLS_OK;
}

/* -------------------------------------------------------------------------------- 3. the version */

/* RFC 9846 §4.3.1: whoever has supported_versions means 1.3. What it selects, and what else may be
 * wrong with the extensions, is for the version's own handler. */
static enum dtls_error
is_of_13 (const struct server_hello *hello, bool *out_is_13)
{
  struct extensions found;

  switch (extensions_read (hello->extensions, IN_SERVER_HELLO_13, &found))
    {
    case EXTENSIONS_MALFORMED:
    case EXTENSIONS_DUPLICATE:
      return DTLS_ERROR_DECODE;
    case EXTENSIONS_MISPLACED:
    case EXTENSIONS_OK:
      break;
    }

  *out_is_13 = found.has[FOUND_SUPPORTED_VERSIONS];
  /* RFC 9846 §4.2.4: a HelloRetryRequest has it. */
  return !*out_is_13 && server_hello_is_retry (hello) ? DTLS_ERROR_MISSING_EXTENSION : DTLS_OK;
}

/* RFC 9846 §4.2.3: a server that speaks 1.3 marks its choice of 1.2, one that speaks 1.2 or more its
 * choice of less. The first is a lie if we speak 1.3, and the second in any case. */
static bool
is_downgrade (const struct handshake *h, struct bytes random)
{
  static const uint8_t mark[] = { 'D', 'O', 'W', 'N', 'G', 'R', 'D' };
  const uint8_t *end = random.at + RANDOM_LEN - sizeof mark - 1;

  if (memcmp (end, mark, sizeof mark) != 0)
    return false;

  return end[sizeof mark] == 0 || (end[sizeof mark] == 1 && speaks (h, VERSION_DTLS_1_3));
}

static enum dtls_error
go_on_with_12 (struct handshake *h, const struct server_hello *hello)
{
  if (hello->version != VERSION_DTLS_1_2 || !speaks (h, VERSION_DTLS_1_2))
    return DTLS_ERROR_PROTOCOL_VERSION;
  if (is_downgrade (h, hello->random))
    return DTLS_ERROR_DOWNGRADE;

  shares_drop (h);
  h->known->version = VERSION_DTLS_1_2;
  h->table = &client12_table;
  return DTLS_OK;
}

static enum dtls_error
go_on_with_13 (struct handshake *h)
{
  /* RFC 9147 §5.2: a server of 1.3 does not send HelloVerifyRequest. */
  if (h->n_verify_requests > 0)
    return DTLS_ERROR_ILLEGAL_PARAMETER;

  h->known->version = VERSION_DTLS_1_3;
  h->table = &client13_table;
  transcript_use_13 (&h->transcript);
  return DTLS_OK;
}

static enum dtls_error
on_server_hello (struct handshake *h, const struct message *message, struct effects *effects)
{
  struct server_hello hello;
  bool is_13 = false;

  if (!server_hello_read (message->body, &hello))
    return DTLS_ERROR_DECODE;
  if (speaks (h, VERSION_DTLS_1_3))
    TRY (is_of_13 (&hello, &is_13));

  if (is_13)
    {
      TRY (go_on_with_13 (h));
      return client13_on_server_hello (h, message, effects);
    }

  TRY (go_on_with_12 (h, &hello));
  return client12_on_server_hello (h, message, effects);
}

/* What the first handlers of both versions may go to. */
#define AFTER_12                                                                                   \
  (TO (WAIT_SERVER_CERTIFICATE) | TO (WAIT_PSK_PARAMETERS) | TO (WAIT_PSK_HINT_OR_DONE)            \
   | TO (WAIT_SESSION_TICKET) | TO (WAIT_CHANGE_CIPHER_SPEC))
#define AFTER_13 (TO (ANSWERING_RETRY) | TO (ANSWERING_SERVER_HELLO))

/* clang-format off */
static const struct row rows[] = {
  /* waiting for              gets                  does                     may go to */
  { START,                    INPUT_OUR_TURN,       send_first_hello,        TO (WAIT_SERVER_HELLO) },
  { WAIT_SERVER_HELLO,        HELLO_VERIFY_REQUEST, on_hello_verify_request, TO (ANSWERING_VERIFY_REQUEST) },
  { ANSWERING_VERIFY_REQUEST, INPUT_OUR_TURN,       send_verified_hello,     TO (WAIT_SERVER_HELLO) },
  { WAIT_SERVER_HELLO,        SERVER_HELLO,         on_server_hello,         AFTER_12 | AFTER_13 },
};
/* clang-format on */

const struct table opening_client_table = { rows, sizeof rows / sizeof rows[0] };
