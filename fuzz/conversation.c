/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Commands, and the credentials they need. */

#include "conversation.h"

#include "fuzz.h"

#include "conn/conn.h"
#include "pair.h"
#include "record/seal.h"
#include "wire/ack.h"
#include "wire/codepoints.h"
#include "wire/record_header.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

/* ---------------------------------------------------------------------------------- identity */

static struct bytes
certificate_of (EVP_PKEY *key)
{
  X509 *certificate = X509_new ();
  X509_NAME *name = X509_get_subject_name (certificate);
  unsigned char *der = NULL;
  int len;

  X509_set_version (certificate, X509_VERSION_3);
  ASN1_INTEGER_set (X509_get_serialNumber (certificate), 1);
  X509_gmtime_adj (X509_getm_notBefore (certificate), 0);
  X509_gmtime_adj (X509_getm_notAfter (certificate), 3600);
  X509_NAME_add_entry_by_txt (name, "CN", MBSTRING_ASC, (const unsigned char *) "fuzz", -1, -1, 0);
  X509_set_issuer_name (certificate, name);
  X509_set_pubkey (certificate, key);
  fuzz_check (X509_sign (certificate, key, EVP_sha256 ()) > 0);
  len = i2d_X509 (certificate, &der);
  fuzz_check (len > 0);
  X509_free (certificate);
  return (struct bytes){ der, (size_t) len };
}

const struct identity *
conversation_identity (void)
{
  static struct identity identity;

  if (identity.key == NULL)
    {
      EVP_PKEY *key = EVP_EC_gen ("P-256");
      struct bytes chain = certificate_of (key);
      unsigned char *der = NULL;
      int len = i2d_PrivateKey (key, &der);

      fuzz_check (len > 0);
      identity_init (&identity, &chain, 1, (struct bytes){ der, (size_t) len });
      EVP_PKEY_free (key);
    }
  return &identity;
}

/* ---------------------------------------------------------------------------------- commands */

enum
{
  MAX_COMMANDS = 400,
};

struct conversation
{
  struct pair pair;
  enum dtls_role role;
  enum dtls_role other;
  struct reader reader;
  uint8_t latest[MAX_DATAGRAM]; /* what came last */
  size_t latest_len;
};

static void
arrive (struct conversation *c, struct bytes datagram)
{
  if (datagram.left > 0)
    memmove (c->latest, datagram.at, datagram.left);
  c->latest_len = datagram.left;
  pair_deliver (&c->pair, c->role, (struct bytes){ c->latest, c->latest_len });
}

/* The next datagram on its way is in `latest`, and not on its way any more. */
static bool
catch_one (struct conversation *c)
{
  for (unsigned i = 0; i < 8; i++)
    {
      if (pair_intercept (&c->pair, c->role, c->latest, &c->latest_len))
        return true;
      pair_step (&c->pair, c->pair.now + DTLS_SECOND);
    }

  return false;
}

static void
take_steps (struct conversation *c, unsigned n)
{
  while (n-- > 0 && pair_step (&c->pair, c->pair.now + DTLS_SECOND))
    ;
}

static void
spoil_one (struct conversation *c)
{
  size_t offset = read_u16 (&c->reader);
  uint8_t turn = read_u8 (&c->reader);

  if (!catch_one (c) || c->latest_len == 0)
    return;

  c->latest[offset % c->latest_len] ^= turn;
  pair_deliver (&c->pair, c->role, (struct bytes){ c->latest, c->latest_len });
}

static void
come_in_the_clear (struct conversation *c)
{
  struct record_header header = { .version = VERSION_DTLS_1_2 };
  unsigned n = c->pair.sides[c->role].n_messages;
  uint8_t memory[RECORD_HEADER_LEN + 255];
  struct writer w = writer_over (memory, sizeof memory);
  struct bytes content;

  header.type = read_u8 (&c->reader);
  header.epoch = read_u8 (&c->reader);
  content = read_vec (&c->reader, 1);
  header.number = 1000;
  header.len = (uint16_t) content.left;
  record_header_write (&w, &header);
  write_bytes (&w, content.at, content.left);
  arrive (c, writer_bytes (&w));
  /* Nothing in the clear is ever data. */
  fuzz_check (c->pair.sides[c->role].n_messages == n);
}

