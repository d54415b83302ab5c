#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright 2026 The Moat authors

"""A bad network on loopback: UDP between one client and one server, spoilt by a seed.

Each direction has its own generator, so what one side sends does not change what befalls the other.
Of the datagrams of one direction at most three in a row are dropped: a handshake that goes on
retransmitting gets through, and one that does not is at fault.

Prints `READY PORT`, then a line for each datagram and what befell it. Ends with its standard input.
"""

import argparse
import random
import select
import socket
import sys
import time

from records import describe

MOST_DROPS_IN_A_ROW = 3
# How long a held datagram waits for another one to overtake it.
HOLD_SECONDS = 0.05


class Direction:
    """What happens to the datagrams that go one way."""

    def __init__(self, name, options, max_size, send):
        self.name = name
        self.random = random.Random(f"{options.seed}/{name}")
        self.options = options
        self.max_size = max_size
        self.send = send
        self.held = None
        self.release_at = None
        self.drops_in_a_row = 0

    def is_hit(self, percent):
        return self.random.random() * 100 < percent

    def take(self, datagram):
        """Sends what is to be sent now, and says what befell the datagram."""
        # Each datagram draws the same numbers, so that one option does not shift another's choices.
        is_lost = self.is_hit(self.options.loss)
        is_doubled = self.is_hit(self.options.duplicate)
        is_held = self.is_hit(self.options.reorder)

        if self.max_size and len(datagram) > self.max_size:
            return "too large"
        if is_lost and self.drops_in_a_row < MOST_DROPS_IN_A_ROW:
            self.drops_in_a_row += 1
            return "dropped"
        self.drops_in_a_row = 0

        if is_held and self.held is None:
            self.held = datagram
            self.release_at = time.monotonic() + HOLD_SECONDS
            return "held"
        self.send(datagram)
        if is_doubled:
            self.send(datagram)
        if self.held is not None:
            self.release()
        return "passed twice" if is_doubled else "passed"

    def release(self):
        held, self.held, self.release_at = self.held, None, None
        self.send(held)


class Relay:
    def __init__(self, options):
        self.started = time.monotonic()
        self.client_address = None
        self.client_side = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.client_side.bind(("127.0.0.1", 0))
        self.server_side = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.server_side.connect(("127.0.0.1", options.server_port))
        self.to_server = Direction(
            "to the server", options, options.max_to_server, self.send_to_server
        )
        self.to_client = Direction(
            "to the client", options, options.max_to_client, self.send_to_client
        )

    def send_to_server(self, datagram):
        try:
            self.server_side.send(datagram)
        except ConnectionRefusedError:
            pass  # The server has gone, as it may; its client finds out by itself.

    def send_to_client(self, datagram):
        if self.client_address is not None:
            self.client_side.sendto(datagram, self.client_address)

    def receive(self, which):
        try:
            datagram, address = which.recvfrom(65536)
        except ConnectionRefusedError:
            return
        direction = self.to_client
        if which is self.client_side:
            self.client_address = address
            direction = self.to_server
        fate = direction.take(datagram)
        when = time.monotonic() - self.started
        print(f"{when:7.3f} {direction.name}, {len(datagram)} bytes {fate}: {describe(datagram)}")

    def run(self):
        print(f"READY {self.client_side.getsockname()[1]}")
        while True:
            due = [d.release_at for d in (self.to_server, self.to_client) if d.release_at]
            left = max(0, min(due) - time.monotonic()) if due else None
            inputs = [self.client_side, self.server_side, sys.stdin]
            readable, _, _ = select.select(inputs, [], [], left)
            if sys.stdin in readable:
                break
            for which in readable:
                self.receive(which)
            for direction in (self.to_server, self.to_client):
                if direction.release_at and direction.release_at <= time.monotonic():
                    direction.release()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server-port", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--loss", type=float, default=0, metavar="PERCENT")
    parser.add_argument("--duplicate", type=float, default=0, metavar="PERCENT")
    parser.add_argument("--reorder", type=float, default=0, metavar="PERCENT")
    parser.add_argument("--max-to-server", type=int, metavar="BYTES", help="drop larger datagrams")
    parser.add_argument("--max-to-client", type=int, metavar="BYTES", help="drop larger datagrams")
    # It may be stopped at any time, and has then said all it knew.
    sys.stdout.reconfigure(line_buffering=True)
    Relay(parser.parse_args()).run()


if __name__ == "__main__":
    main()
