# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright 2026 The Moat authors

"""How each program is started as client and server, and how what it says is read. All that is
particular to one implementation, and why it cannot do a case, is in its class here."""

import os
import pathlib
import re
import shutil

MESSAGES = ("moat says hello", "moat says more: " + "abcdefghij" * 13)
SERVER_NAME = "localhost"


class Files:
    """The certificates of a case, and the few files that a program wants in a form of its own."""

    def __init__(self, certificates, scratch):
        self.certificates = pathlib.Path(certificates)
        self.scratch = pathlib.Path(scratch)

    def trusted(self, case, role):
        if role == "client" and not case.client_trusts_server:
            return str(self.certificates / "other-ca.pem")
        return str(self.certificates / "ca.pem")

    def chain(self, case, role):
        return str(self.certificates / f"{role}-{case.certificate}-chain.pem")

    def key(self, case, role):
        return str(self.certificates / f"{role}-{case.certificate}-key.pem")

    def intermediates(self, case, role):
        """The chain without its first certificate."""
        path = self.scratch / f"{role}-{case.certificate}-intermediates.pem"
        if not path.exists():
            end = "-----END CERTIFICATE-----\n"
            chain = pathlib.Path(self.chain(case, role)).read_text()
            self.write_once(path, chain.partition(end)[2])
        return str(path)

    def openssl_without_ems(self):
        path = self.scratch / "openssl-without-ems.cnf"
        if not path.exists():
            lines = (
                "openssl_conf = all",
                "[all]\nssl_conf = ssl",
                "[ssl]\nsystem_default = tls",
                "[tls]\nOptions = -ExtendedMasterSecret",
            )
            self.write_once(path, "\n".join(lines) + "\n")
        return str(path)

    def write_once(self, path, text):
        # Cells run beside each other: what has the final name is whole.
        draft = path.with_suffix(f".{os.urandom(8).hex()}")
        draft.write_text(text)
        draft.rename(path)


class Peer:
    """What holds for most of them."""

    name = ""
    program = ""

    messages_as_arguments = False
    """The client has the messages on its command line; otherwise it sends the lines it is given."""

    echo_by_hand = False
    """The server prints what comes and sends what it is given: we are the echo."""

    server_ends = True
    """The server ends by itself, with status 0, when its client has closed."""

    needs_port = False
    """The server wants to be told its port; otherwise it takes 0 and says which it got."""

    has_extended_master_secret = True
    largest_datagram_received = 65507
    largest_datagram_sent = 1400
    """Unless it is told otherwise."""

    hello_size = 256
    """Of the largest ClientHello, when it exceeds the smallest MTU of cases.py."""

    reads_hello_in_pieces = True

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

    def unable(self, role, case):
        """Why this peer cannot do the case in this role, or None."""
        return None

    def has_mtu(self, role):
        """Whether it can be told how large its datagrams may be; None: yes, else why not."""
        return None

    def environment(self, role, case):
        return {}

    def shows_certificate(self, role, case):
        return role == "server" or case.client_has_certificate

    def outcome(self, output):
        """(AEAD, group, extended master secret) of a handshake that was reported as done, each None
        if it does not say; None if no DTLS 1.2 handshake is reported."""
        suite = self.find_suite(output)
        if suite is None or not re.search(r"DTLS ?v?1\.2", output):
            return None
        return suite, self.find_group(output), self.find_extended_master_secret(output)

    def find_suite(self, output):
        """In the words of cases.SUITES; the libraries differ in dashes, dots and underscores."""
        found = re.search(r"(AES)[-_]?(128|256)[-_]GCM|(CHACHA20)[-_]POLY1305", output)
        if not found:
            return None
        return "CHACHA20-POLY1305" if found[3] else f"AES-{found[2]}-GCM"

    def find_group(self, output):
        found = self.said_group and re.search(self.said_group, output, re.IGNORECASE)
        if not found:
            return None
        names = {"25519": "X25519", "256": "P-256", "384": "P-384"}
        return next((group for name, group in names.items() if name in found[1]), found[1])

    def find_extended_master_secret(self, output):
        return None


class OwnPeer(Peer):
    """peer-mbedtls and peer-wolfssl: one command line (peer.h)."""

    messages_as_arguments = True
    said_group = r"^CONNECTED \S+ \S+ ([A-Z]\S+)"

    def __init__(self, files, folder):
        super().__init__(files)
        self.program = os.path.join(folder, f"peer-{self.name}")

    def command(self, role, case, port, mtu, timeout):
        command = [self.program, role, "--port", str(port), "--timeout", str(timeout)]
        command += ["--ca", self.files.trusted(case, role)]
        if self.shows_certificate(role, case):
            command += ["--cert", self.files.chain(case, role)]
            command += ["--key", self.files.key(case, role)]
        if role == "server" and case.client_authentication:
            command += ["--client-auth"]
        if role == "client":
            command += ["--servername", SERVER_NAME]
            for message in MESSAGES:
                command += ["--message", message]
        for option, value in (("--suite", case.suite), ("--group", case.group), ("--mtu", mtu)):
            if value is not None:
                command += [option, str(value)]
        if not case.extended_master_secret:
            command += ["--no-ems"]
        return command

    def outcome(self, output):
        connected = re.search(r"^CONNECTED .*", output, re.MULTILINE)
        return super().outcome(connected[0]) if connected else None


