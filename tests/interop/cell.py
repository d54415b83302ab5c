# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright 2026 The Moat authors

"""One cell of the matrix: a client and a server, perhaps a relay between them, and one case.

1. The server is started, then the relay, then the client; a client that resumes is started again if
   it does not make its second connection itself.
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

from peers import MESSAGES, Terms
from programs import Program, wait_until

RELAY = pathlib.Path(__file__).with_name("relay.py")

# Bounds only; nothing waits this long unless it has failed. A lossy handshake may wait for several
# of a peer's timers, which start at a second and double.
SECONDS = 30
LOSSY_SECONDS = 120
# A message is repeated so often.
REPEAT_SECONDS = 0.3
KEY_UPDATE_SECONDS = 5


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
        self.session_file = client.files.new_session()
        self.n_echoed = 0
        self.client = self.server = self.relay = None

    def run(self):
        reason = self.unable()
        if reason:
            return Result("n/a", reason)
        started = time.monotonic()
        self.deadline = started + self.seconds
        try:
            port = self.start()
            if self.case.refusal:
                self.start_client(port)
                self.expect_refusal()
            else:
                for _ in range(self.n_clients):
                    self.start_client(port)
                    self.converse()
                    self.await_key_update()
                    self.end_client()
                self.end_server()
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
        client, server = self.client_peer, self.server_peer
        for peer, role, other in ((server, "server", client), (client, "client", server)):
            reason = peer.unable(role, self.case) or peer.unable_with(role, self.case, other)
            if reason:
                return reason
        if self.case.resumption:
            if "client" not in client.tells_resumption and "server" not in server.tells_resumption:
                return f"neither {client.name} nor {server.name} tells whether it resumes"
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

    @property
    def n_clients(self):
        return 2 if self.case.resumption and not self.client_peer.resumes_by_itself else 1

    def start(self):
        """Says where the client will find the server."""
        port = self.start_server()
        return self.start_relay(port) if self.case.needs_relay else port

    def start_server(self):
        peer = self.server_peer
        port = self.ports.take() if peer.needs_port else 0
        self.server = self.launch_peer("server", peer, port, self.client_peer)
        return self.port_of(self.server, peer.ready)

    def start_client(self, port):
        self.client = self.launch_peer("client", self.client_peer, port, self.server_peer)

    def launch_peer(self, role, peer, port, other):
        mtu = self.mtu_of(peer, role, other)
        terms = Terms(port, mtu, self.seconds, self.session_file)
        command = peer.command(role, self.case, terms, other)
        return self.launch(f"{peer.name} {role}", command, peer.environment(role, self.case))

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

    def say(self, message):
        if not self.client_peer.messages_as_arguments:
            self.client.send(message + "\n")

    def wait_for_more(self, is_reached):
        """Until the client has ended, it is time to repeat oneself, or this."""
        self.wait(
            lambda: self.client.has_ended or is_reached(), time.monotonic() + REPEAT_SECONDS
        )

    def converse(self):
        for message in MESSAGES:
            while not self.is_back(message):
                if self.client.has_ended:
                    raise Failure("the client ended before the echo")
                if time.monotonic() >= self.deadline:
                    raise Failure("no echo in time")
                self.say(message)
                self.wait_for_more(lambda: self.is_back(message))

    def await_key_update(self):
        """Until then a side may go on with its old keys (RFC 9147 §8): what the other one owes for
        new ones is an acknowledgement, which may take a moment. A client with its messages on its
        command line sees to that itself."""
        if not self.case.key_update or self.case.is_lossy:
            return
        until = time.monotonic() + KEY_UPDATE_SECONDS
        while self.missing_epochs() and not self.client.has_ended and time.monotonic() < until:
            self.say(MESSAGES[-1])
            self.wait_for_more(lambda: not self.missing_epochs())

    def is_back(self, message):
        return message in self.client.output

    def end_client(self):
        self.client.close_input()
        if not self.wait(lambda: self.client.has_ended):
            raise Failure("the client did not end")
        if self.client.status != 0:
            raise Failure("the client ended badly")

    def end_server(self):
        # With loss nobody can promise that a close_notify arrives.
        if not self.server_peer.server_ends(self.case) or self.case.is_lossy:
            return
        if not self.wait(lambda: self.server.has_ended):
            raise Failure("the server did not end with its client")
        if self.server.status != 0:
            raise Failure("the server ended badly")

    def expect_refusal(self):
        self.say(MESSAGES[0])
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
        sides = ((self.client, self.client_peer), (self.server, self.server_peer))
        said = {program.label: peer.outcome(program.output) for program, peer in sides}
        said = {label: outcome for label, outcome in said.items() if outcome}
        if not said:
            raise Failure("neither side reports a handshake")

        for what, wanted in self.wanted().items():
            told = {label: getattr(outcome, what) for label, outcome in said.items()}
            values = {value for value in told.values() if value is not None}
            if len(values) > 1 or (wanted is not None and not values <= {wanted}):
                raise Failure(f"{what}: wanted {wanted}, told {told}")
            # What nobody tells would be a case like any other.
            if what in ("alpn", "is_resumed") and wanted and not values:
                raise Failure(f"neither side says {what}")
        # With loss it may not be acknowledged in time.
        if self.case.key_update and not self.case.is_lossy and self.missing_epochs():
            raise Failure("; ".join(self.missing_epochs()))

    def wanted(self):
        """By the fields of Outcome; None: as they like."""
        case = self.case
        peers = (self.client_peer, self.server_peer)
        can_ems = all(peer.has_extended_master_secret for peer in peers)
        return {
            "version": case.version,
            "suite": case.suite,
            "group": case.group,
            # In 1.3 nobody speaks of it.
            "extended_master_secret": case.extended_master_secret and can_ems,
            "alpn": case.alpn,
            "is_resumed": case.resumption,
        }

    def missing_epochs(self):
        """What the relay has not seen, in words. The first keys of application data are those of
        epoch 3 (RFC 9147 §6.1), the next ones those of epoch 4, of which a header tells the last
        two bits."""
        return [
            f"{direction}: no record of epoch {epoch}"
            for direction in ("to the server", "to the client")
            for epoch in (3, 4)
            if not re.search(rf"{direction}, .*: .*\.\.{epoch % 4:02b} Prot", self.relay.output)
        ]
