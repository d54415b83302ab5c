#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright 2026 The Moat authors

"""Moat against other implementations of DTLS, as a printed matrix.

A row is a peer and the role that Moat plays with it, a column a case (cases.py). A cell is `ok`,
`FAIL` or `n/a`; a letter leads to the reason below the table. What both sides said is printed for a
cell that failed. The exit status is 1 if any did, 77 if there is nothing to run.

What speaks DTLS 1.3 is written in other languages; build-peers makes it, where their compilers are.

--self-check leaves Moat out and tries the peers with each other by the same means: what fails there
is not Moat's fault.
"""

import argparse
import concurrent.futures
import itertools
import re
import sys
import tempfile
import time

import cases
import network
from cell import Cell, Ports
from peers import Files
from peers_foreign import GnuTls, OpenSsl
from peers_moat import GioOnMoat, GlibNetworking, MoatProgram
from peers_own import Dimpl, MbedTls, NewWolfSsl, Nss, Pion, WolfSsl

# Lossy cells wait for timers; so many of them go on beside one that does not.
LOSSY_PER_JOB = 4
SKIPPED = 77


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--moat", metavar="PROGRAM", help="moat(1)")
    parser.add_argument("--gio-client", metavar="PROGRAM", help="the example client on GIO")
    parser.add_argument("--gio-server", metavar="PROGRAM", help="the example server on GIO")
    parser.add_argument("--module-dir", metavar="DIR", help="where Moat's GIO module is")
    parser.add_argument("--peers", metavar="DIR", default="", help="where peer-* were built")
    parser.add_argument("--certs", metavar="DIR", required=True, help="from tools/make-test-certs")
    parser.add_argument("--jobs", type=int, default=4, help="cells at a time (4)")
    parser.add_argument("--only", metavar="REGEX", default="", help='of "row / column"')
    parser.add_argument("--self-check", action="store_true", help="the peers with each other")
    parser.add_argument("--verbose", action="store_true", help="print what was said in every cell")
    return parser.parse_args()


def find_peers(options, files):
    """(what plays Moat, what it is tried with), of those that are there."""
    moats = []
    if not options.self_check:
        moat = MoatProgram(files, options.moat or "")
        moats.append(moat)
        programs = (options.gio_client, options.gio_server, options.module_dir)
        moats.append(GioOnMoat(files, *programs, moat.versions))
    others = [
        OpenSsl(files),
        GnuTls(files),
        MbedTls(files, options.peers),
        WolfSsl(files, options.peers),
        Nss(files, options.peers),
        GlibNetworking(files, options.gio_client, options.gio_server),
    ]
    others += [kind(files, options.peers) for kind in (NewWolfSsl, Pion, Dimpl)]
    for peer in moats + others:
        if peer.missing:
            print(f"skipped: {peer.name} ({peer.missing})")
    return [p for p in moats if not p.missing], [p for p in others if not p.missing]


def make_rows(moats, others):
    """(title, client, server)."""
    if not moats:
        return [
            (f"{client.name} -> {server.name}", client, server)
            for client, server in itertools.product(others, repeat=2)
        ]
    rows = []
    for moat, other in itertools.product(moats, others):
        rows.append((f"{moat.name} -> {other.name}", moat, other))
        rows.append((f"{other.name} -> {moat.name}", other, moat))
    return rows


class Matrix:
    """All cells: run, then printed."""

    def __init__(self, rows, only):
        self.rows = rows
        self.only = only
        self.ports = Ports()
        self.futures = {}
        self.letters = {}

    def is_wanted(self, row, case):
        if not (row[1].speaks("client", case) and row[2].speaks("server", case)):
            return False
        return re.search(self.only, f"{row[0]} / {case.title}") is not None

    def start(self, pools):
        for _, columns in cases.sections():
            for row, case in itertools.product(self.rows, columns):
                if self.is_wanted(row, case):
                    cell = Cell(row[1], row[2], case, self.ports)
                    self.futures[row[0], case] = pools[case.is_lossy].submit(cell.run)

    def result(self, row, case):
        future = self.futures.get((row[0], case))
        return future.result() if future else None

    def print(self, verbose):
        results = []
        for title, columns in cases.sections():
            shown = [c for c in columns if any(self.result(row, c) for row in self.rows)]
            if shown:
                results += self.print_section(title, shown, verbose)
        for note, letter in self.letters.items():
            print(f"{letter}: {note}")
        return results

    def print_section(self, title, columns, verbose):
        """One table, and below it what was said in the cells that failed."""
        first_width = max(len(row[0]) for row in self.rows) + 2
        words = [case.title.split(" ", 1) for case in columns]
        widths = [max(8, *map(len, pair)) + 1 for pair in words]

        print(f"\n{title}\n")
        for line in range(2):
            cells = [pair[line] if line < len(pair) else "" for pair in words]
            print(self.line("", first_width, cells, widths))
        shown = []
        for row in self.rows:
            results = [(f"{row[0]} / {case.title}", self.result(row, case)) for case in columns]
            if not any(result for _, result in results):
                continue
            print(self.line(row[0], first_width, [self.text(r) for _, r in results], widths))
            shown += [(name, result) for name, result in results if result]
        for name, result in shown:
            if verbose or result.verdict == "FAIL":
                print(f"\n{name}: {result.verdict}, {result.note}, {result.seconds:.1f} s")
                print(result.transcript)
        return [result for _, result in shown]

    @staticmethod
    def line(first, first_width, cells, widths):
        padded = (cell.ljust(width) for cell, width in zip(cells, widths))
        return (first.ljust(first_width) + "".join(padded)).rstrip()

    @staticmethod
    def letter(n):
        """a to z, then aa, ab, ..."""
        first, last = divmod(n, 26)
        return (chr(ord("a") + first - 1) if first else "") + chr(ord("a") + last)

    def text(self, result):
        if result is None:
            return ""
        if result.note is None or result.verdict == "FAIL":
            return result.verdict
        letter = self.letters.setdefault(result.note, self.letter(len(self.letters)))
        return f"{result.verdict} {letter}"


def main():
    options = parse_arguments()
    # So that a run that is cut off has said what it knew.
    sys.stdout.reconfigure(line_buffering=True)
    started = time.monotonic()
    print("network:", "our own" if network.enter_own() else "the machine's loopback")

    with tempfile.TemporaryDirectory(prefix="moat-interop-") as scratch:
        files = Files(options.certs, scratch)
        moats, others = find_peers(options, files)
        if not others or not (moats or options.self_check):
            print("skipped: nothing to run")
            return SKIPPED
        matrix = Matrix(make_rows(moats, others), options.only)
        with (
            concurrent.futures.ThreadPoolExecutor(options.jobs) as quick,
            concurrent.futures.ThreadPoolExecutor(options.jobs * LOSSY_PER_JOB) as lossy,
        ):
            matrix.start({False: quick, True: lossy})
            results = matrix.print(options.verbose)

    counts = {v: sum(r.verdict == v for r in results) for v in ("ok", "FAIL", "n/a")}
    summary = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    print(f"\n{summary}; {time.monotonic() - started:.0f} s")
    return 1 if counts["FAIL"] else 0


if __name__ == "__main__":
    sys.exit(main())
