# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright 2026 The Moat authors

"""The small programs that give a TLS library the command line of peer.h."""

import os
import re

from cases import BOTH, HYBRID_GROUP
from peers import MESSAGES, PSK_IDENTITY, SERVER_NAME, Peer


class OwnPeer(Peer):
    messages_as_arguments = True
    resumes_by_itself = True
    said_group = r"^CONNECTED \S+ \S+ ([A-Z]\S+)"

    def __init__(self, files, folder):
        super().__init__(files)
        self.program = os.path.join(folder, f"peer-{self.name}")

    def command(self, role, case, terms, other):
        command = [self.program, role, "--port", str(terms.port), "--timeout", str(terms.seconds)]
        command += self.trust(role, case, other)
        if self.shows_certificate(role, case):
            command += ["--cert", self.files.chain(case, role)]
            command += ["--key", self.files.key(case, role)]
        if role == "client":
            command += ["--servername", SERVER_NAME]
            for message in MESSAGES:
                command += ["--message", message]
        for option, value in self.values(role, case, terms).items():
            if value is not None:
                command += [option, str(value)]
        for option, is_set in self.flags(role, case).items():
            if is_set:
                command += [option]
        return command

    def trust(self, role, case, other):
        return [] if case.psk else ["--ca", self.trusted(role, case, other)]

    def values(self, role, case, terms):
        versions = case.said_versions(role) or (case.version,)
        groups = case.groups(role) or self.default_groups(case)
        return {
            "--min-version": min(versions),
            "--max-version": max(versions),
            "--suite": self.suite(case),
            "--groups": ",".join(groups) if groups else None,
            "--alpn": case.alpn,
            "--psk-identity": PSK_IDENTITY if case.psk else None,
            "--psk-file": self.files.psk() if case.psk else None,
            "--mtu": terms.mtu,
        }

    def flags(self, role, case):
        return {
            "--client-auth": role == "server" and case.client_authentication,
            "--no-cookie": role == "server" and not case.cookie,
            "--no-ems": not case.extended_master_secret,
            "--resume": case.resumption,
            "--key-update": case.key_update,
        }

    def default_groups(self, case):
        return None

    def suite(self, case):
        # In 1.3 a suite says nothing about the key exchange.
        if case.psk and case.version == "1.2":
            return f"{case.psk}-{case.suite}"
        return case.suite

    def outcome(self, output):
        connected = re.findall(r"^CONNECTED .*", output, re.MULTILINE)
        return super().outcome(connected[-1]) if connected else None

    def find_alpn(self, output):
        alpn = output.split()[4]
        return None if alpn == "-" else alpn

    def find_resumed(self, output):
        return {"full": False, "resumed": True}.get(output.split()[5])


class MbedTls(OwnPeer):
    name = "mbedtls"
    tells_resumption = ()
    largest_datagram_sent = 65507
    reads_hello_in_pieces = False

    def unable(self, role, case):
        if case.certificate in ("ed25519", "rsapss"):
            return "Mbed TLS 2.28 has no Ed25519 and no RSA-PSS keys"
        if case.resumption and role == "client":
            # RFC 6347 §4.2.1: its second hello has to have what the first one had.
            return "Mbed TLS 2.28 takes another session ID when it is asked for a cookie"
        return super().unable(role, case)


class Nss(OwnPeer):
    name = "nss"
    lacks = {
        "psk": "NSS has no keys that both know",
    }

    def unable(self, role, case):
        if case.certificate in ("ed25519", "rsapss"):
            return "NSS 3.87 has no Ed25519 and no RSA-PSS keys"
        return super().unable(role, case)

    def has_mtu(self, role):
        return "NSS has no way to say an MTU: at best the other side's is small"


class WolfSsl(OwnPeer):
    name = "wolfssl"
    # It reads a datagram into so many bytes and loses the rest.
    largest_datagram_received = 1400
    reads_hello_in_pieces = False
    lacks = {
        "alpn": "wolfSSL is packaged without ALPN",
        "server cookie": "wolfSSL's server of DTLS 1.2 always sends a cookie",
    }

    def unable(self, role, case):
        if case.certificate == "rsapss":
            return "wolfSSL 5.5 has no RSA-PSS keys"
        if case.psk == "PSK":
            return "wolfSSL is packaged without plain PSK suites"
        if role == "client":
            return super().unable(role, case)
        if case.group:
            return "wolfSSL's server takes whatever group the client has"
        if case.client_authentication and not case.client_has_certificate:
            return "wolfSSL 5.5 refuses a client without certificate, and does not tell it"
        if case.client_authentication and case.is_lossy:
            return "wolfSSL 5.5's server is upset when a client's long flight comes in disorder"
        return super().unable(role, case)

    def unable_with(self, role, case, other):
        if role == "client" and case.resumption and case.client_authentication:
            if other.tickets_are_large:
                return "wolfSSL 5.5 sends no hello in pieces, as this server's ticket makes it"
        return None

    def default_groups(self, case):
        # With ECDHE-PSK it offers X25519, and then cannot read a share of it.
        return ("P-256", "P-384") if case.psk == "ECDHE-PSK" else None

    def has_mtu(self, role):
        return "wolfSSL is packaged without WOLFSSL_DTLS_MTU: at best the other side's MTU is small"


