/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What someone outside is asked: the credential, the signature and the verdict, answered before they are asked for, at
 * once, later or never, while timers go on. */

#include "crypto/signature.h"
#include "same.h"
#include "wire/codepoints.h"

static void
set_up (struct pair *pair)
{
  pair_init (pair, pki_identity ("server-ecdsa"), pki_identity ("client-ecdsa"));
  pair->sides[DTLS_SERVER].config.client_auth = DTLS_CLIENT_AUTH_REQUIRED;
}

/* ---------------------------------------------------------------------------------- sooner or later */

static void
answer_when (enum dtls_role role, enum answering credential, enum answering signature,
             enum answering verdict)
{
  struct pair pair;
  struct side *side = &pair.sides[role];
  char row[64];

  snprintf (row, sizeof row, "%s: credential %u, signature %u, verdict %u",
            role == DTLS_CLIENT ? "client" : "server", credential, signature, verdict);
  tap_set_row (row);
  set_up (&pair);
  side->credential = credential;
  side->signature = signature;
  side->verdict = verdict;
  if (!CHECK (pair_handshake (&pair)))
    tell_errors (&pair);
  else if (check_same (&pair))
    CHECK (pair_talks (&pair));

  CHECK_UINT (side->n_events[DTLS_EVENT_CREDENTIAL_NEEDED], credential != ANSWERS_BEFORE);
  CHECK_UINT (side->n_events[DTLS_EVENT_SIGNATURE_NEEDED], signature != ANSWERS_BEFORE);
  CHECK_UINT (side->n_events[DTLS_EVENT_VERDICT_NEEDED], 1);
  CHECK_UINT (side->n_events[DTLS_EVENT_CONNECTED], 1);
  CHECK_UINT (dtls_conn_wait (side->conn), DTLS_WAIT_NONE);
  PAIR_END (&pair);
  tap_set_row (NULL);
}

static void
test_answers_at_any_time (void)
{
  for (unsigned role = 0; role < 2; role++)
    for (unsigned credential = ANSWERS_BEFORE; credential <= ANSWERS_LATER; credential++)
      for (unsigned signature = ANSWERS_BEFORE; signature <= ANSWERS_LATER; signature++)
        for (unsigned verdict = ANSWERS_AT_ONCE; verdict <= ANSWERS_LATER; verdict++)
          answer_when (role, credential, signature, verdict);
}

/* Everybody asks, takes ten seconds for each answer, and a fifth of the datagrams is lost. */
static void
test_answers_late_over_a_bad_link (void)
{
  for (uint64_t seed = 1; seed <= 200; seed++)
    {
      struct pair pair;

      set_up (&pair);
      pair.seed = seed;
      for (unsigned i = 0; i < 2; i++)
        {
          struct side *side = &pair.sides[i];

          side->credential = side->signature = side->verdict = ANSWERS_LATER;
          side->answer_delay = 10 * DTLS_SECOND;
          side->config.handshake_deadline = DTLS_NEVER;
          side->config.mtu = 600;
          pair.links[i].drop_percent = 20;
          pair.links[i].duplicate_percent = 10;
        }
      if (!CHECK (pair_handshake (&pair)))
        tell_errors (&pair);
      else
        check_same (&pair);
      PAIR_END (&pair);
    }
}

/* ---------------------------------------------------------------------------------- never */

struct never_row
{
  const char *name;
  enum dtls_role role;
  enum answering credential, signature, verdict;
  enum dtls_wait wait;
};

/* clang-format off */
static const struct never_row never_rows[] = {
  { "server's credential", DTLS_SERVER, ANSWERS_NEVER,  ANSWERS_BEFORE, ANSWERS_BEFORE, DTLS_WAIT_CREDENTIAL },
  { "server's signature",  DTLS_SERVER, ANSWERS_BEFORE, ANSWERS_NEVER,  ANSWERS_BEFORE, DTLS_WAIT_SIGNATURE },
  { "server's verdict",    DTLS_SERVER, ANSWERS_BEFORE, ANSWERS_BEFORE, ANSWERS_NEVER,  DTLS_WAIT_VERDICT },
  { "client's credential", DTLS_CLIENT, ANSWERS_NEVER,  ANSWERS_BEFORE, ANSWERS_BEFORE, DTLS_WAIT_CREDENTIAL },
  { "client's signature",  DTLS_CLIENT, ANSWERS_BEFORE, ANSWERS_NEVER,  ANSWERS_BEFORE, DTLS_WAIT_SIGNATURE },
  { "client's verdict",    DTLS_CLIENT, ANSWERS_BEFORE, ANSWERS_BEFORE, ANSWERS_NEVER,  DTLS_WAIT_VERDICT },
};
/* clang-format on */