static void
send_data (struct conversation *c)
{
  static const uint8_t zeros[255];
  size_t len = read_u8 (&c->reader);

  if (c->pair.sides[c->other].conn != NULL
      && pair_send (&c->pair, c->other, (struct bytes){ zeros, len }) == DTLS_OK)
    pair_settle (&c->pair);
}

static void
close_end (struct conversation *c, enum dtls_role role)
{
  if (c->pair.sides[role].conn != NULL)
    pair_close (&c->pair, role);
}

static void
update_keys (struct conversation *c, enum dtls_role role)
{
  bool asks = (read_u8 (&c->reader) & 1) != 0;
  struct dtls_conn *conn = c->pair.sides[role].conn;

  if (conn == NULL)
    return;

  (void) !dtls_conn_update_keys (conn, c->pair.now,
                                 asks ? DTLS_KEY_UPDATE_BOTH : DTLS_KEY_UPDATE_OURS);
  pair_drain (&c->pair, role);
}

/* Under the newest keys of the other end, if it has any. */
static void
arrive_sealed (struct conversation *c, uint8_t type, struct bytes content)
{
  struct dtls_conn *peer = c->pair.sides[c->other].conn;
  uint8_t memory[512];
  struct dtls_buffer out = { memory, sizeof memory, 0 };
  struct seal_input input = { type, VERSION_DTLS_1_2, &content, 1 };

  if (peer == NULL || peer->write.epoch.number == 0
      || record_seal (&peer->write.epoch, &input, &out) != DTLS_OK)
    return;

  arrive (c, (struct bytes){ memory, out.used });
}

static void
come_sealed (struct conversation *c)
{
  uint8_t type = read_u8 (&c->reader);

  arrive_sealed (c, type, read_vec (&c->reader, 1));
}

static void
come_ack (struct conversation *c)
{
  struct record_number number = { .epoch = read_u8 (&c->reader) };
  uint8_t memory[2 + RECORD_NUMBER_LEN];
  struct writer w = writer_over (memory, sizeof memory);

  number.number = read_u8 (&c->reader);
  ack_write (&w, &number, 1);
  arrive_sealed (c, CONTENT_ACK, writer_bytes (&w));
}

static void
come_message (struct conversation *c)
{
  const struct dtls_conn *conn = c->pair.sides[c->role].conn;
  struct fragment whole = { .type = read_u8 (&c->reader) };
  uint8_t memory[FRAGMENT_HEADER_LEN + 255];
  struct writer w = writer_over (memory, sizeof memory);

  whole.body = read_vec (&c->reader, 1);
  whole.message_len = (uint32_t) whole.body.left;
  if (conn == NULL)
    return;

  whole.message_seq =
      conn->reassembly != NULL ? reassembly_next_seq (conn->reassembly) : conn->next_message_seq;
  fragment_write_header (&w, &whole);
  write_bytes (&w, whole.body.at, whole.body.left);
  arrive_sealed (c, CONTENT_HANDSHAKE, writer_bytes (&w));
}

static void
take_step (struct conversation *c)
{
  take_steps (c, 1);
}

static void
take_some_steps (struct conversation *c)
{
  take_steps (c, read_u8 (&c->reader));
}

static void
lose_one (struct conversation *c)
{
  catch_one (c);
}

static void
come_out_of_the_blue (struct conversation *c)
{
  arrive (c, read_vec (&c->reader, 1));
}

static void
come_again (struct conversation *c)
{
  arrive (c, (struct bytes){ c->latest, c->latest_len });
}

static void
let_time_pass (struct conversation *c)
{
  pair_run (&c->pair, read_u8 (&c->reader) * 100 * DTLS_MILLISECOND);
}

