# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright 2026 The Moat authors

"""What is tried with every peer: the columns of the matrix, in the sections they are printed in."""

import dataclasses
import itertools

SUITES = ("AES-128-GCM", "AES-256-GCM", "CHACHA20-POLY1305")
CERTIFICATES = {"RSA": "rsa", "P-256": "ecdsa", "P-384": "p384", "Ed25519": "ed25519"}
GROUPS = ("X25519", "P-256", "P-384")
HYBRID_GROUP = "X25519MLKEM768"
BOTH = ("1.2", "1.3")

# Seeds with which the peers get through with each other (matrix.py --self-check). Several give up
# after 40 seconds of their own doubling timers, so with an unlucky seed they fail by themselves.
LONG_SEEDS = (2, 5, 11)
SHORT_SEEDS = (2, 5, 8)

# Loss is not the only thing that networks do.
DISORDER = ("--loss", "5", "--duplicate", "20", "--reorder", "20", "--seed", "9")


@dataclasses.dataclass(frozen=True)
class Case:
    title: str
    version: str = "1.2"
    """What is to be spoken. Moat speaks what it will, its peer is told to speak nothing else;"""

    client_versions: tuple | None = None
    server_versions: tuple | None = None
    """unless these say what a side may speak."""

    certificate: str = "ecdsa"
    """Which kind the server has, and the client too if it has one; names files in --certs."""

    psk: str | None = None
    """In place of certificates a key that both know: `PSK`, or `ECDHE-PSK` with a group besides."""

    suite: str | None = None
    group: str | None = None
    first_group: str | None = None
    """A client's favourite that the server does not take: with DTLS 1.3 the server asks again."""

    mtu: int | None = None
    extended_master_secret: bool = True
    cookie: bool = True
    alpn: str | None = None

    resumption: bool = False
    """There are two connections, and the second resumes."""

    key_update: bool = False
    """Both sides replace their keys while they talk."""

    client_authentication: bool = False
    client_has_certificate: bool = False
    client_trusts_server: bool = True

    relay: tuple = ()
    """Options of relay.py; empty: no relay unless something has to be seen or limited."""

    refusal: str | None = None
    """The handshake must fail, and the client must say this (a regular expression, upper and lower
    case alike); None: it and the conversation must succeed."""

    @property
    def is_lossy(self):
        return bool(self.relay)

    @property
    def needs_relay(self):
        return bool(self.relay or self.mtu or self.key_update)

    def said_versions(self, role):
        """What the case says, or None: the side may choose."""
        return self.client_versions if role == "client" else self.server_versions

    def groups(self, role):
        """Those that a side may use, in order, or None: the side may choose."""
        if self.group is None:
            return None
        if role == "client" and self.first_group:
            return self.first_group, self.group
        return (self.group,)


# How clients say why they failed.
NOT_TRUSTED = (
    "not trusted|local issuer|no signer|verification failed|verify failed"
    "|unknown_ca|unknown authority|issuer is not recognized"
)
ALERTED = (
    "handshake.failure|alert.*handshake failed|fatal alert|alert fatal"
    "|peer was unable to negotiate"
)
# RFC 5246 §7.4.6 leaves the alert to the server.
NO_CERTIFICATE = f"no.certificate|bad.certificate|{ALERTED}"
CERTIFICATE_REQUIRED = f"certificate.required|{ALERTED}"
VERSION_ALERT = f"protocol.version|version|{ALERTED}"


def loss(seed):
    return ("--loss", "20", "--seed", str(seed))


def both_authenticated(**fields):
    return {**fields, "client_authentication": True, "client_has_certificate": True}


def suite_cases(client_authentication):
    return [
        Case(
            title=f"{certificate} {suite.split('-P')[0].replace('-GCM', '')}",
            certificate=CERTIFICATES[certificate],
            suite=suite,
            client_authentication=client_authentication,
            client_has_certificate=client_authentication,
        )
        for certificate, suite in itertools.product(CERTIFICATES, SUITES)
    ]


def key_exchange_cases():
    # An RSA certificate, so that the group says nothing about the certificate.
    cases = [Case(title=group, certificate="rsa", group=group) for group in GROUPS]
    return cases + [
        Case(title="no EMS", extended_master_secret=False),
        Case(title="RSA-PSS key", certificate="rsapss"),
        Case(title="untrusted", client_trusts_server=False, refusal=NOT_TRUSTED),
        Case(title="no client cert", client_authentication=True, refusal=NO_CERTIFICATE),
    ]


def extra_cases():
    return [
        Case(title="resumed", resumption=True),
        Case(title="resumed both auth", resumption=True, **both_authenticated()),
        Case(title="PSK AES-128", psk="PSK", suite="AES-128-GCM"),
        Case(title="PSK CCM-8", psk="PSK", suite="AES-128-CCM-8"),
        Case(title="ECDHE-PSK CHACHA20", psk="ECDHE-PSK", suite="CHACHA20-POLY1305"),
        Case(title="ALPN", alpn="echo/1"),
        Case(title="no cookie", cookie=False),
    ]