static void
test_never_ends_at_the_deadline (void)
{
  for (size_t i = 0; i < TAP_N (never_rows); i++)
    {
      const struct never_row *row = &never_rows[i];
      struct pair pair;
      struct side *side = &pair.sides[row->role];

      tap_set_row (row->name);
      set_up (&pair);
      side->credential = row->credential;
      side->signature = row->signature;
      side->verdict = row->verdict;
      pair_start (&pair);
      pair_run (&pair, 30 * DTLS_SECOND);
      CHECK_UINT (dtls_conn_wait (side->conn), row->wait);
      CHECK (dtls_conn_is_handshaking (side->conn));
      CHECK (dtls_conn_has_heard_peer (side->conn));

      pair_run (&pair, 31 * DTLS_SECOND);
      CHECK_UINT (dtls_conn_error (side->conn), DTLS_ERROR_TIMED_OUT);
      CHECK_UINT (dtls_conn_wait (side->conn), DTLS_WAIT_NONE);
      CHECK_UINT (dtls_conn_deadline (side->conn), DTLS_NEVER);
      PAIR_END (&pair);
    }
  tap_set_row (NULL);
}

/* While one is asked, it is not the peer that is waited for: only the peer transmits again. */
static void
test_no_retransmission_while_someone_is_asked (void)
{
  struct pair pair;
  struct dtls_stats stats;

  set_up (&pair);
  pair.sides[DTLS_CLIENT].verdict = ANSWERS_NEVER;
  pair_start (&pair);
  pair_run (&pair, 20 * DTLS_SECOND);
  CHECK_UINT (dtls_conn_wait (pair.sides[DTLS_CLIENT].conn), DTLS_WAIT_VERDICT);
  CHECK_UINT (pair.links[DTLS_CLIENT].n_datagrams, 1);
  dtls_conn_stats (pair.sides[DTLS_SERVER].conn, &stats);
  CHECK (stats.n_retransmissions >= 5);
  PAIR_END (&pair);
}

/* ---------------------------------------------------------------------------------- which answers */

struct verdict_row
{
  const char *name;
  enum dtls_role judge;
  uint8_t alert;
};

/* clang-format off */
static const struct verdict_row verdict_rows[] = {
  { "client: unknown_ca",          DTLS_CLIENT, ALERT_UNKNOWN_CA },
  { "client: bad_certificate",     DTLS_CLIENT, ALERT_BAD_CERTIFICATE },
  { "client: certificate_expired", DTLS_CLIENT, ALERT_CERTIFICATE_EXPIRED },
  { "client: certificate_unknown", DTLS_CLIENT, ALERT_CERTIFICATE_UNKNOWN },
  { "server: unknown_ca",          DTLS_SERVER, ALERT_UNKNOWN_CA },
  { "server: access_denied",       DTLS_SERVER, ALERT_ACCESS_DENIED },
};
/* clang-format on */

static void
test_rejection_sends_its_alert (void)
{
  for (size_t i = 0; i < TAP_N (verdict_rows); i++)
    for (unsigned when = ANSWERS_AT_ONCE; when <= ANSWERS_LATER; when++)
      {
        const struct verdict_row *row = &verdict_rows[i];
        struct pair pair;
        struct side *judge = &pair.sides[row->judge];
        struct side *judged = &pair.sides[row->judge == DTLS_CLIENT ? DTLS_SERVER : DTLS_CLIENT];

        tap_set_row (row->name);
        set_up (&pair);
        judge->verdict = when;
        judge->given_verdict = (struct dtls_verdict){ false, row->alert };
        CHECK (!pair_handshake (&pair));
        CHECK_UINT (dtls_conn_error (judge->conn), DTLS_ERROR_CERTIFICATE_REJECTED);
        CHECK_UINT (dtls_conn_error (judged->conn), DTLS_ERROR_PEER_ALERT);
        CHECK_UINT ((unsigned) dtls_conn_peer_alert (judged->conn), row->alert);
        CHECK_UINT (dtls_conn_n_peer_certificates (judge->conn), 2);
        CHECK_UINT (judge->n_events[DTLS_EVENT_CONNECTED], 0);
        CHECK_UINT (judge->n_events[DTLS_EVENT_FAILED], 1);
        PAIR_END (&pair);
      }
  tap_set_row (NULL);
}

