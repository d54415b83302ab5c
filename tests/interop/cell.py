# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright 2026 The Moat authors

"""One cell of the matrix: a client and a server, perhaps a relay between them, and one case.

1. The server is started, then the relay, then the client.
2. Each message goes to the server and back. Application data is not sent again by DTLS, so a
   message is repeated until it is back.
3. The client closes and must end well; so must a server that ends with its client.
4. What both sides say about the handshake is compared with what the case asks for.

A case that is to be refused ends at 2: the client must fail and nothing must come back.
"""

import dataclasses
import os
import pathlib
import re
import socket
import sys
import threading
import time

from peers import MESSAGES
from programs import Program, wait_until

RELAY = pathlib.Path(__file__).with_name("relay.py")

# Bounds only; nothing waits this long unless it has failed. A lossy handshake may wait for several
# of a peer's timers, which start at a second and double.
SECONDS = 30
LOSSY_SECONDS = 120
# A message is repeated so often.
REPEAT_SECONDS = 0.3


class Failure(Exception):
    pass


@dataclasses.dataclass
class Result:
    verdict: str  # "ok", "FAIL" or "n/a"
    note: str | None = None
    transcript: str = ""
    seconds: float = 0.0


class Ports:
    """Ports for servers that must be told one. From below the range that the system gives out by
    itself, so that nobody's client takes it between the look and the use."""

    def __init__(self):
        self.lock = threading.Lock()
        self.next = 20000 + os.getpid() * 101 % 10000

    def take(self):
        with self.lock:
            while True:
                self.next = 20000 + (self.next + 1) % 10000
                if self.is_free(self.next):
                    return self.next

    @staticmethod
    def is_free(port):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("0.0.0.0", port))
            except OSError:
                return False
        return True


