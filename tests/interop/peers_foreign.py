# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright 2026 The Moat authors

"""The programs that other projects bring themselves."""

import os
import re

from peers import PSK, PSK_IDENTITY, SERVER_NAME, Peer


class OpenSsl(Peer):
    name = "openssl"
    largest_datagram_sent = 65507
    program = "openssl"
    echo_by_hand = True
    ready = r"ACCEPT 127\.0\.0\.1:(\d+)"
    lacks = {
        "server cookie": "openssl s_server always sends a cookie",
        "server resumption": "openssl s_server serves one client alone with DTLS",
    }

    NAMES = {
        "AES-128-GCM": "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256",
        "AES-256-GCM": "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384",
        "CHACHA20-POLY1305": "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305",
        "PSK-AES-128-GCM": "PSK-AES128-GCM-SHA256",
        "PSK-AES-128-CCM-8": "PSK-AES128-CCM8:@SECLEVEL=0",
        "ECDHE-PSK-CHACHA20-POLY1305": "ECDHE-PSK-CHACHA20-POLY1305",
    }
    # Its MTU is the link's: IPv4 and UDP headers are in it.
    HEADERS = 28

    def unable(self, role, case):
        if role == "server" and case.certificate in ("ed25519", "rsapss"):
            return "OpenSSL 3.0's DTLS server has no suite for an Ed25519 or RSA-PSS key"
        return super().unable(role, case)

    def environment(self, role, case):
        if case.extended_master_secret:
            return {}
        return {"OPENSSL_CONF": self.files.openssl_without_ems()}

    def command(self, role, case, terms, other):
        if role == "server":
            command = self.server_command(case, terms)
        else:
            command = self.client_command(case, terms)
        # Without -nbio it waits inside OpenSSL for the datagram after one that was dropped there.
        command = [self.program, *command, "-dtls1_2", "-nbio"]
        command += self.credentials(role, case, other)
        if case.suite:
            suite = f"{case.psk}-{case.suite}" if case.psk else case.suite
            command += ["-cipher", self.NAMES[suite]]
        if case.group:
            command += ["-groups", ":".join(case.groups(role))]
        if case.alpn:
            command += ["-alpn", case.alpn]
        if terms.mtu:
            command += ["-mtu", str(terms.mtu + self.HEADERS)]
        return command

    def server_command(self, case, terms):
        command = ["s_server", "-accept", f"127.0.0.1:{terms.port}", "-naccept", "1"]
        # Both ways there is a cookie. After -listen it takes its first timeout for an error.
        if not case.is_lossy:
            command += ["-listen"]
        return command + (["-Verify", "3"] if case.client_authentication else [])

    def client_command(self, case, terms):
        command = ["s_client", "-connect", f"127.0.0.1:{terms.port}", "-nocommands"]
        if case.resumption:
            command += ["-sess_out", terms.session_file]
        if os.path.exists(terms.session_file):
            command += ["-sess_in", terms.session_file]
        if case.psk:
            return command
        return command + ["-servername", SERVER_NAME, "-verify_hostname", SERVER_NAME]

    def credentials(self, role, case, other):
        if case.psk:
            # A server would want a certificate otherwise.
            server = ["-nocert"] if role == "server" else []
            return ["-psk_identity", PSK_IDENTITY, "-psk", PSK, *server]
        command = ["-verify_return_error", "-CAfile", self.trusted(role, case, other)]
        if other.needs_leaf:
            command += ["-partial_chain"]
        if self.shows_certificate(role, case):
            command += ["-cert", self.files.chain(case, role), "-key", self.files.key(case, role)]
            command += ["-cert_chain", self.files.intermediates(case, role)]
        return command

    said_group = r"Server Temp Key: (?:ECDH, )?([\w-]+)"
    # A client prints an answer of two lines, a server two words.
    said_suite = r"^(?:CIPHER is|(?:New|Reused), .*Cipher is) ((?:ECDHE|PSK)\S+)"

    def outcome(self, output):
        # The lists of what both could have spoken say nothing about what is spoken.
        suites = list(re.finditer(self.said_suite, output, re.MULTILINE))
        if not suites:
            return None
        # A server does not name the version; it was told to speak no other.
        told = output[suites[-1].start() :] if len(suites) > 1 else output
        outcome = super().outcome("DTLSv1.2\n" + told)
        outcome.suite = self.find_suite(suites[-1][1])
        return outcome

    def find_extended_master_secret(self, output):
        found = re.search(r"Extended master secret: (yes|no)", output)
        return found[1] == "yes" if found else None

    def find_alpn(self, output):
        found = re.search(r"^ALPN protocol(?:s selected)?: (\S+)", output, re.MULTILINE)
        return found[1] if found else None

    def find_resumed(self, output):
        if re.search(r"^Reused", output, re.MULTILINE):
            return True
        return False if re.search(r"^New, ", output, re.MULTILINE) else None