static void
close_other_end (struct conversation *c)
{
  close_end (c, c->other);
}

static void
close_this_end (struct conversation *c)
{
  close_end (c, c->role);
}

static void
update_this_end (struct conversation *c)
{
  update_keys (c, c->role);
}

static void
update_other_end (struct conversation *c)
{
  update_keys (c, c->other);
}

/* By their numbers, see conversation.h. */
static void (*const commands[]) (struct conversation *) = {
  take_step,         take_some_steps, lose_one,        spoil_one,        come_out_of_the_blue,
  come_in_the_clear, come_sealed,     come_again,      let_time_pass,    send_data,
  close_other_end,   close_this_end,  update_this_end, update_other_end, come_ack,
  come_message,
};

static void
run_command (struct conversation *c)
{
  commands[read_u8 (&c->reader) % (sizeof commands / sizeof commands[0])](c);
}

/* ---------------------------------------------------------------------------------- the whole */

/* The same in every run. */
static void
count_up (void *data, uint8_t *out, size_t len)
{
  uint8_t *count = data;

  for (size_t i = 0; i < len; i++)
    out[i] = ++*count;
}

static const uint16_t p256[] = { GROUP_SECP256R1 };
static const struct dtls_ticket_key ticket_key = { .name = "fuzz", .secret = { 1 } };
static const struct dtls_psk client_key = {
  { (const uint8_t *) "fuzz", 4 },
  { (const uint8_t *) "a key", 5 },
  DTLS_CLIENT,
  DTLS_PSK_SHA256,
};
static const struct dtls_psk server_key = {
  { (const uint8_t *) "fuzz", 4 },
  { (const uint8_t *) "a key", 5 },
  DTLS_SERVER,
  DTLS_PSK_SHA256,
};

enum
{
  HAS_COOKIES = 1 << 0,
  ASKS_CLIENT = 1 << 1,
  SMALL_MTU = 1 << 2,
  ANSWERS_LATE = 1 << 3,
  HAS_PROTOCOLS = 1 << 4,
  SMALL_RECORDS = 1 << 5,
  HAS_MORE = 1 << 6,
  /* In the second byte. */
  ONLY_13 = 1 << 0, /* otherwise 1.2 alone, or both */
  BOTH_VERSIONS = 1 << 1,
  HAS_TICKETS = 1 << 2,
  RESUMES = 1 << 3, /* or would, if nothing else has changed */
  HAS_KEY = 1 << 4,
  HAS_OTHER_GROUP = 1 << 5, /* the server: in 1.3 it asks for it */
};

static void
set_up_more (struct pair *pair, uint8_t setting)
{
  struct side *client = &pair->sides[DTLS_CLIENT], *server = &pair->sides[DTLS_SERVER];

  if (setting & BOTH_VERSIONS)
    pair_set_versions (pair, DTLS_1_2, DTLS_1_3);
  else if (setting & ONLY_13)
    pair_set_versions (pair, DTLS_1_3, DTLS_1_3);
  if (setting & (HAS_TICKETS | RESUMES))
    {
      server->config.ticket_keys = &ticket_key;
      server->config.n_ticket_keys = 1;
    }
  if (setting & HAS_KEY)
    {
      client->config.psk = &client_key;
      server->config.asks_for_psk = true;
      server->given_psk = &server_key;
    }
  if (setting & HAS_OTHER_GROUP)
    {
      server->config.groups = p256;
      server->config.n_groups = 1;
    }
}

