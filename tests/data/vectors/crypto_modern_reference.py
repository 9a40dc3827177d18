#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The constructions of plugins/crypto-modern/README.md a second time, written from that text.

Prints crypto-modern.txt. Needs python3-cryptography; the tests read the recorded file and do not run this.
"""
import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV, ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SUITE = b"cyberbackup/crypto-modern/1"
CHUNK = 65536


def mac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def expand(prk, info, size):
    result, block = b"", b""
    for number in range(1, 256):
        block = mac(prk, block + info + bytes([number]))
        result += block
        if len(result) >= size:
            return result[:size]
    raise ValueError(size)


def root(key):
    return mac(SUITE, key)


def keyed_id(key, data):
    return mac(expand(root(key), b"keyed-id\0", 32), data)


def derive(key, label, context):
    return expand(root(key), b"derive\0" + len(label).to_bytes(8, "big") + label + context, 32)


def wrap(key, inner):
    return AESSIV(expand(root(key), b"wrap\0", 64)).encrypt(inner, [SUITE])


def public(private):
    key = X25519PrivateKey.from_private_bytes(private).public_key()
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def encapsulate(ephemeral, recipient, context):
    peer = X25519PublicKey.from_public_bytes(recipient)
    dh = X25519PrivateKey.from_private_bytes(ephemeral).exchange(peer)
    suite = b"KEM\x00\x20"
    prk = mac(b"", b"HPKE-v1" + suite + b"eae_prk" + dh)
    info = b"\x00\x20HPKE-v1" + suite + b"shared_secret" + public(ephemeral) + recipient
    return expand(root(expand(prk, info, 32)), b"kem\0" + context, 32)


def seal(key, suite, random, aad, plain):
    header = bytes([suite]) + random
    object_key = expand(root(key), b"object\0" + header + hashlib.sha256(aad).digest(), 32)
    cipher = {1: AESGCM, 2: ChaCha20Poly1305}[suite](object_key)
    pieces = [plain[i : i + CHUNK] for i in range(0, len(plain), CHUNK)] or [b""]
    sealed = []
    for index, piece in enumerate(pieces):
        last = index == len(pieces) - 1
        sealed.append(cipher.encrypt(index.to_bytes(11, "big") + bytes([last]), piece, None))
    return header, sealed


def pattern(size):
    return bytes((i * 7 + i // 256) % 251 for i in range(size))


def show(name, **fields):
    print(f"[{name}]")
    for field, value in fields.items():
        print(f"{field} = {value.hex()}".rstrip())


def main():
    print("# Printed by crypto_modern_reference.py: the whole constructions of crypto-modern. Keys that stay")
    print("# inside are told by the keyed id of `data` under them. `plain_size` is 8 bytes, big-endian; byte i of")
    print("# that plaintext is (i * 7 + i / 256) mod 251; `sealed_id` is the keyed id of all chunks together.")
    key, inner = bytes(range(32)), bytes(range(100, 132))
    data = b"the data that is named"
    label, context = b"repository", b"\x01\x02\x03"
    show("keyed-id", key=key, data=data, id=keyed_id(key, data))
    show("derive", key=key, label=label, context=context, data=data,
         id=keyed_id(derive(key, label, context), data))
    show("wrap", key=key, inner=inner, wrapped=wrap(key, inner), data=data, id=keyed_id(inner, data))
    recipient, ephemeral = bytes(range(1, 33)), bytes(range(200, 232))
    for name, bound in (("kem", b"session 17"), ("kem-empty-context", b"")):
        secret = encapsulate(ephemeral, public(recipient), bound)
        show(name, recipient_private=recipient, recipient_public=public(recipient), random=ephemeral,
             context=bound, cipher=public(ephemeral), data=data, id=keyed_id(secret, data))
    random = bytes(range(60, 92))
    for suite, name in ((1, "aes-256-gcm"), (2, "chacha20-poly1305")):
        for size in (0, 5, CHUNK, 2 * CHUNK + 5):
            aad = b"kind, id" if size else b""
            header, sealed = seal(key, suite, random, aad, pattern(size))
            show(f"object-{name}-{size}", key=key, random=random, aad=aad,
                 plain_size=size.to_bytes(8, "big"), header=header,
                 sealed_id=keyed_id(key, b"".join(sealed)), last=sealed[-1][-21:])


if __name__ == "__main__":
    main()