class GnuTlsPriority:
    """The algorithms of a case as a GnuTLS priority string."""

    GROUPS = {"X25519": "X25519", "P-256": "SECP256R1", "P-384": "SECP384R1"}

    @classmethod
    def of(cls, case):
        words = ["NORMAL", "-VERS-ALL", "+VERS-DTLS1.2"]
        if case.psk:
            words += ["-KX-ALL", f"+{case.psk}"]
        if case.suite:
            words += ["-CIPHER-ALL", f"+{case.suite}"]
        if case.group:
            words += ["-GROUP-ALL", f"+GROUP-{cls.GROUPS[case.group]}"]
        if not case.extended_master_secret:
            words += ["%NO_SESSION_HASH"]
        return ":".join(words)


class GnuTls(Peer):
    name = "gnutls"
    program = "gnutls-cli"
    needs_port = True
    resumes_by_itself = True
    hello_size = 300
    tickets_are_large = True
    tells_resumption = ("client",)
    # It listens on every address; only loopback speaks to it.
    ready = r"listening on IPv4 0\.0\.0\.0 port (\d+)\.\.\.done"
    lacks = {"server cookie": "gnutls-serv always sends a cookie"}

    said_group = r"-\(ECDHE-(?:PSK-)?(\w+)\)-"

    def unable(self, role, case):
        if role == "server" and case.client_authentication and not case.client_has_certificate:
            return "gnutls-serv refuses a client without certificate, and does not tell it"
        if role == "client" and case.psk == "ECDHE-PSK":
            return "gnutls-cli 3.7 crashes with an ECDHE-PSK suite"
        return super().unable(role, case)

    def server_ends(self, case):
        return False

    def command(self, role, case, terms, other):
        if role == "server":
            command = ["gnutls-serv", "--udp", "--echo", "--port", str(terms.port)]
            if case.client_authentication:
                command += ["--require-client-cert", "--verify-client-cert"]
            else:
                command += ["--disable-client-cert"]
        else:
            command = [self.program, "--udp", "--port", str(terms.port), "127.0.0.1"]
            if case.resumption:
                command += ["--resume"]
        command += ["--priority", GnuTlsPriority.of(case)]
        command += self.credentials(role, case, other)
        if case.alpn:
            command += ["--alpn", case.alpn]
        if terms.mtu:
            command += ["--mtu", str(terms.mtu)]
        return command

    def credentials(self, role, case, other):
        if case.psk and role == "server":
            return ["--pskpasswd", self.files.gnutls_psk()]
        if case.psk:
            return ["--pskusername", PSK_IDENTITY, "--pskkey", PSK]
        command = ["--x509cafile", self.trusted(role, case, other)]
        if role == "client":
            command += ["--sni-hostname", SERVER_NAME, "--verify-hostname", SERVER_NAME]
        if self.shows_certificate(role, case):
            command += ["--x509certfile", self.files.chain(case, role)]
            command += ["--x509keyfile", self.files.key(case, role)]
        return command

    def outcome(self, output):
        at = [found.start() for found in re.finditer(r"^- Description: ", output, re.MULTILINE)]
        return super().outcome(output[at[-1] :]) if at else None

    def find_extended_master_secret(self, output):
        options = re.search(r"^- Options: (.*)", output, re.MULTILINE)
        return "extended master secret" in options[1] if options else None

    def find_alpn(self, output):
        found = re.search(r"^- Application protocol: (\S+)", output, re.MULTILINE)
        return found[1] if found and found[1] != "(null)" else None

    def find_resumed(self, output):
        return "This is a resumed session" in output or None
