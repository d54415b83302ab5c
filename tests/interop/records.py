# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright 2026 The Moat authors

"""A datagram in words, for whoever has to find out why a handshake failed: `0.1 ClientHello#1`,
`1.0 Handshake`; epoch and number, then what it is as far as it can be read. Of a protected record
of DTLS 1.3 that is no more than the last two bits of its epoch: `..10 Protected`."""

import hashlib

HEADER_LEN = 13  # RFC 6347 §4.1
FRAGMENT_HEADER_LEN = 12  # RFC 6347 §4.2.2

# RFC 9147 §4: 001 and then CID, sequence number of 16 bits, length, two bits of the epoch.
UNIFIED_MASK, UNIFIED = 0xE0, 0x20
HAS_CID, HAS_LONG_NUMBER, HAS_LENGTH, EPOCH_BITS = 0x10, 0x08, 0x04, 0x03

# RFC 9846 §4.2.3: a ServerHello with this random is a HelloRetryRequest.
RETRY_RANDOM = hashlib.sha256(b"HelloRetryRequest").digest()
SERVER_HELLO, RANDOM_AT = 2, FRAGMENT_HEADER_LEN + 2

CONTENT_TYPES = {20: "ChangeCipherSpec", 21: "Alert", 22: "Handshake", 23: "Data", 26: "ACK"}
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
    if body[0] == SERVER_HELLO and body[RANDOM_AT:].startswith(RETRY_RANDOM):
        message = "HelloRetryRequest"
    total, sequence = number(body, 1, 4), number(body, 4, 6)
    offset, length = number(body, 6, 9), number(body, 9, 12)
    part = "" if length == total else f"[{offset}+{length}/{total}]"
    return f"{message}#{sequence}{part}"


def split_unified(datagram):
    """(words, what follows the record) of a protected record of DTLS 1.3."""
    flags = datagram[0]
    words = f"..{flags & EPOCH_BITS:02b} Protected"
    if flags & HAS_CID or not flags & HAS_LENGTH:
        # Whoever made the CID knows its length; without a length it is the last record.
        return words, b""
    length_at = 3 if flags & HAS_LONG_NUMBER else 2
    return words, datagram[length_at + 2 + number(datagram, length_at, length_at + 2) :]


def split_plain(datagram):
    epoch, sequence = number(datagram, 3, 5), number(datagram, 5, 11)
    end = HEADER_LEN + number(datagram, 11, 13)
    # What is protected shows no more than its type.
    body = datagram[HEADER_LEN:end] if epoch == 0 else b""
    return f"{epoch}.{sequence} {describe_body(datagram[0], body)}", datagram[end:]


def describe(datagram):
    words = []
    while datagram:
        if datagram[0] & UNIFIED_MASK == UNIFIED:
            word, datagram = split_unified(datagram)
        elif len(datagram) >= HEADER_LEN:
            word, datagram = split_plain(datagram)
        else:
            word, datagram = f"and {len(datagram)} bytes", b""
        words.append(word)
    return ", ".join(words)
