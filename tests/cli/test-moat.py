#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright 2026 The Moat authors
"""moat connect and moat serve against each other: test-moat.py MOAT PKI MODULES [TEST...].

Nothing here sleeps: a process is waited for by the line it prints or by its end, and one that never
comes to it is ended by the time limit of whoever runs the tests.
"""

import os
import pathlib
import re
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import unittest

MOAT, PKI, MODULES = (os.path.abspath(argument) for argument in sys.argv[1:4])

OK, RUNTIME, USAGE, NO_ANSWER, HANDSHAKE = 0, 1, 2, 3, 4
NOT_TRUSTED, NO_CREDENTIAL, UNREADABLE, BROKEN = 5, 6, 7, 8

# Secrets of 1.2 and of 1.3 in the format of RFC 9850.
KEYLOG_LINE = re.compile(r"(\w+) [0-9a-f]{64} (?:[0-9a-f]{64}|[0-9a-f]{96})\Z")
KEYLOG_LABELS = {
    "1.2": {"CLIENT_RANDOM"},
    "1.3": {
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
        "SERVER_HANDSHAKE_TRAFFIC_SECRET",
        "CLIENT_TRAFFIC_SECRET_0",
        "SERVER_TRAFFIC_SECRET_0",
        "EXPORTER_SECRET",
    },
}


def pem(name):
    path = os.path.join(PKI, name + ".pem")
    assert os.path.exists(path), path
    return path


def shows(name):
    return ["--cert", pem(name + "-chain"), "--key", pem(name + "-key")]


class Moat:
    """A process of the tool. Its output is read line by line, and kept."""

    def __init__(self, *arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **environment):
        unset = ("SSLKEYLOGFILE", "GIO_USE_TLS", "GIO_EXTRA_MODULES")
        kept = {name: value for name, value in os.environ.items() if name not in unset}
        self.said = []
        self.process = subprocess.Popen(
            [MOAT, *arguments],
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            # What the tool says is UTF-8 where the locale is; GLib's own complaints are never right.
            env={**kept, "LC_ALL": "C.UTF-8", "G_DEBUG": "fatal-warnings", **environment},
        )

    def says(self, pattern):
        """Waits for a line on standard error."""
        for line in self.process.stderr:
            self.said.append(line.rstrip("\n"))
            match = re.search(pattern, line)
            if match:
                return match
        raise AssertionError(f"{pattern!r} is not in {self.said}")

    def types(self, *lines):
        self.process.stdin.write("".join(line + "\n" for line in lines))
        self.process.stdin.flush()

    def prints(self):
        """Waits for a line on standard output."""
        line = self.process.stdout.readline()
        assert line.endswith("\n"), (line, self.said)
        return line[:-1]

    def interrupts(self, number=signal.SIGINT):
        """Has a signal end it, while its standard input is still open."""
        self.process.send_signal(number)
        self.process.wait()

    def ends(self):
        """Closes standard input and waits for the end: the status, and what was still printed."""
        printed, said = self.process.communicate()
        self.said += said.splitlines()
        return self.process.returncode, printed

    def dies(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)

    def start(self, *arguments, **options):
        moat = Moat(*arguments, **options)
        self.addCleanup(moat.dies)
        return moat

    def serve(self, *options, certificate="server-ecdsa", address="127.0.0.1:0", **environment):
        server = self.start("serve", *shows(certificate), *options, address, **environment)
        server.address = server.says(r"^listening on (\S+:[1-9][0-9]*)$")[1]
        return server

    def connect(self, server, *options, ca="ca", **environment):
        trust = ["--ca", pem(ca)] if ca else []
        return self.start("connect", *trust, *options, server.address, **environment)

    def assert_ends(self, moat, status, printed="", says=None):
        got = moat.ends()
        self.assertEqual(got, (status, printed), moat.said)
        if says is not None:
            self.assertRegex("\n".join(moat.said), says)


