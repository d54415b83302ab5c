/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Tickets open with their key, as they were sealed, and not otherwise. */

#include "crypto/aead.h"
#include "crypto/hex.h"
#include "crypto/lent.h"
#include "handshake/tickets.h"

#include <string.h>

static const struct dtls_ticket_key first = { "the first key", "the first key's secret" };
static const struct dtls_ticket_key second = { "the second key", "the second key's secret" };
static const struct dtls_ticket_key double_of_first = { "the first key", "another secret" };

struct room
{
  uint8_t at[512];
  struct dtls_buffer buffer;
};

static struct dtls_buffer *
room_of (struct room *room, size_t capacity)
{
  memset (room->at, 0xa5, sizeof room->at);
  room->buffer = (struct dtls_buffer){ room->at, capacity, 0 };
  return &room->buffer;
}

static struct bytes
seal (const struct dtls_ticket_key *key, struct bytes session, struct room *room)
{
  CHECK (ticket_seal (crypto, key, session, room_of (room, session.left + TICKET_OVERHEAD)));
  CHECK_UINT (room->buffer.used, session.left + TICKET_OVERHEAD);
  CHECK_UINT (room->at[room->buffer.used], 0xa5);
  return (struct bytes){ room->at, room->buffer.used };
}

/* From a copy that ends where its allocation ends, into just the room that it may take. */
static bool
opens (const struct ticket_ring *ring, struct bytes ticket, struct bytes expected)
{
  uint8_t *copy = malloc (ticket.left > 0 ? ticket.left : 1);
  struct room room;
  bool is_open;

  if (copy == NULL)
    abort ();
  memcpy (copy, ticket.at, ticket.left);
  is_open =
      ticket_open (crypto, ring, (struct bytes){ copy, ticket.left }, room_of (&room, ticket.left));
  free (copy);
  CHECK_UINT (room.at[ticket.left], 0xa5);
  if (is_open)
    CHECK_BYTES (((struct bytes){ room.at, room.buffer.used }), expected);
  else
    CHECK_UINT (room.buffer.used, 0);
  return is_open;
}

static void
test_round_trip (void)
{
  static uint8_t session[300];
  const struct ticket_ring ring = { &first, 1 };

  for (size_t i = 0; i < sizeof session; i++)
    session[i] = (uint8_t) i;
  for (size_t len = 0; len <= sizeof session; len++)
    {
      struct bytes inside = { session, len };
      struct room room;

      CHECK (opens (&ring, seal (&first, inside, &room), inside));
    }
}

/* Other processes, of other versions too, must find it as tickets.h says. */
static void
test_layout (void)
{
  const struct bytes session = TAP_STRING ("a session");
  struct aead *aead = aead_new (crypto, AEAD_AES_256_GCM, AEAD_OPENS, first.secret);
  struct room room;
  struct bytes ticket = seal (&first, session, &room);
  const struct aead_input input = { room.at + 16, { room.at, 28 } };

  CHECK_BYTES (((struct bytes){ ticket.at, 16 }), TAP_BYTES (first.name));
  CHECK (aead_open (aead, &input, room.at + 28, ticket.left - 28));
  CHECK_BYTES (((struct bytes){ room.at + 28, session.left }), session);
  aead_free (aead);
}

/* Two of the same session have nothing in common but the key's name. */
static void
test_no_two_are_alike (void)
{
  struct room rooms[2];
  struct bytes tickets[2];

  for (unsigned i = 0; i < 2; i++)
    tickets[i] = seal (&first, TAP_STRING ("the same session"), &rooms[i]);
  CHECK (memcmp (tickets[0].at, tickets[1].at, 16) == 0);
  CHECK (memcmp (tickets[0].at + 16, tickets[1].at + 16, 12) != 0);
  CHECK (memcmp (tickets[0].at + 28, tickets[1].at + 28, 16) != 0);
}

static void
test_any_turned_bit (void)
{
  const struct ticket_ring ring = { &first, 1 };
  const struct bytes session = TAP_STRING ("a session");
  struct room room;
  struct bytes ticket = seal (&first, session, &room);

  for (size_t bit = 0; bit < 8 * ticket.left; bit++)
    {
      room.at[bit / 8] ^= (uint8_t) (1 << bit % 8);
      CHECK (!opens (&ring, ticket, session));
      room.at[bit / 8] ^= (uint8_t) (1 << bit % 8);
    }
  CHECK (opens (&ring, ticket, session));
}

static void
test_any_other_length (void)
{
  const struct ticket_ring ring = { &first, 1 };
  const struct bytes session = TAP_STRING ("a session");
  struct room room;
  struct bytes ticket = seal (&first, session, &room);

  for (size_t len = 0; len <= ticket.left + 2; len++)
    CHECK_UINT (opens (&ring, (struct bytes){ room.at, len }, session), len == ticket.left);
}