class MbedTls(OwnPeer):
    name = "mbedtls"
    largest_datagram_sent = 65507
    reads_hello_in_pieces = False

    def unable(self, role, case):
        if case.certificate in ("ed25519", "rsapss"):
            return "Mbed TLS 2.28 has no Ed25519 and no RSA-PSS keys"
        return None


class WolfSsl(OwnPeer):
    name = "wolfssl"
    # It reads a datagram into so many bytes and loses the rest.
    largest_datagram_received = 1400
    reads_hello_in_pieces = False

    def unable(self, role, case):
        if case.certificate == "rsapss":
            return "wolfSSL 5.5 has no RSA-PSS keys"
        if role == "client":
            return None
        if case.group:
            return "wolfSSL's server takes whatever group the client has"
        if case.client_authentication and not case.client_has_certificate:
            return "wolfSSL 5.5 refuses a client without certificate, and does not tell it"
        if case.client_authentication and case.is_lossy:
            return "wolfSSL 5.5's server gives up when a ChangeCipherSpec overtakes a lost message"
        return None

    def has_mtu(self, role):
        return "wolfSSL is packaged without WOLFSSL_DTLS_MTU: at best the other side's MTU is small"


class OpenSsl(Peer):
    name = "openssl"
    largest_datagram_sent = 65507
    program = "openssl"
    echo_by_hand = True
    ready = r"ACCEPT 127\.0\.0\.1:(\d+)"

    NAMES = {
        "AES-128-GCM": "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256",
        "AES-256-GCM": "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384",
        "CHACHA20-POLY1305": "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305",
    }
    # Its MTU is the link's: IPv4 and UDP headers are in it.
    HEADERS = 28

    def unable(self, role, case):
        if role == "server" and case.certificate in ("ed25519", "rsapss"):
            return "OpenSSL 3.0's DTLS server has no suite for an Ed25519 or RSA-PSS key"
        return None

    def environment(self, role, case):
        if case.extended_master_secret:
            return {}
        return {"OPENSSL_CONF": self.files.openssl_without_ems()}

    def command(self, role, case, port, mtu, timeout):
        if role == "server":
            command = ["s_server", "-accept", f"127.0.0.1:{port}", "-naccept", "1"]
            # Both ways there is a cookie. After -listen it takes its first timeout for an error.
            if not case.is_lossy:
                command += ["-listen"]
            if case.client_authentication:
                command += ["-Verify", "3"]
        else:
            command = ["s_client", "-connect", f"127.0.0.1:{port}", "-nocommands"]
            command += ["-servername", SERVER_NAME, "-verify_hostname", SERVER_NAME]
        # Without -nbio it waits inside OpenSSL for the datagram after one that was dropped there.
        command = [self.program, *command, "-dtls1_2", "-nbio", "-verify_return_error"]
        command += ["-CAfile", self.files.trusted(case, role)]
        if self.shows_certificate(role, case):
            command += ["-cert", self.files.chain(case, role), "-key", self.files.key(case, role)]
            command += ["-cert_chain", self.files.intermediates(case, role)]
        if case.suite:
            command += ["-cipher", self.NAMES[case.suite]]
        if case.group:
            command += ["-groups", case.group]
        if mtu:
            command += ["-mtu", str(mtu + self.HEADERS)]
        return command

    said_group = r"Server Temp Key: (?:ECDH, )?([\w-]+)"

    def outcome(self, output):
        # The lists of what both could have spoken say nothing about what is spoken.
        suite = re.search(r"^(?:CIPHER is|New, .*Cipher is) (ECDHE\S+)", output, re.MULTILINE)
        if suite is None:
            return None
        # A server does not name the version; it was told to speak no other.
        return (
            self.find_suite(suite[1]),
            self.find_group(output),
            self.find_extended_master_secret(output),
        )

    def find_extended_master_secret(self, output):
        found = re.search(r"Extended master secret: (yes|no)", output)
        return found[1] == "yes" if found else None


class GnuTlsPriority:
    """The algorithms of a case as a GnuTLS priority string."""

    SUITES = {suite: suite for suite in ("AES-128-GCM", "AES-256-GCM", "CHACHA20-POLY1305")}
    GROUPS = {"X25519": "X25519", "P-256": "SECP256R1", "P-384": "SECP384R1"}

    @classmethod
    def of(cls, case):
        words = ["NORMAL", "-VERS-ALL", "+VERS-DTLS1.2"]
        if case.suite:
            words += ["-CIPHER-ALL", f"+{cls.SUITES[case.suite]}"]
        if case.group:
            words += ["-GROUP-ALL", f"+GROUP-{cls.GROUPS[case.group]}"]
        if not case.extended_master_secret:
            words += ["%NO_SESSION_HASH"]
        return ":".join(words)


