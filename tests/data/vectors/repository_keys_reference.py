#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# The known answers of core/repository/keys_test.cpp, computed from docs/repository-format.md alone:
# every random byte counts up from 0. Needs python3-cryptography.
import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from crypto_modern_reference import derive, encapsulate, keyed_id, public, seal


def uint(value):
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def sized(data):
    return uint(len(data)) + data


def signing_public(key):
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def main():
    counter = bytes(range(256))
    device = Ed25519PrivateKey.from_private_bytes(counter[0x00:0x20])
    root = Ed25519PrivateKey.from_private_bytes(counter[0x20:0x40])
    repository = counter[0x40:0x50]
    write_key = counter[0x50:0x70]
    epoch = counter[0x70:0x90]
    session = counter[0x90:0xA0]
    ephemeral = counter[0xA0:0xC0]
    header_random = counter[0xC0:0xE0]
    device_id = hashlib.sha256(signing_public(device)).digest()[:16]

    gear = derive(write_key, b"gear", repository)
    words = [keyed_id(gear, i.to_bytes(4, "little")) for i in range(64)]
    print("gear", int.from_bytes(words[0][:8], "little"), int.from_bytes(words[63][24:], "little"))

    child, plain = bytes([1] * 32), b"hello"
    head = (1).to_bytes(4, "little") + child
    blob_id = keyed_id(derive(write_key, b"id", repository), b"\x04" + head + plain)
    print("id", blob_id.hex())

    context = b"cyberbackup/session/1" + repository + session + (1).to_bytes(4, "little")
    cipher, key = public(ephemeral), encapsulate(ephemeral, public(epoch), context)
    aad = b"cyberbackup/blob/1" + repository + b"\x04" + blob_id + session + head
    inside = b"\x00" + len(plain).to_bytes(4, "little") + plain
    header, chunks = seal(key, 1, header_random, aad, inside)
    print("stored", (header + b"".join(chunks)).hex())

    record = b"\x01" + sized(b"crypto-modern") + uint(1) + sized(cipher) + device_id
    record += device.sign(b"cyberbackup/session-record/1" + repository + session + record)
    print("session", record.hex())

    record = b"\x01" + uint(1) + repository + sized(b"crypto-modern") + sized(b"zstd")
    record += uint(512 << 10) + uint(1 << 20) + uint(8 << 20) + uint(512 << 10) + uint(0)
    record += signing_public(root) + uint(1) + uint(1) + sized(public(epoch)) + uint(0)
    record += root.sign(b"cyberbackup/repository/1" + record)
    print("repository", record.hex())

    name = derive(write_key, b"name", repository)
    paths = uint(2) + sized(b"/etc") + sized(b"/home")
    print("source", keyed_id(name, b"source" + device_id + paths).hex())
    print("tag", keyed_id(name, b"tag" + b"daily").hex())


if __name__ == "__main__":
    main()