class Cell:
    def __init__(self, client, server, case, ports):
        self.client_peer = client
        self.server_peer = server
        self.case = case
        self.ports = ports
        self.programs = []
        self.seconds = LOSSY_SECONDS if case.is_lossy else SECONDS
        self.deadline = None
        self.n_echoed = 0
        self.client = self.server = self.relay = None

    def run(self):
        reason = self.unable()
        if reason:
            return Result("n/a", reason)
        started = time.monotonic()
        self.deadline = started + self.seconds
        try:
            self.start()
            if self.case.refusal:
                self.expect_refusal()
            else:
                self.converse()
                self.end()
                self.compare()
            verdict, note = "ok", self.mtu_note()
        except Failure as failure:
            verdict, note = "FAIL", str(failure)
        finally:
            for program in reversed(self.programs):
                program.stop()
        transcript = "\n".join(program.transcript() for program in self.programs)
        return Result(verdict, note, transcript, time.monotonic() - started)

    def unable(self):
        for peer, role in ((self.server_peer, "server"), (self.client_peer, "client")):
            reason = peer.unable(role, self.case)
            if reason:
                return reason
        without_mtu = [self.client_peer.has_mtu("client"), self.server_peer.has_mtu("server")]
        if self.case.mtu and all(without_mtu):
            return without_mtu[0]
        if self.case.mtu and self.client_peer.hello_size > self.case.mtu:
            if not self.server_peer.reads_hello_in_pieces:
                return f"{self.server_peer.name}'s server wants the ClientHello in one piece"
        return None

    # --- starting ---

    def launch(self, label, command, environment=None):
        # Should this script be killed, nothing of it stays for ever.
        bound = ["timeout", "--kill-after", "2", str(self.seconds + 60)]
        program = Program(label, bound + command, environment)
        self.programs.append(program)
        return program

    def start(self):
        port = self.start_server()
        if self.case.relay or self.case.mtu:
            port = self.start_relay(port)
        peer = self.client_peer
        mtu = self.mtu_of(peer, "client", self.server_peer)
        command = peer.command("client", self.case, port, mtu, self.seconds)
        label = f"{peer.name} client"
        self.client = self.launch(label, command, peer.environment("client", self.case))

    def start_server(self):
        peer = self.server_peer
        mtu = self.mtu_of(peer, "server", self.client_peer)
        port = self.ports.take() if peer.needs_port else 0
        command = peer.command("server", self.case, port, mtu, self.seconds)
        label = f"{peer.name} server"
        self.server = self.launch(label, command, peer.environment("server", self.case))
        return self.port_of(self.server, peer.ready)

    def start_relay(self, server_port):
        command = [sys.executable, str(RELAY), "--server-port", str(server_port), *self.case.relay]
        if self.case.mtu:
            if not self.client_peer.has_mtu("client"):
                command += ["--max-to-server", str(self.case.mtu)]
            if not self.server_peer.has_mtu("server"):
                command += ["--max-to-client", str(self.case.mtu)]
        self.relay = self.launch("relay", command)
        return self.port_of(self.relay, r"READY (\d+)")

    def port_of(self, program, pattern):
        def find():
            # The whole line: a port may come in two pieces.
            return re.search(pattern + r"\n", program.output)

        if not wait_until([program], find, self.deadline):
            raise Failure(f"{program.label} did not get ready")
        return int(find()[1])

    def mtu_of(self, peer, role, other):
        """What a side is told: the case's MTU, or what the other can receive, or nothing."""
        if peer.has_mtu(role) is not None:
            return None
        if self.case.mtu is None and peer.largest_datagram_sent > other.largest_datagram_received:
            return other.largest_datagram_received
        return self.case.mtu

    def mtu_note(self):
        if not self.case.mtu:
            return None
        return self.client_peer.has_mtu("client") or self.server_peer.has_mtu("server")

    # --- conversation ---

    def wait(self, is_reached, deadline=None):
        deadline = min(deadline or self.deadline, self.deadline)
        return wait_until(self.programs, is_reached, deadline, self.echo_by_hand)

    def echo_by_hand(self):
        if not self.server_peer.echo_by_hand:
            return
        said = re.findall("|".join(map(re.escape, MESSAGES)), self.server.output)
        for message in said[self.n_echoed :]:
            self.server.send(message)
        self.n_echoed = len(said)

    def converse(self):
        for message in MESSAGES:
            while not self.is_back(message):
                if self.client.has_ended:
                    raise Failure("the client ended before the echo")
                if time.monotonic() >= self.deadline:
                    raise Failure("no echo in time")
                if not self.client_peer.messages_as_arguments:
                    self.client.send(message + "\n")
                self.wait(
                    lambda: self.client.has_ended or self.is_back(message),
                    time.monotonic() + REPEAT_SECONDS,
                )

    def is_back(self, message):
        return message in self.client.output

    def end(self):
        self.client.close_input()
        if not self.wait(lambda: self.client.has_ended):
            raise Failure("the client did not end")
        if self.client.status != 0:
            raise Failure("the client ended badly")
        # With loss nobody can promise that a close_notify arrives.
        if not self.server_peer.server_ends or self.case.is_lossy:
            return
        if not self.wait(lambda: self.server.has_ended):
            raise Failure("the server did not end with its client")
        if self.server.status != 0:
            raise Failure("the server ended badly")

    def expect_refusal(self):
        if not self.client_peer.messages_as_arguments:
            self.client.send(MESSAGES[0] + "\n")
        if not self.wait(lambda: self.client.has_ended):
            raise Failure("the client did not end")
        if self.client.status == 0:
            raise Failure("the client ended well")
        if not re.search(self.case.refusal, self.client.output, re.IGNORECASE):
            raise Failure("the client failed for another reason")
        if self.is_back(MESSAGES[0]):
            raise Failure("an echo came back")
        if self.server_peer.outcome(self.server.output) is not None:
            raise Failure("the server reports a handshake")

    # --- what both sides say ---

    def compare(self):
        said = [
            (program.label, peer.outcome(program.output))
            for program, peer in ((self.client, self.client_peer), (self.server, self.server_peer))
        ]
        if not any(outcome for _, outcome in said):
            raise Failure("neither side reports a DTLS 1.2 handshake")

        wanted = (self.case.suite, self.case.group, self.wanted_extended_master_secret())
        for i, what in enumerate(("suite", "group", "extended master secret")):
            told = {label: outcome[i] for label, outcome in said if outcome}
            values = {value for value in told.values() if value is not None}
            if len(values) > 1 or (wanted[i] is not None and not values <= {wanted[i]}):
                raise Failure(f"{what}: wanted {wanted[i]}, told {told}")

    def wanted_extended_master_secret(self):
        peers = (self.client_peer, self.server_peer)
        return self.case.extended_master_secret and all(p.has_extended_master_secret for p in peers)