class GnuTls(Peer):
    name = "gnutls"
    program = "gnutls-cli"
    server_ends = False
    needs_port = True
    hello_size = 300
    # It listens on every address; only loopback speaks to it.
    ready = r"listening on IPv4 0\.0\.0\.0 port (\d+)\.\.\.done"

    said_group = r"-\(ECDHE-(\w+)\)-"

    def unable(self, role, case):
        if role == "server" and case.client_authentication and not case.client_has_certificate:
            return "gnutls-serv refuses a client without certificate, and does not tell it"
        return None

    def command(self, role, case, port, mtu, timeout):
        if role == "server":
            command = ["gnutls-serv", "--udp", "--echo", "--port", str(port)]
            if case.client_authentication:
                command += ["--require-client-cert", "--verify-client-cert"]
            else:
                command += ["--disable-client-cert"]
        else:
            command = [self.program, "--udp", "--port", str(port), "127.0.0.1"]
            command += ["--sni-hostname", SERVER_NAME, "--verify-hostname", SERVER_NAME]
        command += ["--priority", GnuTlsPriority.of(case)]
        command += ["--x509cafile", self.files.trusted(case, role)]
        if self.shows_certificate(role, case):
            command += ["--x509certfile", self.files.chain(case, role)]
            command += ["--x509keyfile", self.files.key(case, role)]
        if mtu:
            command += ["--mtu", str(mtu)]
        return command

    def outcome(self, output):
        description = re.search(r"^- Description: .*", output, re.MULTILINE)
        if description is None:
            return None
        return (
            self.find_suite(description[0]),
            self.find_group(description[0]),
            self.find_extended_master_secret(output),
        )

    def find_extended_master_secret(self, output):
        options = re.search(r"^- Options: (.*)", output, re.MULTILINE)
        return "extended master secret" in options[1] if options else None


class MoatProgram(Peer):
    """moat(1)."""

    name = "moat"
    ready = r"listening on \S+:(\d+)"

    def __init__(self, files, program):
        super().__init__(files)
        self.program = program

    def environment(self, role, case):
        return {"G_DEBUG": "fatal-criticals"}

    def command(self, role, case, port, mtu, timeout):
        if role == "server":
            command = [self.program, "serve", f"127.0.0.1:{port}", "--echo", "--once"]
            command += ["--client-auth", "require" if case.client_authentication else "none"]
        else:
            command = [self.program, "connect", f"127.0.0.1:{port}", "--servername", SERVER_NAME]
        command += ["--timeout", str(timeout), "--ca", self.files.trusted(case, role)]
        if self.shows_certificate(role, case):
            command += ["--cert", self.files.chain(case, role)]
            command += ["--key", self.files.key(case, role)]
        if mtu:
            command += ["--mtu", str(mtu)]
        return command


class GioProgram(Peer):
    """The example programs on GIO's public API, with whichever backend."""

    messages_as_arguments = True
    ready = r"listening on 127\.0\.0\.1:(\d+)"

    def __init__(self, files, client, server):
        super().__init__(files)
        self.programs = {"client": client, "server": server}

    @property
    def missing(self):
        for role, program in self.programs.items():
            if not program or not shutil.which(program):
                return f"no example {role}"
        return None

    def has_mtu(self, role):
        return "GIO has no way to say an MTU: at best the other side's is small"

    def command(self, role, case, port, mtu, timeout):
        command = [self.programs[role], "--ca", self.files.trusted(case, role)]
        if self.shows_certificate(role, case):
            command += ["--cert", self.files.chain(case, role)]
            command += ["--key", self.files.key(case, role)]
        if role == "client":
            return command + ["--servername", SERVER_NAME, f"127.0.0.1:{port}", *MESSAGES]
        if case.client_authentication:
            command += ["--client-auth"]
        return command + [str(port)]


class GioOnMoat(GioProgram):
    """Moat as GIO's users have it."""

    name = "gio-moat"

    def __init__(self, files, client, server, modules):
        super().__init__(files, client, server)
        self.modules = modules

    def environment(self, role, case):
        return {
            "GIO_USE_TLS": "moat",
            "GIO_EXTRA_MODULES": self.modules,
            "G_DEBUG": "fatal-criticals",
        }


class GlibNetworking(GioProgram):
    """The same programs as they run where Moat is not installed."""

    name = "glib-networking"
    # Its priority string is NORMAL:%COMPAT.
    has_extended_master_secret = False
    hello_size = 300

    def unable(self, role, case):
        if role == "server" and case.client_authentication and not case.client_has_certificate:
            return "glib-networking refuses a client without certificate, and does not tell it"
        return None

    def environment(self, role, case):
        environment = {"GIO_USE_TLS": "gnutls"}
        # In a build with sanitizers its leaks are not ours, and LeakSanitizer dies of its threads.
        environment["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        # Unless a case needs more, it stays as its users have it.
        if case.suite or case.group:
            environment["G_TLS_GNUTLS_PRIORITY"] = GnuTlsPriority.of(case) + ":%COMPAT"
        return environment
