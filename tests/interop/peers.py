# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright 2026 The Moat authors

"""What holds for every program that can be a side of a cell: what it can do, how it is started as
client and server, and how what it says is read. What is particular to one of them is in its class,
in peers_moat.py, peers_own.py and peers_foreign.py."""

import dataclasses
import os
import pathlib
import re
import shutil

from cases import SUITES, Case

MESSAGES = ("moat says hello", "moat says more: " + "abcdefghij" * 13)
SERVER_NAME = "localhost"
PSK_IDENTITY = "moat-interop"
PSK = "6d6f61742d696e7465726f702d6b6579"


class Files:
    """The certificates of a case, and the few files that a program wants in a form of its own."""

    def __init__(self, certificates, scratch):
        self.certificates = pathlib.Path(certificates)
        self.scratch = pathlib.Path(scratch)

    def trusted(self, case, role):
        if role == "client" and not case.client_trusts_server:
            return str(self.certificates / "other-ca.pem")
        return str(self.certificates / "ca.pem")

    def issuer(self):
        """Who signed all the leaves."""
        return str(self.certificates / "intermediate.pem")

    def chain(self, case, role):
        return str(self.certificates / f"{role}-{case.certificate}-chain.pem")

    def leaf(self, case, role):
        return str(self.certificates / f"{role}-{case.certificate}.pem")

    def key(self, case, role):
        return str(self.certificates / f"{role}-{case.certificate}-key.pem")

    def intermediates(self, case, role):
        """The chain without its first certificate."""
        end = "-----END CERTIFICATE-----\n"
        chain = pathlib.Path(self.chain(case, role)).read_text()
        return self.made(f"{role}-{case.certificate}-intermediates.pem", chain.partition(end)[2])

    def psk(self):
        """In hexadecimal."""
        return self.made("psk.hex", PSK + "\n")

    def gnutls_psk(self):
        return self.made("psk.passwd", f"{PSK_IDENTITY}:{PSK}\n")

    def openssl_without_ems(self):
        lines = (
            "openssl_conf = all",
            "[all]\nssl_conf = ssl",
            "[ssl]\nsystem_default = tls",
            "[tls]\nOptions = -ExtendedMasterSecret",
        )
        return self.made("openssl-without-ems.cnf", "\n".join(lines) + "\n")

    def new_session(self):
        """The name of a file that is not there yet."""
        return str(self.scratch / f"session-{os.urandom(8).hex()}")

    def made(self, name, text):
        path = self.scratch / name
        if not path.exists():
            # Cells run beside each other: what has the final name is whole.
            draft = path.with_suffix(f".{os.urandom(8).hex()}")
            draft.write_text(text)
            draft.rename(path)
        return str(path)


@dataclasses.dataclass
class Terms:
    """What a program is told that the case does not say."""

    port: int
    mtu: int | None
    seconds: int
    session_file: str
    """Where a client that is run twice may keep what it resumes."""


@dataclasses.dataclass
class Outcome:
    """What a side says of a handshake that is done; None: it does not say."""

    version: str
    suite: str | None = None
    group: str | None = None
    extended_master_secret: bool | None = None
    alpn: str | None = None
    is_resumed: bool | None = None


class Peer:
    """What holds for most of them."""

    name = ""
    program = ""
    versions = ("1.2",)

    lacks = {}
    """Of the fields of a Case, those that it can do nothing but the usual with, and why; a field's
    name may have `client ` or `server ` before it."""

    messages_as_arguments = False
    """The client has the messages on its command line; otherwise it sends the lines it is given."""

    resumes_by_itself = False
    """A client that is to resume makes both connections; otherwise it is run twice."""

    echo_by_hand = False
    """The server prints what comes and sends what it is given: we are the echo."""

    needs_port = False
    """The server wants to be told its port; otherwise it takes 0 and says which it got."""

    needs_leaf = False
    """It wants to be told the one certificate that the other side may show, and shows no chain."""

    has_extended_master_secret = True
    largest_datagram_received = 65507
    largest_datagram_sent = 1400
    """Unless it is told otherwise."""

    hello_size = 256
    """Of the largest ClientHello, when it exceeds the smallest MTU of cases.py."""

    reads_hello_in_pieces = True
    tickets_are_large = False
    """They hold the client's certificate."""

    tells_resumption = ("client", "server")

    ready = r"READY (\d+)"
    said_group = None

    def __init__(self, files):
        self.files = files

    @property
    def missing(self):
        """Why this peer cannot be had at all, or None."""
        if self.program and shutil.which(self.program):
            return None
        return f"no {os.path.basename(self.program) or self.name}"

    def speaks(self, role, case):
        return {case.version, *(case.said_versions(role) or ())} <= set(self.versions)

    def unable(self, role, case):
        """Why this peer cannot do the case in this role, or None."""
        for field in dataclasses.fields(Case):
            reason = self.lacks.get(field.name) or self.lacks.get(f"{role} {field.name}")
            if reason and getattr(case, field.name) != field.default:
                return reason
        return None

    def unable_with(self, role, case, other):
        """The same, where only this other side makes it so."""
        return None

    def has_mtu(self, role):
        """Whether it can be told how large its datagrams may be; None: yes, else why not."""
        return None

    def server_ends(self, case):
        """Whether the server ends by itself, with status 0, when its client is done."""
        return True

    def environment(self, role, case):
        return {}

    def trusted(self, role, case, other):
        """The file of whom it trusts."""
        if other.needs_leaf and case.client_trusts_server:
            return self.files.issuer()
        return self.files.trusted(case, role)

    def shows_certificate(self, role, case):
        return case.psk is None and (role == "server" or case.client_has_certificate)

    def command(self, role, case, terms, other):
        raise NotImplementedError

    def outcome(self, output):
        """The Outcome of the last handshake that was reported as done, or None."""
        version = re.findall(r"DTLS ?v?(1\.[23])", output)
        if not version:
            return None
        return Outcome(
            version[-1],
            self.find_suite(output),
            self.find_group(output),
            self.find_extended_master_secret(output),
            self.find_alpn(output),
            self.find_resumed(output),
        )

    def find_suite(self, output):
        """In the words of cases.py; the libraries differ in dashes and underscores."""
        plain = re.sub(r"[-_]", "", output)
        names = (*SUITES, "AES-128-CCM-8")
        last = {name: plain.rfind(name.replace("-", "")) for name in names}
        name = max(last, key=last.get)
        return name if last[name] >= 0 else None

    def find_group(self, output):
        found = self.said_group and re.findall(self.said_group, output, re.IGNORECASE)
        if not found:
            return None
        names = {"MLKEM": "X25519MLKEM768", "25519": "X25519", "256": "P-256", "384": "P-384"}
        return next((group for name, group in names.items() if name in found[-1]), found[-1])

    def find_extended_master_secret(self, output):
        return None

    def find_alpn(self, output):
        return None

    def find_resumed(self, output):
        return None