class Conversation(Case):
    def test_echo_comes_back_line_by_line(self):
        lines = ["one", "", "ünï", "x" * 1000, " spaces "]
        server = self.serve("--echo", "--once")
        client = self.connect(server)
        # One at a time: of a burst, a kernel short of memory may drop a datagram even here.
        for line in lines:
            client.types(line)
            self.assertEqual(client.prints(), line)
        self.assert_ends(client, OK)
        self.assert_ends(server, OK, says="the peer has closed the connection")

    def test_last_line_needs_no_newline_and_its_answer_is_waited_for(self):
        server = self.serve("--echo", "--once")
        client = self.connect(server)
        client.process.stdin.write("first\nlast")
        self.assert_ends(client, OK, "first\nlast\n")

    def test_server_prints_and_types(self):
        server = self.serve("--once")
        client = self.connect(server)
        client.types("from the client")
        self.assertEqual(server.prints(), "from the client")
        server.types("from the server")
        self.assertEqual(client.prints(), "from the server")
        self.assert_ends(client, OK)
        self.assert_ends(server, OK)

    def test_end_of_input_does_not_end_a_server(self):
        server = self.serve("--once", stdin=subprocess.DEVNULL)
        client = self.connect(server)
        client.types("hello")
        self.assertEqual(server.prints(), "hello")
        self.assert_ends(client, OK)
        self.assert_ends(server, OK)

    def test_both_sides_say_what_was_agreed_on_standard_error(self):
        server = self.serve("--once", "--ca", pem("ca"), "--client-auth", "require", "--alpn", "b,c")
        client = self.connect(server, *shows("client-rsa"), "--alpn", "a,c,b")
        for moat, peer in ((client, "CN=server-ecdsa"), (server, "CN=client-rsa")):
            moat.says(r"^connected: DTLS 1\.3, TLS_AES_\w+$")
            moat.says(rf"^peer: {peer}, trusted$")
            moat.says("^application protocol: [bc]$")
        self.assert_ends(client, OK)
        self.assert_ends(server, OK)

    def test_next_client_is_served(self):
        server = self.serve("--echo")
        for text in ("first", "second", "third"):
            client = self.connect(server)
            client.types(text)
            self.assertEqual(client.prints(), text)
            self.assert_ends(client, OK)
        server.interrupts()
        self.assert_ends(server, 130)

    def test_client_that_fails_does_not_end_a_server(self):
        server = self.serve("--echo")
        self.assert_ends(self.connect(server, ca="other-ca"), NOT_TRUSTED)
        self.assert_ends(self.connect(server), OK)

    def test_without_cookies_strangers_do_not_keep_clients_out(self):
        server = self.serve("--echo", "--no-cookie")
        host, port = server.address.split(":")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.sendto(b"no hello", (host, int(port)))
            for text in ("first", "second"):
                client = self.connect(server)
                client.types(text)
                self.assertEqual(client.prints(), text)
                self.assert_ends(client, OK)
                server.says("waiting for the next client")

    def test_name_with_several_addresses_finds_the_one_that_answers(self):
        server = self.serve("--echo", "--once")
        server.address = server.address.replace("127.0.0.1", "localhost")
        self.assert_ends(self.connect(server), OK)

    def test_ipv6(self):
        try:
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
                probe.bind(("::1", 0))
        except OSError as error:
            self.skipTest(f"no IPv6 here: {error}")
        server = self.serve("--once", address="[::1]:0")
        self.assert_ends(self.connect(server, "-6"), OK)
        self.assert_ends(server, OK)

    def test_all_addresses_of_both_families(self):
        server = self.serve("--once", address="0")
        server.address = "127.0.0.1:" + server.address.rpartition(":")[2]
        self.assert_ends(self.connect(server), OK)
        self.assert_ends(server, OK)

    def test_backend_of_the_environment_does_not_matter(self):
        for environment in (
            {"GIO_USE_TLS": "gnutls"},
            {"GIO_USE_TLS": "moat", "GIO_EXTRA_MODULES": MODULES},
        ):
            with self.subTest(environment):
                server = self.serve("--once", **environment)
                self.assert_ends(self.connect(server, **environment), OK)
                self.assert_ends(server, OK)