static void
test_server_without_credential_ends (void)
{
  struct pair pair;

  pair_init (&pair, NULL, NULL);
  CHECK (!pair_handshake (&pair));
  CHECK_UINT (dtls_conn_error (pair.sides[DTLS_SERVER].conn), DTLS_ERROR_NO_CREDENTIAL);
  CHECK_UINT ((unsigned) dtls_conn_peer_alert (pair.sides[DTLS_CLIENT].conn),
              ALERT_HANDSHAKE_FAILURE);
  PAIR_END (&pair);
}

/* Starts a handshake in which `role` is asked for a signature and gets no answer yet. */
static void
start_to_signature (struct pair *pair, enum dtls_role role)
{
  set_up (pair);
  pair->sides[role].signature = ANSWERS_NEVER;
  pair_start (pair);
  pair_run (pair, DTLS_SECOND);
  CHECK_UINT (dtls_conn_wait (pair->sides[role].conn), DTLS_WAIT_SIGNATURE);
}

static void
test_empty_signature_ends (void)
{
  for (unsigned role = 0; role < 2; role++)
    {
      struct pair pair;

      start_to_signature (&pair, role);
      dtls_conn_answer_signature (pair.sides[role].conn, pair.now, (struct bytes){ NULL, 0 });
      pair_drain (&pair, role);
      CHECK_UINT (dtls_conn_error (pair.sides[role].conn), DTLS_ERROR_SIGNING_FAILED);
      pair_settle (&pair);
      CHECK_UINT ((unsigned) dtls_conn_peer_alert (pair.sides[1 - role].conn),
                  ALERT_INTERNAL_ERROR);
      PAIR_END (&pair);
    }
}

/* One that is longer than any key of ours makes. */
static void
test_oversized_signature_ends (void)
{
  static const uint8_t signature[MAX_SIGNATURE_LEN + 1] = { 1 };
  struct pair pair;

  start_to_signature (&pair, DTLS_SERVER);
  dtls_conn_answer_signature (pair.sides[DTLS_SERVER].conn, pair.now, TAP_BYTES (signature));
  CHECK_UINT (dtls_conn_error (pair.sides[DTLS_SERVER].conn), DTLS_ERROR_SIGNING_FAILED);
  PAIR_END (&pair);
}

static void
test_wrong_signature_is_found_by_the_peer (void)
{
  static const uint8_t signature[64] = { 0x30, 62 };

  for (unsigned role = 0; role < 2; role++)
    {
      struct pair pair;

      start_to_signature (&pair, role);
      dtls_conn_answer_signature (pair.sides[role].conn, pair.now, TAP_BYTES (signature));
      pair_drain (&pair, role);
      pair_settle (&pair);
      CHECK_UINT (dtls_conn_error (pair.sides[1 - role].conn), DTLS_ERROR_BAD_SIGNATURE);
      CHECK_UINT ((unsigned) dtls_conn_peer_alert (pair.sides[role].conn), ALERT_DECRYPT_ERROR);
      PAIR_END (&pair);
    }
}

static void
test_answers_nobody_asked_for_are_ignored (void)
{
  static const uint8_t signature[] = { 1, 2, 3 };
  struct dtls_verdict rejects = { false, ALERT_BAD_CERTIFICATE };
  struct dtls_signature_request request;
  struct pair pair;

  set_up (&pair);
  CHECK (pair_handshake (&pair));
  for (unsigned role = 0; role < 2; role++)
    {
      CHECK (!dtls_conn_signature_request (pair.sides[role].conn, &request));
      dtls_conn_answer_verdict (pair.sides[role].conn, pair.now, rejects);
      dtls_conn_answer_signature (pair.sides[role].conn, pair.now, TAP_BYTES (signature));
      dtls_conn_answer_credential (pair.sides[role].conn, pair.now, NULL);
      pair_drain (&pair, role);
    }
  CHECK (pair_talks (&pair));
  PAIR_END (&pair);
}

