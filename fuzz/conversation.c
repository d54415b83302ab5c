/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Commands, and the credentials they need. */

#include "conversation.h"

#include "fuzz.h"

#include "conn/conn.h"
#include "pair.h"
#include "record/seal.h"
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
come_sealed (struct conversation *c)
{
  struct dtls_conn *peer = c->pair.sides[c->other].conn;
  uint8_t type = read_u8 (&c->reader);
  struct bytes content = read_vec (&c->reader, 1);
  uint8_t memory[512];
  struct dtls_buffer out = { memory, sizeof memory, 0 };
  struct seal_input input = { type, VERSION_DTLS_1_2, &content, 1 };

  if (peer == NULL || peer->write.epoch.number == 0
      || record_seal (&peer->write.epoch, &input, &out) != DTLS_OK)
    return;

  arrive (c, (struct bytes){ memory, out.used });
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
run_command (struct conversation *c)
{
  uint8_t command = read_u8 (&c->reader);

  switch (command % 12)
    {
    case 0:
      take_steps (c, 1);
      break;
    case 1:
      take_steps (c, read_u8 (&c->reader));
      break;
    case 2:
      catch_one (c);
      break;
    case 3:
      spoil_one (c);
      break;
    case 4:
      arrive (c, read_vec (&c->reader, 1));
      break;
    case 5:
      come_in_the_clear (c);
      break;
    case 6:
      come_sealed (c);
      break;
    case 7:
      arrive (c, (struct bytes){ c->latest, c->latest_len });
      break;
    case 8:
      pair_run (&c->pair, read_u8 (&c->reader) * 100 * DTLS_MILLISECOND);
      break;
    case 9:
      send_data (c);
      break;
    case 10:
      close_end (c, c->other);
      break;
    case 11:
      close_end (c, c->role);
      break;
    }
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

static void
set_up (struct conversation *c, uint8_t setting, uint8_t *count)
{
  struct pair *pair = &c->pair;

  pair_init (pair, conversation_identity (), conversation_identity ());
  pair->has_cookies = (setting & 1) != 0;
  if (setting & 2)
    pair->sides[DTLS_SERVER].config.client_auth = DTLS_CLIENT_AUTH_REQUIRED;
  for (unsigned i = 0; i < 2; i++)
    {
      struct side *side = &pair->sides[i];

      side->config.random = count_up;
      side->config.random_data = count;
      if (setting & 4)
        side->config.mtu = 256;
      if (setting & 8)
        side->credential = side->signature = side->verdict = ANSWERS_LATER;
      if (setting & 16)
        side->config.alpn = (struct bytes){ (const uint8_t *) "\1a\1b", 4 };
      if (setting & 32)
        side->config.record_size_limit = 64;
    }
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
  set_up (c, read_u8 (&c->reader), &count);
  pair_start (&c->pair);
  for (unsigned i = 0; i < MAX_COMMANDS && c->reader.left > 0; i++)
    run_command (c);

  fuzz_check (c->pair.broken == NULL);
  check_agreement (&c->pair);
  pair_clear (&c->pair);
  free (c);
}
