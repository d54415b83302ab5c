# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright 2026 The Moat authors

"""What is tried with every peer: the columns of the matrix, in the sections they are printed in."""

import dataclasses
import itertools

SUITES = ("AES-128-GCM", "AES-256-GCM", "CHACHA20-POLY1305")
CERTIFICATES = {"RSA": "rsa", "P-256": "ecdsa", "P-384": "p384", "Ed25519": "ed25519"}
GROUPS = ("X25519", "P-256", "P-384")

# Seeds with which the peers get through with each other (matrix.py --self-check). Several give up
# after 40 seconds of their own doubling timers, so with an unlucky seed they fail by themselves.
LONG_SEEDS = (2, 5, 11)
SHORT_SEEDS = (2, 5, 8)

# Loss is not the only thing that networks do.
DISORDER = ("--loss", "5", "--duplicate", "20", "--reorder", "20", "--seed", "9")


@dataclasses.dataclass(frozen=True)
class Case:
    title: str
    certificate: str = "ecdsa"
    """Which kind the server has, and the client too if it has one; names files in --certs."""

    suite: str | None = None
    group: str | None = None
    mtu: int | None = None
    extended_master_secret: bool = True

    client_authentication: bool = False
    client_has_certificate: bool = False
    client_trusts_server: bool = True

    relay: tuple = ()
    """Options of relay.py; empty: no relay unless there is an MTU to watch over."""

    refusal: str | None = None
    """The handshake must fail, and the client must say this (a regular expression, upper and lower
    case alike); None: it and the conversation must succeed."""

    @property
    def is_lossy(self):
        return bool(self.relay)

# How clients say why they failed.
NOT_TRUSTED = "not trusted|local issuer|verification failed|verify failed|unknown_ca"
ALERTED = "handshake.failure|alert.*handshake failed|fatal alert|alert fatal"


def loss(seed):
    return ("--loss", "20", "--seed", str(seed))


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
        Case(title="no client cert", client_authentication=True, refusal=ALERTED),
    ]


def link_cases():
    # With RSA chains and client authentication the flights are as long as they get; with ECDSA and
    # without, the client's last flight is one datagram.
    long = {"certificate": "rsa", "client_authentication": True, "client_has_certificate": True}
    cases = [Case(title=f"MTU {mtu}", mtu=mtu, **long) for mtu in (256, 512)]
    for seed in LONG_SEEDS:
        cases.append(Case(title=f"long {seed}", relay=loss(seed), **long))
    for seed in SHORT_SEEDS:
        cases.append(Case(title=f"short {seed}", relay=loss(seed)))
    return cases + [
        Case(title="MTU 512+loss", mtu=512, relay=loss(2), **long),
        Case(title="long disorder", relay=DISORDER, **long),
        Case(title="short disorder", relay=DISORDER),
    ]


def sections():
    """(title, cases) in the order in which they are printed."""
    return [
        ("Certificates and cipher suites", suite_cases(client_authentication=False)),
        ("The same with client authentication", suite_cases(client_authentication=True)),
        ("Key exchange and refusals", key_exchange_cases()),
        ("Links: small MTU; 20 % loss, long and short flights, by seed; disorder", link_cases()),
    ]