/* The wrong kind of answer is no answer. */
static void
test_another_answer_than_asked_is_ignored (void)
{
  struct dtls_verdict accepts = { true, 0 };
  struct pair pair;

  start_to_signature (&pair, DTLS_SERVER);
  dtls_conn_answer_verdict (pair.sides[DTLS_SERVER].conn, pair.now, accepts);
  dtls_conn_answer_credential (pair.sides[DTLS_SERVER].conn, pair.now, NULL);
  CHECK_UINT (dtls_conn_wait (pair.sides[DTLS_SERVER].conn), DTLS_WAIT_SIGNATURE);
  CHECK_UINT (dtls_conn_error (pair.sides[DTLS_SERVER].conn), DTLS_OK);
  PAIR_END (&pair);
}

/* A client whose key no scheme of the server's fits goes on as one without (RFC 5246 §7.4.6). */
static void
test_client_credential_that_does_not_fit_is_none (void)
{
  static const uint16_t schemes[] = { SIG_ECDSA_SECP256R1_SHA256 };
  struct pair pair;

  pair_init (&pair, pki_identity ("server-ecdsa"), pki_identity ("client-rsa"));
  pair.sides[DTLS_SERVER].config.client_auth = DTLS_CLIENT_AUTH_REQUESTED;
  pair.sides[DTLS_SERVER].config.signature_schemes = schemes;
  pair.sides[DTLS_SERVER].config.n_signature_schemes = TAP_N (schemes);
  CHECK (pair_handshake (&pair));
  CHECK_UINT (dtls_conn_n_peer_certificates (pair.sides[DTLS_SERVER].conn), 0);
  PAIR_END (&pair);
}

static void
test_client_knows_what_the_server_takes (void)
{
  struct pair pair;
  const uint16_t *schemes = NULL;

  set_up (&pair);
  pair.sides[DTLS_CLIENT].credential = ANSWERS_NEVER;
  pair_start (&pair);
  pair_run (&pair, DTLS_SECOND);
  CHECK_UINT (dtls_conn_wait (pair.sides[DTLS_CLIENT].conn), DTLS_WAIT_CREDENTIAL);
  CHECK (dtls_conn_was_asked_for_certificate (pair.sides[DTLS_CLIENT].conn));
  if (CHECK (dtls_conn_peer_schemes (pair.sides[DTLS_CLIENT].conn, &schemes) > 0))
    CHECK_UINT (schemes[0], SIG_ECDSA_SECP256R1_SHA256);
  PAIR_END (&pair);
}

static const struct tap_test tests[] = {
  { "/conn/answers/before-at-once-or-later", test_answers_at_any_time },
  { "/conn/answers/late-over-a-bad-link", test_answers_late_over_a_bad_link },
  { "/conn/answers/never-ends-at-the-deadline", test_never_ends_at_the_deadline },
  { "/conn/answers/no-retransmission-while-someone-is-asked",
    test_no_retransmission_while_someone_is_asked },
  { "/conn/answers/a-rejected-chain-sends-its-alert", test_rejection_sends_its_alert },
  { "/conn/answers/a-server-without-credential-ends", test_server_without_credential_ends },
  { "/conn/answers/an-empty-signature-ends", test_empty_signature_ends },
  { "/conn/answers/an-oversized-signature-ends", test_oversized_signature_ends },
  { "/conn/answers/a-wrong-signature-is-found-by-the-peer",
    test_wrong_signature_is_found_by_the_peer },
  { "/conn/answers/ignores-answers-nobody-asked-for", test_answers_nobody_asked_for_are_ignored },
  { "/conn/answers/ignores-another-answer-than-asked-for",
    test_another_answer_than_asked_is_ignored },
  { "/conn/answers/a-client-credential-that-does-not-fit-is-none",
    test_client_credential_that_does_not_fit_is_none },
  { "/conn/answers/a-client-knows-what-the-server-takes", test_client_knows_what_the_server_takes },
};

TAP_MAIN (tests)