def link_cases(version):
    # With RSA chains and client authentication the flights are as long as they get; with ECDSA and
    # without, the client's last flight is one datagram.
    long = both_authenticated(certificate="rsa", version=version)
    short = {"version": version}
    mtus = (256, 512) if version == "1.2" else (256, 512, 800)
    cases = [Case(title=f"MTU {mtu}", mtu=mtu, **long) for mtu in mtus]
    for seed in LONG_SEEDS:
        cases.append(Case(title=f"long {seed}", relay=loss(seed), **long))
    for seed in SHORT_SEEDS:
        cases.append(Case(title=f"short {seed}", relay=loss(seed), **short))
    if version == "1.3":
        # Some have no RSA keys.
        auth = both_authenticated(version=version)
        cases += [
            Case(title="auth MTU 400", mtu=400, **auth),
            Case(title="auth 2", relay=loss(2), **auth),
            Case(title="auth 5", relay=loss(5), **auth),
        ]
    return cases + [
        Case(title=f"MTU {mtus[-1]}+loss", mtu=mtus[-1], relay=loss(2), **long),
        Case(title="long disorder", relay=DISORDER, **long),
        Case(title="short disorder", relay=DISORDER, **short),
    ]


def certificate_cases_13():
    cases = [
        Case(title=title, version="1.3", certificate=certificate)
        for title, certificate in {**CERTIFICATES, "RSA-PSS": "rsapss"}.items()
    ]
    for suite in SUITES:
        cases.append(Case(title=suite.split("-P")[0], version="1.3", suite=suite))
    return cases + [
        Case(title=f"{title} both auth", **both_authenticated(version="1.3", certificate=kind))
        for title, kind in CERTIFICATES.items()
    ]


def retry(title, first, then, **fields):
    return Case(title=title, version="1.3", first_group=first, group=then, **fields)


def key_exchange_cases_13():
    groups = (*GROUPS, HYBRID_GROUP)
    cases = [Case(title=group, version="1.3", group=group) for group in groups]
    return cases + [
        retry("retry P-256", "X25519", "P-256"),
        retry("retry from hybrid", HYBRID_GROUP, "X25519"),
        retry("retry no cookie", "X25519", "P-384", cookie=False),
        Case(title="no cookie", version="1.3", cookie=False),
        Case(title="untrusted", version="1.3", client_trusts_server=False, refusal=NOT_TRUSTED),
        Case(
            title="no client cert",
            version="1.3",
            client_authentication=True,
            refusal=CERTIFICATE_REQUIRED,
        ),
    ]


def extra_cases_13():
    return [
        Case(title="resumed", version="1.3", resumption=True),
        Case(title="resumed both auth", resumption=True, **both_authenticated(version="1.3")),
        retry("resumed retry", "X25519", "P-256", resumption=True),
        Case(title="PSK", version="1.3", psk="ECDHE-PSK", suite="AES-128-GCM"),
        Case(title="key update", version="1.3", key_update=True),
        Case(title="key update+loss", version="1.3", key_update=True, relay=loss(2)),
        Case(title="ALPN", version="1.3", alpn="echo/1"),
    ]


def version_cases():
    """client > server."""
    return [
        Case(title="both> both", version="1.3", client_versions=BOTH, server_versions=BOTH),
        Case(title="both> 1.3", version="1.3", client_versions=BOTH, server_versions=("1.3",)),
        Case(title="1.3> both", version="1.3", client_versions=("1.3",), server_versions=BOTH),
        Case(title="both> 1.2", version="1.2", client_versions=BOTH, server_versions=("1.2",)),
        Case(title="1.2> both", version="1.2", client_versions=("1.2",), server_versions=BOTH),
        Case(
            title="1.3> 1.2",
            version="1.3",
            client_versions=("1.3",),
            server_versions=("1.2",),
            refusal=VERSION_ALERT,
        ),
        Case(
            title="1.2> 1.3",
            version="1.3",
            client_versions=("1.2",),
            server_versions=("1.3",),
            refusal=VERSION_ALERT,
        ),
    ]


def sections():
    """(title, cases) in the order in which they are printed."""
    links = "links: small MTU; 20 % loss, long and short flights, by seed; disorder"
    return [
        ("DTLS 1.2, certificates and cipher suites", suite_cases(client_authentication=False)),
        ("The same with client authentication", suite_cases(client_authentication=True)),
        ("DTLS 1.2, key exchange and refusals", key_exchange_cases()),
        ("DTLS 1.2, resumption, keys that both know, and more", extra_cases()),
        (f"DTLS 1.2, {links}", link_cases("1.2")),
        ("Versions, client > server", version_cases()),
        ("DTLS 1.3, certificates and cipher suites", certificate_cases_13()),
        ("DTLS 1.3, key exchange and refusals", key_exchange_cases_13()),
        ("DTLS 1.3, resumption, keys that both know, key update, and more", extra_cases_13()),
        (f"DTLS 1.3, {links}", link_cases("1.3")),
    ]
