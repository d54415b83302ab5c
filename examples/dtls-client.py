#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright 2026 The Moat authors

"""The handshake of dtls-client.c from Python: GIO through GObject introspection, nothing else.

PyGObject belongs to the system's Python, so this runs with /usr/bin/python3.
"""

import argparse
import os
import sys

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

VERSIONS = {
    Gio.TlsProtocolVersion.DTLS_1_0: "DTLS 1.0",
    Gio.TlsProtocolVersion.DTLS_1_2: "DTLS 1.2",
}


def connect_socket(server):
    address = server.enumerate().next(None)
    socket = Gio.Socket.new(address.get_family(), Gio.SocketType.DATAGRAM, Gio.SocketProtocol.UDP)
    socket.connect(address, None)
    return socket


def version_name(connection):
    """GIO has no name yet for 1.3; Moat's connections have a property that tells."""
    if connection.find_property("dtls-version") and connection.props.dtls_version:
        return f"DTLS {connection.props.dtls_version}"
    return VERSIONS.get(connection.props.protocol_version, "unknown")


def print_connection(connection):
    peer = connection.props.peer_certificate
    errors = connection.props.peer_certificate_errors

    print("version:", version_name(connection))
    print("cipher suite:", connection.props.ciphersuite_name or "none")
    print("peer:", peer.props.subject_name if peer else "no certificate")
    if peer:
        print("verdict:", ", ".join(errors.value_nicks) if errors else "trusted")


def main():
    parser = argparse.ArgumentParser(description="A DTLS handshake from Python")
    parser.add_argument("--ca", metavar="FILE", help="CAs that the server is checked against")
    parser.add_argument("--servername", metavar="NAME", help="whom its certificate must name")
    parser.add_argument("server", metavar="HOST:PORT")
    options = parser.parse_args()

    server = Gio.NetworkAddress.parse(options.server, 0)
    identity = Gio.NetworkAddress.new(options.servername, 0) if options.servername else server
    connection = Gio.DtlsClientConnection.new(connect_socket(server), identity)
    if options.ca:
        database = Gio.TlsFileDatabase.new(os.path.abspath(options.ca))
        connection.set_database(database)

    try:
        connection.handshake(None)
    finally:
        print_connection(connection)
    connection.close(None)


if __name__ == "__main__":
    try:
        main()
    except GLib.Error as error:
        sys.exit(f"{error.domain}: {error.message}")