static void
set_up (struct pair *pair, uint8_t setting, uint8_t *count)
{
  pair_init (pair, conversation_identity (), conversation_identity ());
  pair->has_cookies = (setting & HAS_COOKIES) != 0;
  if (setting & ASKS_CLIENT)
    pair->sides[DTLS_SERVER].config.client_auth = DTLS_CLIENT_AUTH_REQUIRED;
  for (unsigned i = 0; i < 2; i++)
    {
      struct side *side = &pair->sides[i];

      side->config.random = count_up;
      side->config.random_data = count;
      if (setting & SMALL_MTU)
        side->config.mtu = 256;
      if (setting & ANSWERS_LATE)
        side->credential = side->signature = side->verdict = side->psk = ANSWERS_LATER;
      if (setting & HAS_PROTOCOLS)
        side->config.alpn = (struct bytes){ (const uint8_t *) "\1a\1b", 4 };
      if (setting & SMALL_RECORDS)
        side->config.record_size_limit = 64;
    }
}

/* A session of an undisturbed handshake with these settings, made once for each of them. */
static struct bytes
make_session (uint8_t setting, uint8_t more)
{
  static struct bytes kept[1 << 3];
  unsigned which = (more & (ONLY_13 | BOTH_VERSIONS)) | ((setting & ASKS_CLIENT) != 0) << 2;
  uint8_t count = 0;
  struct pair pair;
  uint8_t *copy;

  if (kept[which].at != NULL)
    return kept[which];

  set_up (&pair, setting & ASKS_CLIENT, &count);
  set_up_more (&pair, (more & (ONLY_13 | BOTH_VERSIONS)) | HAS_TICKETS);
  fuzz_check (pair_handshake (&pair));
  pair_run (&pair, DTLS_SECOND);
  kept[which].left = pair.sides[DTLS_CLIENT].session_len;
  copy = malloc (kept[which].left);
  fuzz_check (copy != NULL && kept[which].left > 0);
  memcpy (copy, pair.sides[DTLS_CLIENT].session, kept[which].left);
  kept[which].at = copy;
  pair_clear (&pair);
  return kept[which];
}

static void
begin (struct conversation *c, uint8_t *count)
{
  uint8_t setting = read_u8 (&c->reader);
  uint8_t more = setting & HAS_MORE ? read_u8 (&c->reader) : 0;

  set_up (&c->pair, setting, count);
  set_up_more (&c->pair, more);
  if (more & RESUMES)
    {
      c->pair.now += 60 * DTLS_SECOND;
      c->pair.sides[DTLS_CLIENT].config.session = make_session (setting, more);
    }
  pair_start (&c->pair);
}

/* Two ends that are both connected hold the same keys, whatever happened on the way. */
static void
check_agreement (const struct pair *pair)
{
  struct bytes label = { (const uint8_t *) "EXPORTER-fuzz", 13 };
  uint8_t keys[2][16];

  if (!pair_is_connected (pair))
    return;
  for (unsigned i = 0; i < 2; i++)
    fuzz_check (dtls_conn_export (pair->sides[i].conn, label, NULL, keys[i], sizeof keys[i])
                == DTLS_OK);
  fuzz_check (memcmp (keys[0], keys[1], sizeof keys[0]) == 0);
  fuzz_check (
      dtls_conn_version (pair->sides[0].conn) == dtls_conn_version (pair->sides[1].conn)
      && dtls_conn_suite (pair->sides[0].conn) == dtls_conn_suite (pair->sides[1].conn)
      && dtls_conn_is_resumed (pair->sides[0].conn) == dtls_conn_is_resumed (pair->sides[1].conn)
      && dtls_conn_has_psk (pair->sides[0].conn) == dtls_conn_has_psk (pair->sides[1].conn));
}

void
conversation_run (struct bytes input, enum dtls_role role)
{
  struct conversation *c = calloc (1, sizeof *c);
  uint8_t count = 0;

  fuzz_check (c != NULL);
  c->role = role;
  c->other = role == DTLS_CLIENT ? DTLS_SERVER : DTLS_CLIENT;
  c->reader = reader_over (input);
  begin (c, &count);
  for (unsigned i = 0; i < MAX_COMMANDS && c->reader.left > 0; i++)
    run_command (c);

  fuzz_check (c->pair.broken == NULL);
  check_agreement (&c->pair);
  pair_clear (&c->pair);
  free (c);
}
