/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Reads along on both links of a pair of 1.3, with the keys of the engines that sent: which records went over
 * them, in which epoch, under which number, and what was in them. It also takes datagrams away by what is in them,
 * and watches that no record number comes twice under one key, unless the record is the same byte for byte. */

#pragma once

#include "pair.h"
#include "wire/ack.h"
#include "wire/fragment.h"

struct heard
{
  enum dtls_role from;
  unsigned datagram; /* which one of its link */
  dtls_time at;
  uint8_t type;
  uint16_t epoch;
  uint64_t number;
  struct bytes content; /* (owned) */
  struct bytes record;  /* (owned) as it went over the link */
  bool is_lost;         /* by `takes_away` */
};

struct wiretap
{
  /* (nullable) Set at any time: whether a datagram is lost for this record in it. */
  bool (*takes_away) (void *data, const struct heard *record);
  void *takes_away_data;

  struct heard *heard; /* (owned) */
  size_t n;

  /* Private. */
  struct pair *pair;
  size_t capacity;
  struct wiretap_end
  {
    struct wiretap *tap;
    enum dtls_role from;
  } ends[2];
};

/* Before pair_start. Takes the links' lets_through. */
void wiretap_attach (struct wiretap *tap, struct pair *pair);
void wiretap_clear (struct wiretap *tap);

/* How many records of this content type `from` has sent since the first `start` of all. */
size_t wiretap_count (const struct wiretap *tap, size_t start, enum dtls_role from, uint8_t type);
/* The first such record from the one at `start` on; NULL if there is none. */
const struct heard *wiretap_find (const struct wiretap *tap, size_t start, enum dtls_role from,
                                  uint8_t type);
/* The latest; NULL if there is none. */
const struct heard *wiretap_latest (const struct wiretap *tap, enum dtls_role from, uint8_t type);
/* The description of the latest alert of `from`; -1 if there is none. */
int wiretap_alert (const struct wiretap *tap, enum dtls_role from);
/* The same of records with a fragment of this kind of message. */
const struct heard *wiretap_find_message (const struct wiretap *tap, size_t start,
                                          enum dtls_role from, uint8_t message);
size_t wiretap_count_messages (const struct wiretap *tap, size_t start, enum dtls_role from,
                               uint8_t message);
/* Whether it holds a fragment of such a message; `out` (nullable) is the first. */
bool heard_message (const struct heard *heard, uint8_t message, struct fragment *out);
/* The numbers of an ACK, at most `max`. Returns how many there are. */
size_t heard_numbers (const struct heard *ack, struct record_number *out, size_t max);
/* Whether the ACK names this record. */
bool heard_acknowledges (const struct heard *ack, const struct heard *record);
