#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright 2026 The Moat authors

"""What relay.py promises about one direction, on a script of datagrams and without a socket."""

import argparse
import hashlib
import unittest

import records
import relay

N_DATAGRAMS = 10000


class Passage:
    """Datagrams 0, 1, 2, ... of two bytes each go in; `arrived` is what came out, in order."""

    def __init__(self, n=N_DATAGRAMS, max_size=None, name="there", **percentages):
        options = {"seed": 1, "loss": 0, "duplicate": 0, "reorder": 0, **percentages}
        self.arrived = []
        self.direction = relay.Direction(
            name, argparse.Namespace(**options), max_size, self.on_datagram
        )
        for i in range(n):
            self.direction.take(i.to_bytes(2, "big"))

    def on_datagram(self, datagram):
        self.arrived.append(int.from_bytes(datagram, "big"))


class TestRelay(unittest.TestCase):
    def test_without_options_everything_passes_in_order(self):
        self.assertEqual(Passage().arrived, list(range(N_DATAGRAMS)))

    def test_loss_is_about_what_was_asked_for(self):
        lost = N_DATAGRAMS - len(Passage(loss=20).arrived)
        self.assertTrue(0.18 * N_DATAGRAMS < lost < 0.22 * N_DATAGRAMS, lost)

    def test_after_three_drops_one_passes(self):
        self.assertEqual(Passage(n=12, loss=100).arrived, [3, 7, 11])

    def test_a_seed_decides(self):
        self.assertEqual(Passage(loss=20).arrived, Passage(loss=20).arrived)
        self.assertNotEqual(Passage(loss=20).arrived, Passage(loss=20, seed=2).arrived)

    def test_directions_differ(self):
        self.assertNotEqual(Passage(loss=20).arrived, Passage(loss=20, name="back").arrived)

    def test_duplicates_come_twice(self):
        self.assertEqual(Passage(n=2, duplicate=100).arrived, [0, 0, 1, 1])

    def test_a_held_datagram_is_overtaken_by_one(self):
        passage = Passage(reorder=20)
        self.assertNotEqual(passage.arrived, sorted(passage.arrived))
        for place, datagram in enumerate(passage.arrived):
            self.assertLessEqual(abs(place - datagram), 1)

    def test_a_held_datagram_is_not_lost(self):
        passage = Passage(n=1, reorder=100)
        self.assertEqual(passage.arrived, [])
        self.assertIsNotNone(passage.direction.release_at)
        passage.direction.release()
        self.assertEqual(passage.arrived, [0])

    def test_a_fate_is_told(self):
        self.assertEqual(Passage(n=0, loss=100).direction.take(b"?"), "dropped")
        self.assertEqual(Passage(n=0, duplicate=100).direction.take(b"?"), "passed twice")
        self.assertEqual(Passage(n=0, reorder=100).direction.take(b"?"), "held")
        self.assertEqual(Passage(n=0, max_size=1).direction.take(b"??"), "too large")
        self.assertEqual(Passage(n=0).direction.take(b"?"), "passed")

    def test_too_large_does_not_pass(self):
        self.assertEqual(Passage(n=3, max_size=1).arrived, [])
        self.assertEqual(Passage(n=3, max_size=2).arrived, [0, 1, 2])

    def test_records_are_told(self):
        hello = bytes.fromhex("16fefd000000000000000700 10 02 000050 0001 000000 000004 00000000")
        alert = bytes.fromhex("15feff00000000000000080002022f")
        data = bytes.fromhex("17fefd00010000000000050003aabbcc")
        retry = bytes.fromhex("16fefd0000000000000000002e 02 000022 0000 000000 000022 fefd")
        retry += hashlib.sha256(b"HelloRetryRequest").digest()
        unified = bytes.fromhex("2e 1234 0003 aabbcc")
        for datagram, words in (
            (hello, "0.7 ServerHello#1[0+4/80]"),
            (hello + alert, "0.7 ServerHello#1[0+4/80], 0.8 Alert 2,47"),
            (data + b"ab", "1.5 Data, and 2 bytes"),
            (hello[:20], "0.7 Handshake"),
            (retry, "0.0 HelloRetryRequest#0"),
            (unified + unified, "..10 Protected, ..10 Protected"),
            (bytes.fromhex("27 12 0001 aa") + hello, "..11 Protected, 0.7 ServerHello#1[0+4/80]"),
            (bytes.fromhex("23 12 aabbcc"), "..11 Protected"),
            (bytes.fromhex("3f 0102030405"), "..11 Protected"),
            (bytes.fromhex("2f 12"), "..11 Protected"),
            (b"", ""),
        ):
            self.assertEqual(records.describe(datagram), words)


if __name__ == "__main__":
    unittest.main()
