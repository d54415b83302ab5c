# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright 2026 The Moat authors

"""Moat as a side of a cell: moat(1), and the example programs on GIO's public API, which also run
on glib-networking."""

import ctypes
import functools
import os
import re
import shutil
import subprocess

from cases import BOTH, HYBRID_GROUP
from peers import MESSAGES, PSK_IDENTITY, SERVER_NAME, Peer
from peers_foreign import GnuTlsPriority

# As the IANA has them, and so moat(1).
GROUP_NAMES = {"X25519": "x25519", "P-256": "secp256r1", "P-384": "secp384r1"}

PSK_SUITES = {
    "AES-128-GCM": "TLS_PSK_WITH_AES_128_GCM_SHA256",
    "AES-128-CCM-8": "TLS_PSK_WITH_AES_128_CCM_8",
}

# OPENSSL_VERSION_NUMBER of the first libcrypto that has ML-KEM.
LIBCRYPTO_WITH_ML_KEM = 0x30500000


@functools.cache
def lacks_ml_kem():
    libcrypto = ctypes.CDLL("libcrypto.so.3")
    libcrypto.OpenSSL_version_num.restype = ctypes.c_ulong
    return libcrypto.OpenSSL_version_num() < LIBCRYPTO_WITH_ML_KEM


class OnMoat(Peer):
    """What holds for Moat however it is used."""

    hello_size = 300

    def unable(self, role, case):
        # A hybrid share in a client's first hello is only skipped.
        if case.group == HYBRID_GROUP and lacks_ml_kem():
            return "libcrypto has no ML-KEM before 3.5"
        return super().unable(role, case)


class MoatProgram(OnMoat):
    """moat(1). All that is said here about its command line is in options()."""

    name = "moat"
    ready = r"listening on \S+:(\d+)"

    def __init__(self, files, program):
        super().__init__(files)
        self.program = program

    def environment(self, role, case):
        return {"G_DEBUG": "fatal-criticals"}

    def server_ends(self, case):
        return not case.resumption

    @functools.cached_property
    def known_options(self):
        """So that an older one can be tried, too."""
        words = [
            subprocess.run([self.program, name, "--help"], capture_output=True, text=True).stdout
            for name in ("connect", "serve")
        ]
        return set(re.findall(r"--[\w-]+", " ".join(words)))

    @property
    def versions(self):
        return BOTH if "--max-version" in self.known_options else ("1.2",)

    def unable(self, role, case):
        for option in self.options(role, case):
            if option.startswith("--") and option not in self.known_options:
                return f"this moat has no {option}"
        return super().unable(role, case)

    def options(self, role, case, session_file=""):
        """Those that depend on the case alone."""
        options = []
        versions = case.said_versions(role)
        if versions:
            options += ["--min-version", min(versions), "--max-version", max(versions)]
        # Otherwise it has groups enough, and its peer alone decides.
        if case.group == HYBRID_GROUP or (case.first_group and role == "server"):
            groups = (GROUP_NAMES.get(group, group) for group in case.groups(role))
            options += ["--groups", ",".join(groups)]
        if case.psk == "PSK":
            # Without forward secrecy, so not by itself.
            options += ["--suites", PSK_SUITES[case.suite]]
        if case.psk:
            options += ["--psk-identity", PSK_IDENTITY, "--psk-file", self.files.psk()]
        if case.alpn:
            options += ["--alpn", case.alpn]
        if case.key_update:
            options += ["--key-update"]
        if case.resumption and role == "client":
            options += ["--session-file", session_file]
        if not case.cookie and role == "server":
            options += ["--no-cookie"]
        return options

    def command(self, role, case, terms, other):
        if role == "server":
            command = [self.program, "serve", f"127.0.0.1:{terms.port}", "--echo"]
            command += ["--client-auth", "require" if case.client_authentication else "none"]
            if not case.resumption:
                command += ["--once"]
        else:
            command = [self.program, "connect", f"127.0.0.1:{terms.port}"]
            command += ["--servername", SERVER_NAME]
        command += ["--timeout", str(terms.seconds)]
        if not case.psk:
            command += ["--ca", self.trusted(role, case, other)]
        if self.shows_certificate(role, case):
            command += ["--cert", self.files.chain(case, role)]
            command += ["--key", self.files.key(case, role)]
        if terms.mtu:
            command += ["--mtu", str(terms.mtu)]
        return command + self.options(role, case, terms.session_file)

    def outcome(self, output):
        reports = re.findall(r"connected: .*(?:\n.*)*?(?=$|\nconnected: )", output)
        return super().outcome(reports[-1]) if reports else None

    def find_alpn(self, output):
        found = re.search(r"application protocol: (\S+)", output)
        return found[1] if found else None

    def find_resumed(self, output):
        return "resumed" in output.partition("\n")[0]


class GioProgram(Peer):
    """The example programs on GIO's public API, with whichever backend."""

    messages_as_arguments = True
    ready = r"listening on 127\.0\.0\.1:(\d+)"
    lacks = {
        "client_versions": "GIO has no way to say a version",
        "server_versions": "GIO has no way to say a version",
        "psk": "GIO has no way to say a key that both know",
        "alpn": "the example programs know no ALPN",
        "key_update": "GIO has no way to replace keys",
        "resumption": "the example programs make one connection",
        "server cookie": "GIO has no way to say that there be no cookie",
        "server first_group": "GIO has no way to say a group",
    }

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

    def command(self, role, case, terms, other):
        command = [self.programs[role], "--ca", self.trusted(role, case, other)]
        if self.shows_certificate(role, case):
            command += ["--cert", self.files.chain(case, role)]
            command += ["--key", self.files.key(case, role)]
        if role == "client":
            address = f"127.0.0.1:{terms.port}"
            return command + ["--servername", SERVER_NAME, address, *MESSAGES]
        if case.client_authentication:
            command += ["--client-auth"]
        return command + [str(terms.port)]


class GioOnMoat(GioProgram, OnMoat):
    """Moat as GIO's users have it."""

    name = "gio-moat"

    def __init__(self, files, client, server, modules, versions):
        super().__init__(files, client, server)
        self.modules = modules
        self.versions = versions

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
        return super().unable(role, case)

    def environment(self, role, case):
        environment = {"GIO_USE_TLS": "gnutls"}
        # In a build with sanitizers its leaks are not ours, and LeakSanitizer dies of its threads.
        environment["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        # Unless a case needs more, it stays as its users have it.
        if case.suite or case.group:
            environment["G_TLS_GNUTLS_PRIORITY"] = GnuTlsPriority.of(case) + ":%COMPAT"
        return environment