struct ring_row
{
  const char *name;
  struct dtls_ticket_key keys[3];
  size_t n;
  bool opens;
};

static void
test_rotation (void)
{
  const struct ring_row rows[] = {
    { "its key alone", { first }, 1, true },
    { "its key after a newer one", { second, first }, 2, true },
    { "another key", { second }, 1, false },
    { "no key", { first }, 0, false },
    { "another key of its name", { double_of_first }, 1, false },
    { "its key after another of its name", { double_of_first, first }, 2, true },
  };
  const struct bytes session = TAP_STRING ("a session");
  struct room room;
  struct bytes ticket = seal (&first, session, &room);

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      const struct ticket_ring ring = { rows[i].keys, rows[i].n };

      tap_set_row (rows[i].name);
      CHECK_UINT (opens (&ring, ticket, session), rows[i].opens);
    }
  tap_set_row (NULL);
}

static void
test_no_room (void)
{
  const struct ticket_ring ring = { &first, 1 };
  const struct bytes session = TAP_STRING ("a session");
  struct room sealed, room;
  struct bytes ticket = seal (&first, session, &sealed);

  for (size_t capacity = 0; capacity < ticket.left; capacity++)
    {
      CHECK (!ticket_seal (crypto, &first, session, room_of (&room, capacity)));
      CHECK_UINT (room.buffer.used, 0);
      CHECK_UINT (room.at[capacity], 0xa5);
      CHECK (!ticket_open (crypto, &ring, ticket, room_of (&room, capacity)));
      CHECK_UINT (room.buffer.used, 0);
      CHECK_UINT (room.at[capacity], 0xa5);
    }
}

/* Both append: what is there already stays. */
static void
test_appends (void)
{
  const struct ticket_ring ring = { &first, 1 };
  struct room room;
  struct dtls_buffer *out = room_of (&room, sizeof room.at);
  struct dtls_buffer opened = { room.at + 256, 256, 1 };

  out->used = 3;
  CHECK (ticket_seal (crypto, &first, TAP_STRING ("session"), out));
  CHECK_UINT (out->used, 3 + 7 + TICKET_OVERHEAD);
  CHECK (ticket_open (crypto, &ring, (struct bytes){ room.at + 3, 7 + TICKET_OVERHEAD }, &opened));
  CHECK_UINT (opened.used, 8);
  CHECK_BYTES (((struct bytes){ opened.at, 8 }), TAP_STRING ("\xa5session"));
  CHECK_UINT (room.at[2], 0xa5);
}

/* HKDF-Expand (1, 2, ..., 32; "moat ticket key", 0x0102 and 0x0101 as eight bytes), by a script on Python's
 * hmac: one process must keep deriving what another does. */
static void
test_derived_keys (void)
{
  uint8_t secret[32];
  struct dtls_ticket_key keys[2], before[2];
  struct hex place;

  for (size_t i = 0; i < sizeof secret; i++)
    secret[i] = (uint8_t) (i + 1);
  CHECK (dtls_ticket_keys_derive (crypto, secret, 0x0102, keys));
  CHECK_BYTES (TAP_BYTES (keys[0].name), hex_read (&place, "5b8e22bbab164a40f00acb83367f7a5a"));
  CHECK_BYTES (
      TAP_BYTES (keys[0].secret),
      hex_read (&place, "c22d7edf716989f5034f09fe0b953c35464e9c9546a51037de2ce9fca7a46dec"));
  CHECK_BYTES (TAP_BYTES (keys[1].name), hex_read (&place, "483ef525c1465bdcd58b134834b867ba"));
  CHECK_BYTES (
      TAP_BYTES (keys[1].secret),
      hex_read (&place, "a185fa798c5e89b612303db4367e3c91f43cde967517380eeb7e98b482e282e7"));

  /* The period before this one: this one's second key is that one's first. */
  CHECK (dtls_ticket_keys_derive (crypto, secret, 0x0101, before));
  CHECK_BYTES (TAP_BYTES (before[0].name), TAP_BYTES (keys[1].name));
  CHECK_BYTES (TAP_BYTES (before[0].secret), TAP_BYTES (keys[1].secret));
}

static const struct tap_test tests[] = {
  { "/handshake/tickets/open-with-their-key", test_round_trip },
  { "/handshake/tickets/name-nonce-and-aes-256-gcm-over-all", test_layout },
  { "/handshake/tickets/no-two-are-alike", test_no_two_are_alike },
  { "/handshake/tickets/any-turned-bit-is-refused", test_any_turned_bit },
  { "/handshake/tickets/any-other-length-is-refused", test_any_other_length },
  { "/handshake/tickets/keys-are-looked-for-by-name", test_rotation },
  { "/handshake/tickets/nothing-is-written-without-room", test_no_room },
  { "/handshake/tickets/append", test_appends },
  { "/handshake/tickets/derived-keys-are-the-same-everywhere", test_derived_keys },
};

LENT_MAIN (tests)