class Length(Case):
    def test_message_that_does_not_fit_is_an_error_and_not_split(self):
        server = self.serve("--echo", "--once")
        client = self.connect(server, "--mtu", "500")
        client.types("x" * 500, "fits")
        self.assertEqual(client.prints(), "fits")
        self.assert_ends(client, OK, says=r"a message of 500 bytes was not sent.* \d+ bytes")

    def test_line_longer_than_any_datagram_is_passed_over(self):
        server = self.serve("--echo", "--once")
        client = self.connect(server)
        client.types("x" * 100_000, "fits", "y" * 16_385, "too")
        self.assertEqual([client.prints(), client.prints()], ["fits", "too"])
        self.assert_ends(client, OK, says="a line of more than 16384 bytes was not sent")


class Signals(Case):
    def test_interrupted_client_says_good_bye(self):
        server = self.serve("--once")
        client = self.connect(server)
        client.says("^connected")
        client.interrupts()
        self.assert_ends(client, 130)
        self.assert_ends(server, OK, says="the peer has closed the connection")

    def test_interrupted_server_says_good_bye(self):
        server = self.serve()
        client = self.connect(server)
        client.says("^connected")
        server.says("^connected")
        server.interrupts(signal.SIGTERM)
        self.assert_ends(server, 143)
        client.says("the peer has closed the connection")
        self.assert_ends(client, OK)

    def test_interrupt_ends_a_handshake_and_a_wait(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
            mute.bind(("127.0.0.1", 0))
            client = self.start("connect", "--timeout", "0", f"127.0.0.1:{mute.getsockname()[1]}")
            # Its first datagram shows that it is at it.
            mute.recv(1)
            client.interrupts()
            self.assert_ends(client, 130)

        for options in ([], ["--no-cookie"]):
            server = self.serve(*options)
            server.interrupts()
            self.assert_ends(server, 130)


class Failure(Case):
    def test_closed_port(self):
        # A connected socket has its port and refuses everybody else's datagrams, as a closed one does.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            taken.connect(taken.getsockname())
            client = self.start("connect", f"127.0.0.1:{taken.getsockname()[1]}")
            self.assert_ends(client, NO_ANSWER, says="the port is closed")

    def test_mute_server(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
            mute.bind(("127.0.0.1", 0))
            client = self.start("connect", "--timeout", "0.2", f"127.0.0.1:{mute.getsockname()[1]}")
            self.assert_ends(client, NO_ANSWER, says="no answer within 0.2 s")

    def test_certificates_that_are_not_trusted(self):
        for certificate, options, ca, says in (
            ("server-ecdsa", [], "other-ca", "its issuer is not trusted"),
            ("server-untrusted", [], "ca", "its issuer is not trusted"),
            ("server-self-signed", [], "ca", "its issuer is not trusted"),
            ("server-expired", [], "ca", "it has expired"),
            ("server-not-yet", [], "ca", "it is not valid yet"),
            ("server-client-eku", [], "ca", "not meant for this purpose"),
            ("server-wrong-name", [], "ca", "it names another host"),
            ("server-ecdsa", ["--servername", "other.example.com"], "ca", "it names another host"),
            # The system's own CAs, none of which has issued it.
            ("server-ecdsa", [], None, "its issuer is not trusted"),
        ):
            with self.subTest(certificate, options=options, ca=ca):
                server = self.serve("--once", certificate=certificate)
                client = self.connect(server, *options, ca=ca)
                self.assert_ends(client, NOT_TRUSTED, says=f"not trusted: .*{says}")
                self.assert_ends(server, HANDSHAKE)

    def test_names_that_are_right(self):
        for certificate, options in (
            ("server-ecdsa", ["--servername", "server.example.com"]),
            ("server-wrong-name", ["--servername", "wrong.example.com"]),
            ("server-rsa", []),
            ("server-ed25519", []),
            ("server-long-chain", []),
        ):
            with self.subTest(certificate, options=options):
                server = self.serve("--once", certificate=certificate)
                self.assert_ends(self.connect(server, *options), OK)
                self.assert_ends(server, OK)

    def test_insecure_goes_on_with_a_warning(self):
        server = self.serve("--once", "--echo")
        client = self.connect(server, "-k", "-q", ca="other-ca")
        client.types("anyway")
        self.assertEqual(client.prints(), "anyway")
        self.assert_ends(client, OK, says="^moat: warning: .*not trusted.*--insecure")

    def test_server_wants_a_certificate_we_lack(self):
        for ca in ([], ["--ca", pem("ca")]):
            with self.subTest(ca):
                server = self.serve("--once", "--client-auth", "require", *ca)
                client = self.connect(server)
                client.says("give one with --cert")
                self.assert_ends(client, NO_CREDENTIAL)
                self.assert_ends(server, HANDSHAKE)

    def test_requested_certificate_may_be_missing(self):
        server = self.serve("--once", "--client-auth", "request", "--ca", pem("ca"))
        self.assert_ends(self.connect(server), OK)
        self.assert_ends(server, OK, says="peer: no certificate")

    def test_client_that_is_not_trusted(self):
        # In 1.3 the client is connected before the server has seen its certificate.
        for version, status, says in (
            ("1.2", HANDSHAKE, "the handshake failed.*unknown_ca"),
            ("1.3", BROKEN, "the connection broke.*unknown_ca"),
        ):
            with self.subTest(version):
                server = self.serve("--once", "--client-auth", "request", "--ca", pem("other-ca"))
                client = self.connect(server, *shows("client-ecdsa"), "--max-version", version)
                client.says(says)
                self.assert_ends(client, status)
                self.assert_ends(server, NOT_TRUSTED, says="CN=client-ecdsa is not trusted")

    def test_standard_output_is_full(self):
        server = self.serve("--once")
        with open("/dev/full", "w", encoding="ascii") as full:
            client = self.connect(server, stdout=full)
            server.types("no room for this")
            client.says("cannot write to standard output: No space left on device")
            self.assertEqual(client.process.wait(), RUNTIME)

    def test_port_is_taken(self):
        for where in ("127.0.0.1:", ""):
            with self.subTest(where + "PORT"):
                port = self.serve(address=where + "0").address.rpartition(":")[2]
                other = self.start("serve", *shows("server-rsa"), where + port)
                self.assert_ends(other, RUNTIME, says="cannot listen at .*Address already in use")

    def test_renegotiation_breaks_the_connection(self):
        server = self.serve("--once")
        client = subprocess.Popen(
            ["openssl", "s_client", "-dtls1_2", "-connect", server.address],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True,
        )
        self.addCleanup(client.communicate)
        self.addCleanup(client.kill)
        server.says("^connected")
        client.stdin.write("R\n")
        client.stdin.flush()
        server.says("the connection broke")
        self.assert_ends(server, BROKEN)


class Files(Case):
    def test_that_cannot_be_used(self):
        missing = str(self.scratch / "missing.pem")
        garbage = self.scratch / "garbage.pem"
        garbage.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        for options, named in (
            (["--ca", missing], missing),
            (["--ca", str(garbage)], str(garbage)),
            (["--ca", pem("ca-key")], pem("ca-key")),
            (["--cert", missing], missing),
            (["--cert", str(garbage)], str(garbage)),
            (["--cert", pem("client-rsa")], pem("client-rsa")),
            (["--cert", pem("client-rsa"), "--key", missing], missing),
            (["--cert", pem("client-rsa"), "--key", pem("ca")], pem("ca")),
            (["--cert", pem("client-rsa"), "--key", pem("client-ecdsa-key")], pem("client-ecdsa-key")),
        ):
            for command, address in (("connect", "127.0.0.1:9"), ("serve", "127.0.0.1:0")):
                if command == "serve" and "--cert" not in options:
                    options = [*options, *shows("server-rsa")]
                with self.subTest(command, options=options):
                    moat = self.start(command, *options, address)
                    self.assert_ends(moat, UNREADABLE, says=f"cannot use .*{re.escape(named)}")

    def test_one_file_may_hold_certificate_and_key(self):
        both = self.scratch / "both.pem"
        both.write_text(pathlib.Path(pem("server-rsa-chain")).read_text()
                        + pathlib.Path(pem("server-rsa-key")).read_text())
        server = self.start("serve", "--once", "--cert", str(both), "127.0.0.1:0")
        server.address = server.says(r"^listening on (\S+)$")[1]
        self.assert_ends(self.connect(server), OK)
        self.assert_ends(server, OK)


class Version(Case):
    def test_newest_that_both_have(self):
        for client_options, server_options, version in (
            ([], [], "1.3"),
            (["--max-version", "1.2"], [], "1.2"),
            ([], ["--max-version", "1.2"], "1.2"),
            (["--min-version", "1.3"], [], "1.3"),
            ([], ["--min-version", "1.3"], "1.3"),
        ):
            with self.subTest(client=client_options, server=server_options):
                server = self.serve("--once", "--echo", *server_options)
                client = self.connect(server, *client_options)
                client.types("hello")
                self.assertEqual(client.prints(), "hello")
                self.assert_ends(client, OK, says=f"(?m)^connected: DTLS {version}, TLS_")
                self.assert_ends(server, OK, says=f"(?m)^connected: DTLS {version}, TLS_")

    def test_none_in_common(self):
        for old, new in ((self.connect, self.serve), (self.serve, self.connect)):
            with self.subTest(old.__name__):
                options = {old: ["--max-version", "1.2"], new: ["--min-version", "1.3"]}
                server = self.serve("--once", *options[self.serve])
                client = self.connect(server, *options[self.connect])
                self.assert_ends(client, HANDSHAKE, says="protocol_version")

    def test_suites(self):
        name = "TLS_CHACHA20_POLY1305_SHA256"
        server = self.serve("--once", "--suites", name)
        client = self.connect(server, "--suites", f"TLS_AES_128_GCM_SHA256,{name}")
        self.assert_ends(client, OK, says=f"(?m)^connected: DTLS 1.3, {name}$")
        self.assert_ends(server, OK)

    def test_groups(self):
        server = self.serve("--once", "--groups", "secp384r1")
        # Its first share is of no use: the server asks for another.
        self.assert_ends(self.connect(server, "--groups", "x25519,secp384r1"), OK)
        self.assert_ends(server, OK)

        server = self.serve("--once", "--groups", "secp384r1")
        client = self.connect(server, "--groups", "x25519")
        self.assert_ends(client, HANDSHAKE, says="handshake_failure")

    def test_nothing_is_left(self):
        options = ["--max-version", "1.2", "--suites", "TLS_AES_128_GCM_SHA256"]
        client = self.start("connect", *options, "127.0.0.1:9")
        self.assert_ends(client, USAGE, says="leaves no version, suite or group")
        server = self.start("serve", "--once", *shows("server-rsa"), *options, "127.0.0.1:0")
        self.assert_ends(server, USAGE, says="leaves no version, suite or group")

    def test_keys_change_with_each_message(self):
        server = self.serve("--once", "--echo", "--key-update")
        client = self.connect(server, "--key-update")
        for text in ("first", "second", "third"):
            client.types(text)
            self.assertEqual(client.prints(), text)
        self.assert_ends(client, OK)
        self.assertNotIn("keys are not changed", "".join(client.said))
        self.assert_ends(server, OK)
        self.assertNotIn("keys are not changed", "".join(server.said))

    def test_keys_of_1_2_do_not_change(self):
        server = self.serve("--once", "--echo", "--max-version", "1.2")
        client = self.connect(server, "--key-update")
        client.types("first", "second")
        self.assertEqual([client.prints(), client.prints()], ["first", "second"])
        self.assert_ends(client, OK)
        self.assertEqual("".join(client.said).count("keys are not changed"), 1, client.said)


class PreSharedKey(Case):
    def key(self, name, digits):
        path = self.scratch / name
        path.write_text(digits + "\n")
        return str(path)

    def serve_key(self, *options):
        server = self.start("serve", "--once", "--echo", *options, "127.0.0.1:0")
        server.address = server.says(r"^listening on (\S+)$")[1]
        return server

    def test_takes_the_place_of_certificates(self):
        options = ["--psk-identity", "sensor-7", "--psk-file", self.key("key", "0f" * 32)]
        for version in ("1.2", "1.3"):
            with self.subTest(version):
                server = self.serve_key(*options)
                client = self.connect(server, *options, "--max-version", version, ca=None)
                client.types("hello")
                self.assertEqual(client.prints(), "hello")
                for moat in (client, server):
                    self.assert_ends(moat, OK, says=f"(?m)^connected: DTLS {version}, TLS_")
                    self.assertIn("peer: has the pre-shared key “sensor-7”", moat.said)

    def test_wrong_key_and_wrong_name(self):
        right = self.key("right", "0f" * 32)
        wrong = self.key("wrong", "f0" * 32)
        for identity, key, version, status in (
            ("sensor-7", wrong, "1.3", HANDSHAKE),
            ("sensor-8", right, "1.3", HANDSHAKE),
            ("sensor-8", right, "1.2", HANDSHAKE),
            # Records under another key are dropped like any stranger's.
            ("sensor-7", wrong, "1.2", NO_ANSWER),
        ):
            with self.subTest(version, identity=identity):
                server = self.serve_key("--psk-identity", "sensor-7", "--psk-file", right)
                client = self.connect(server, "--psk-identity", identity, "--psk-file", key,
                                      "--max-version", version, "--timeout", "1", ca=None)
                self.assert_ends(client, status)

    def test_short_key_is_warned_of(self):
        options = ["--psk-identity", "a", "--psk-file", self.key("key", "0f" * 15)]
        server = self.serve_key(*options)
        client = self.connect(server, *options, ca=None)
        self.assert_ends(client, OK, says="warning: the key in .* is shorter than 16 bytes")

    def test_file_that_holds_no_key(self):
        for name, digits in (("empty", ""), ("words", "secret"), ("odd", "0f0"), ("more", "0f 0f")):
            with self.subTest(name):
                path = self.key(name, digits)
                client = self.start("connect", "--psk-identity", "a", "--psk-file", path, "127.0.0.1:9")
                self.assert_ends(client, UNREADABLE, says=f"{re.escape(path)} does not hold an even number")
        missing = str(self.scratch / "missing")
        client = self.start("connect", "--psk-identity", "a", "--psk-file", missing, "127.0.0.1:9")
        self.assert_ends(client, UNREADABLE, says=re.escape(missing))


class Session(Case):
    def resumes(self, *options, server_options=()):
        """Whether a client with `options` goes on from a session, as both sides say."""
        server = self.serve("--once", "--echo", *server_options)
        client = self.connect(server, "--servername", "server.example.com", *options)
        # Its tickets have come when the answer has.
        client.types("hello")
        self.assertEqual(client.prints(), "hello")
        self.assert_ends(client, OK)
        self.assert_ends(server, OK)
        said = [any(re.search("^connected: .*, resumed$", line) for line in moat.said)
                for moat in (client, server)]
        self.assertEqual(said[0], said[1])
        return said[0]

    def test_file_is_gone_on_from_by_another_process(self):
        secret = self.scratch / "secret"
        secret.write_text("5a" * 32)
        old = os.umask(0)
        self.addCleanup(os.umask, old)
        for version in ("1.2", "1.3"):
            with self.subTest(version):
                path = self.scratch / ("session" + version)
                options = ["--session-file", str(path)]
                tickets = ["--ticket-secret", str(secret), "--max-version", version]
                self.assertFalse(self.resumes(*options, server_options=tickets))
                self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
                self.assertTrue(self.resumes(*options, server_options=tickets))
                self.assertTrue(self.resumes(*options, server_options=tickets))
                # A server with another secret does not know the tickets.
                self.assertFalse(self.resumes(*options, server_options=["--max-version", version]))

    def test_session_does_not_stand_in_for_trust(self):
        secret = self.scratch / "secret"
        secret.write_text("5a" * 32)
        path = self.scratch / "session"
        options = ["--session-file", str(path)]
        server = self.serve("--once", "--echo", "--ticket-secret", str(secret))
        client = self.connect(server, "--insecure", *options, ca="other-ca")
        client.types("hello")
        self.assertEqual(client.prints(), "hello")
        self.assert_ends(client, OK)
        self.assertTrue(path.exists())

        server = self.serve("--once", "--ticket-secret", str(secret))
        client = self.connect(server, *options, ca="other-ca")
        self.assert_ends(client, NOT_TRUSTED)

    def test_file_that_holds_no_session(self):
        path = self.scratch / "session"
        path.write_bytes(b"somebody's key")
        self.assertFalse(self.resumes("--session-file", str(path)))
        self.assertEqual(path.read_bytes(), b"somebody's key")
        self.assertFalse(self.resumes("--session-file", str(self.scratch)))
        self.assertTrue(self.scratch.is_dir())
        path.write_bytes(b"x" * 70_000)
        self.assertFalse(self.resumes("--session-file", str(path)))
        self.assertEqual(path.stat().st_size, 70_000)
        path.write_bytes(b"")
        self.assertFalse(self.resumes("--session-file", str(path)))
        self.assertGreater(path.stat().st_size, 0)
        pipe = self.scratch / "pipe"
        os.mkfifo(pipe)
        self.assertFalse(self.resumes("--session-file", str(pipe)))
        self.assertTrue(pipe.is_fifo())
        self.assertEqual(sorted(p.name for p in self.scratch.iterdir()), ["pipe", "session"])

    def test_file_that_others_can_have_written(self):
        secret = self.scratch / "secret"
        secret.write_text("5a" * 32)
        path = self.scratch / "session"
        options = ["--session-file", str(path)]
        tickets = ["--ticket-secret", str(secret)]
        self.assertFalse(self.resumes(*options, server_options=tickets))
        path.chmod(0o620)
        client = self.start("connect", *options, "--timeout", "1", "127.0.0.1:9")
        client.ends()
        self.assertRegex("\n".join(client.said), "warning: there is no session to offer: .* other users")
        # The next one takes its place, and its owner's alone.
        self.assertFalse(self.resumes(*options, server_options=tickets))
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertTrue(self.resumes(*options, server_options=tickets))

    def test_secret_without_end(self):
        server = self.start("serve", *shows("server-rsa"), "--ticket-secret", "/dev/zero", "127.0.0.1:0")
        self.assert_ends(server, UNREADABLE, says="too long")

    def test_secret_that_is_none(self):
        path = self.scratch / "secret"
        for digits in ("", "5a" * 31, "words"):
            path.write_text(digits)
            with self.subTest(digits):
                server = self.start("serve", *shows("server-rsa"), "--ticket-secret", str(path), "127.0.0.1:0")
                self.assert_ends(server, UNREADABLE, says=".")


class Keylog(Case):
    def assert_secrets(self, lines, version):
        self.assertEqual(len(lines), len(KEYLOG_LABELS[version]))
        for line in lines:
            self.assertRegex(line, KEYLOG_LINE)
        labels = {KEYLOG_LINE.match(line)[1] for line in lines}
        self.assertEqual(labels, KEYLOG_LABELS[version])

    def test_secrets_are_the_same_on_both_sides_and_for_the_owner_alone(self):
        old = os.umask(0)
        self.addCleanup(os.umask, old)
        for version in KEYLOG_LABELS:
            with self.subTest(version):
                here, there = (self.scratch / (name + version) for name in ("client", "server"))
                server = self.serve("--once", "--max-version", version, "--keylog", str(there))
                client = self.connect(server, SSLKEYLOGFILE=str(here))
                self.assert_ends(client, OK, says="the secrets")
                self.assert_ends(server, OK, says="the secrets")

                for path in (here, there):
                    self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
                    self.assert_secrets(path.read_text().splitlines(), version)
                self.assertEqual(*(sorted(p.read_text().splitlines()) for p in (here, there)))

    def test_option_overrides_environment_and_adds_to_the_file(self):
        kept, unused = self.scratch / "kept.log", self.scratch / "unused.log"
        kept.write_text("# a line of before\n")
        server = self.serve("--once")
        client = self.connect(server, "--keylog", str(kept), SSLKEYLOGFILE=str(unused))
        self.assert_ends(client, OK)
        before, *secrets = kept.read_text().splitlines()
        self.assertEqual(before, "# a line of before")
        self.assert_secrets(secrets, "1.3")
        self.assertFalse(unused.exists())

    def test_file_that_cannot_be_written(self):
        path = str(self.scratch / "no" / "such" / "folder.log")
        client = self.start("connect", "--keylog", path, "127.0.0.1:9")
        self.assert_ends(client, RUNTIME, says=re.escape(path))


class CommandLine(Case):
    def setUp(self):
        super().setUp()
        path = self.scratch / "key"
        path.write_text("0f" * 16)
        self.key = str(path)

    def test_nonsense(self):
        serve = ["serve", *shows("server-rsa")]
        for arguments in (
            [],
            ["dance"],
            ["connect"],
            ["connect", "127.0.0.1"],
            ["connect", "127.0.0.1:0"],
            ["connect", "127.0.0.1:70000"],
            ["connect", "[::1:5"],
            ["connect", "127.0.0.1:9", "127.0.0.1:10"],
            ["connect", "--nonsense", "127.0.0.1:9"],
            ["connect", "-4", "-6", "127.0.0.1:9"],
            ["connect", "-v", "-q", "127.0.0.1:9"],
            ["connect", "--mtu", "255", "127.0.0.1:9"],
            ["connect", "--mtu", "65508", "127.0.0.1:9"],
            ["connect", "--mtu", "many", "127.0.0.1:9"],
            ["connect", "--timeout", "-1", "127.0.0.1:9"],
            ["connect", "--timeout", "nan", "127.0.0.1:9"],
            ["connect", "--timeout", "86401", "127.0.0.1:9"],
            ["connect", "--alpn", "a,,b", "127.0.0.1:9"],
            ["connect", "--alpn", "x" * 256, "127.0.0.1:9"],
            ["connect", "--key", pem("client-rsa-key"), "127.0.0.1:9"],
            ["connect", "--echo", "127.0.0.1:9"],
            ["connect", "--min-version", "1.1", "127.0.0.1:9"],
            ["connect", "--max-version", "2", "127.0.0.1:9"],
            ["connect", "--min-version", "1.3", "--max-version", "1.2", "127.0.0.1:9"],
            ["connect", "--suites", "TLS_AES_128_GCM_SHA256,nonsense", "127.0.0.1:9"],
            ["connect", "--groups", "x25519,nonsense", "127.0.0.1:9"],
            ["connect", "--suites", "", "127.0.0.1:9"],
            ["connect", "--groups", "", "127.0.0.1:9"],
            ["connect", "--alpn", "", "127.0.0.1:9"],
            ["connect", ":9"],
            ["connect", "::1:9"],
            ["serve", "--psk-identity", "", "--psk-file", self.key, "0"],
            ["connect", "--psk-identity", "", "--psk-file", self.key, "127.0.0.1:9"],
            ["connect", "--psk-identity", "a", "127.0.0.1:9"],
            ["connect", "--psk-file", pem("ca"), "127.0.0.1:9"],
            ["connect", "--ticket-secret", pem("ca"), "127.0.0.1:9"],
            ["serve", "127.0.0.1:0"],
            [*serve, "--session-file", "x", "0"],
            [*serve],
            [*serve, "70000"],
            [*serve, "port"],
            [*serve, "--client-auth", "maybe", "0"],
            [*serve, "--servername", "x", "0"],
        ):
            with self.subTest(arguments):
                self.assert_ends(self.start(*arguments), USAGE, says=".")

    def test_family_that_an_address_is_not_of(self):
        self.assert_ends(self.start("connect", "-6", "127.0.0.1:9"), RUNTIME, says="not an IPv6")

    def test_help_and_version_are_standard_output(self):
        for arguments, pattern in (
            (["--help"], r"connect.*\n.*serve"),
            (["connect", "--help"], r"moat connect .*HOST:PORT\n(.*\n)*.*--servername"),
            (["serve", "--help"], r"moat serve .*\[ADDR:\]PORT\n(.*\n)*.*--client-auth"),
            (["--version"], r"^moat \d+\.\d+\.\d+\n$"),
            (["serve", "--version"], r"^moat \d+\.\d+\.\d+\n$"),
        ):
            with self.subTest(arguments):
                moat = self.start(*arguments)
                status, printed = moat.ends()
                self.assertEqual((status, moat.said), (OK, []))
                self.assertRegex(printed, pattern)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]], verbosity=2)
