#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright 2026 The Moat authors
"""A handshake, properties and signals through gi.repository.Gio, as TAP. Without PyGObject it skips.

Data does not pass this way: PyGObject cannot fill GOutputMessage or GInputMessage.
"""

import os
import sys

try:
    import gi

    gi.require_version("Gio", "2.0")
    from gi.repository import Gio, GLib
except (ImportError, ValueError) as problem:
    print(f"1..0 # SKIP no PyGObject: {problem}")
    sys.exit(77)

FAILSAFE_SECONDS = 120
CERTIFICATES = os.environ["MOAT_TEST_CERTS"]
loop = GLib.MainLoop()


def path(name):
    return os.path.join(CERTIFICATES, name)


def udp_socket():
    family, kind = Gio.SocketFamily.IPV4, Gio.SocketType.DATAGRAM
    socket = Gio.Socket.new(family, kind, Gio.SocketProtocol.UDP)
    socket.bind(Gio.InetSocketAddress.new_from_string("127.0.0.1", 0), False)
    return socket


class Pair:
    """A client and a server on connected sockets."""

    def __init__(self, identity="server.example.com"):
        sockets = udp_socket(), udp_socket()
        sockets[0].connect(sockets[1].get_local_address(), None)
        sockets[1].connect(sockets[0].get_local_address(), None)
        certificate = Gio.TlsCertificate.new_from_files(
            path("server-ecdsa-chain.pem"), path("server-ecdsa-key.pem")
        )
        self.client = Gio.DtlsClientConnection.new(
            sockets[0], Gio.NetworkAddress.new(identity, 4433)
        )
        self.server = Gio.DtlsServerConnection.new(sockets[1], certificate)
        self.client.set_database(Gio.TlsFileDatabase.new(path("intermediate.pem")))
        self.waiting = 0
        self.errors = {}

    def handshake(self):
        for connection in (self.server, self.client):
            self.waiting += 1
            connection.handshake_async(GLib.PRIORITY_DEFAULT, None, self.on_handshake)
        loop.run()
        return self.errors.get(self.client), self.errors.get(self.server)

    def on_handshake(self, connection, result):
        try:
            connection.handshake_finish(result)
        except GLib.Error as error:
            self.errors[connection] = error
        self.waiting -= 1
        if not self.waiting:
            loop.quit()


def test_handshake():
    pair = Pair()
    assert pair.client.get_protocol_version() == Gio.TlsProtocolVersion.UNKNOWN
    assert pair.handshake() == (None, None)
    assert pair.client.get_protocol_version() == Gio.TlsProtocolVersion.UNKNOWN
    assert pair.client.get_ciphersuite_name().startswith("TLS_")
    assert pair.client.get_ciphersuite_name() == pair.server.get_ciphersuite_name()
    assert pair.client.get_peer_certificate().get_subject_name() == "CN=server-ecdsa"
    assert pair.client.get_peer_certificate_errors() == Gio.TlsCertificateFlags.NO_FLAGS
    assert pair.client.props.dtls_version == "1.3"
    assert pair.client.close(None)
    assert pair.client.get_ciphersuite_name() is None


def test_accept_certificate():
    pair = Pair("someone.else.example.com")
    seen = []

    def on_accept(_connection, certificate, errors):
        seen.append((certificate.get_subject_name(), errors))
        return True

    pair.client.connect("accept-certificate", on_accept)
    assert pair.handshake() == (None, None)
    assert seen == [("CN=server-ecdsa", Gio.TlsCertificateFlags.BAD_IDENTITY)]


def test_rejection():
    pair = Pair("someone.else.example.com")
    client, server = pair.handshake()
    assert client.matches(Gio.tls_error_quark(), Gio.TlsError.BAD_CERTIFICATE)
    assert server.matches(Gio.tls_error_quark(), Gio.TlsError.MISC)


def test_alpn():
    pair = Pair()
    pair.client.set_advertised_protocols(["coap", "h2"])
    pair.server.set_advertised_protocols(["h2"])
    assert pair.handshake() == (None, None)
    assert pair.client.get_negotiated_protocol() == "h2"
    assert pair.server.get_negotiated_protocol() == "h2"


def test_condition():
    pair = Pair()
    assert pair.handshake() == (None, None)
    both = GLib.IOCondition.IN | GLib.IOCondition.OUT
    assert pair.client.condition_check(both) == GLib.IOCondition.OUT
    assert pair.server.close(None)
    assert pair.client.condition_wait(GLib.IOCondition.IN, -1, None)


TESTS = [test_handshake, test_accept_certificate, test_rejection, test_alpn, test_condition]


def hang():
    print("Bail out! a test hangs", flush=True)
    os._exit(1)


def main():
    GLib.timeout_add_seconds(FAILSAFE_SECONDS, hang)
    print(f"1..{len(TESTS)}")
    n_failed = 0
    for number, test in enumerate(TESTS, 1):
        name = test.__name__.removeprefix("test_")
        try:
            test()
            print(f"ok {number} /gio/python/{name}", flush=True)
        except (AssertionError, GLib.Error) as problem:
            n_failed += 1
            print(f"not ok {number} /gio/python/{name}: {problem!r}", flush=True)
    return 1 if n_failed else 0


sys.exit(main())
