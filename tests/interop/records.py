# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright 2026 The Moat authors

"""A datagram in words, for whoever has to find out why a handshake failed: `0.1 ClientHello#1`,
`1.0 Handshake`; epoch and number, then what it is as far as it can be read."""

HEADER_LEN = 13  # RFC 6347 §4.1
FRAGMENT_HEADER_LEN = 12  # RFC 6347 §4.2.2

CONTENT_TYPES = {20: "ChangeCipherSpec", 21: "Alert", 22: "Handshake", 23: "Data"}
HANDSHAKE_TYPES = {
    0: "HelloRequest",
    1: "ClientHello",
    2: "ServerHello",
    3: "HelloVerifyRequest",
    4: "NewSessionTicket",
    11: "Certificate",
    12: "ServerKeyExchange",
    13: "CertificateRequest",
    14: "ServerHelloDone",
    15: "CertificateVerify",
    16: "ClientKeyExchange",
    20: "Finished",
    22: "CertificateStatus",
}


def number(data, start, end):
    return int.from_bytes(data[start:end], "big")


def describe_body(content_type, body):
    name = CONTENT_TYPES.get(content_type, f"type {content_type}")
    if name == "Alert" and len(body) == 2:
        return f"{name} {body[0]},{body[1]}"
    if name != "Handshake" or len(body) < FRAGMENT_HEADER_LEN:
        return name
    message = HANDSHAKE_TYPES.get(body[0], f"message {body[0]}")
    total, sequence = number(body, 1, 4), number(body, 4, 6)
    offset, length = number(body, 6, 9), number(body, 9, 12)
    part = "" if length == total else f"[{offset}+{length}/{total}]"
    return f"{message}#{sequence}{part}"


def describe(datagram):
    words = []
    while len(datagram) >= HEADER_LEN:
        epoch, sequence = number(datagram, 3, 5), number(datagram, 5, 11)
        end = HEADER_LEN + number(datagram, 11, 13)
        body = datagram[HEADER_LEN:end]
        # What is protected shows no more than its type.
        what = describe_body(datagram[0], body if epoch == 0 else b"")
        words.append(f"{epoch}.{sequence} {what}")
        datagram = datagram[end:]
    if datagram:
        words.append(f"and {len(datagram)} bytes")
    return ", ".join(words)