class RegistryPeer(OwnPeer):
    """One that build-peers makes."""

    @property
    def missing(self):
        return f"{super().missing}; build-peers makes it" if super().missing else None


class NewWolfSsl(RegistryPeer):
    """Of the sources in a Rust package."""

    name = "wolfssl-5.9"
    versions = BOTH
    largest_datagram_received = 1400
    reads_hello_in_pieces = False

    def unable(self, role, case):
        if case.certificate == "ed25519":
            return "this wolfSSL is built without Ed25519"
        if case.psk == "PSK":
            return "this wolfSSL is built without plain PSK suites"
        if case.mtu and case.mtu < 800 and case.version == "1.3":
            return "this wolfSSL makes its fragments 500 bytes smaller than they may be"
        if role == "server" and case.version == "1.2":
            return self.unable_as_old_server(case) or super().unable(role, case)
        return super().unable(role, case)

    def unable_as_old_server(self, case):
        if not case.cookie:
            return "wolfSSL's server of DTLS 1.2 always sends a cookie"
        if case.group:
            return "wolfSSL's server of DTLS 1.2 takes whatever group the client has"
        if case.certificate == "rsapss":
            return "wolfSSL's server of DTLS 1.2 calls its RSA-PSS key an RSA key when it signs"
        return None

    def unable_with(self, role, case, other):
        if case.mtu and other.has_mtu("client" if role == "server" else "server"):
            return "this wolfSSL reads no more of a datagram than it may send in one"
        return None

    def default_groups(self, case):
        # It would put a hybrid group first.
        return ("X25519", "P-256", "P-384")


class Pion(RegistryPeer):
    """DTLS in Go."""

    name = "pion"
    versions = BOTH
    tells_resumption = ()
    largest_datagram_sent = 1200

    def unable(self, role, case):
        if case.certificate == "rsapss":
            return "Go has no RSA-PSS keys"
        if case.psk == "ECDHE-PSK" and case.version == "1.2":
            return "Pion has no ECDHE-PSK suite with an AEAD"
        if case.resumption and case.client_authentication:
            if case.version == "1.3" or role == "server":
                return "Pion does not resume where a client showed a certificate"
        if case.key_update and case.is_lossy:
            return "Pion forgets the old keys when it is to replace them, acknowledged or not"
        if role == "client" and case.client_authentication and not case.client_has_certificate:
            if case.version == "1.3":
                return "Pion's client takes a refusal after its own Finished for the end"
        return super().unable(role, case)

    def unable_with(self, role, case, other):
        if role == "server" and isinstance(other, Dimpl):
            return "Pion refuses whoever offers SRTP, as dimpl always does"
        if isinstance(other, NewWolfSsl) and role == "client":
            if HYBRID_GROUP in (case.group, case.first_group):
                return "wolfSSL wants the first hello in one piece, which Pion's is not"
            if case.refusal and case.server_versions == ("1.2",):
                return "wolfSSL's server does not tell that it lacks a version"
        return None

    def suite(self, case):
        return None if case.psk and case.version == "1.3" else super().suite(case)


class Dimpl(RegistryPeer):
    """DTLS in Rust, as WebRTC wants it."""

    name = "dimpl"
    versions = BOTH
    needs_leaf = True
    largest_datagram_sent = 1150
    lacks = {
        "alpn": "dimpl has no ALPN",
        "resumption": "dimpl resumes no sessions",
        "extended_master_secret": "dimpl insists on the extended master secret",
    }

    def unable(self, role, case):
        if case.certificate not in ("ecdsa", "p384"):
            return "dimpl has ECDSA keys only"
        if case.psk and case.suite != "AES-128-CCM-8":
            return "of the PSK suites dimpl has AES-128-CCM-8 alone"
        if case.group == HYBRID_GROUP or (case.first_group == HYBRID_GROUP and role == "client"):
            return "dimpl has no ML-KEM"
        if case.client_authentication and not case.client_has_certificate:
            if role == "client":
                return "dimpl's client always has a certificate"
            return "dimpl refuses a client without certificate, and does not tell it"
        if role == "server" and case.refusal and case.server_versions:
            return "dimpl's server does not tell that it lacks a version"
        return super().unable(role, case)

    def shows_certificate(self, role, case):
        # It wants one even if nobody will ask.
        return case.psk is None

    def trust(self, role, case, other):
        other_role = "client" if role == "server" else "server"
        trusted = case.client_trusts_server or role == "server"
        return ["--pin", self.files.leaf(case, other_role if trusted else role)]
