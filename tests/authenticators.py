"""An authenticator in software (Web Authentication Level 3) that does what a test says, also what none would do."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

PRESENT, VERIFIED, MAY_BE_COPIED, IS_COPIED, NEW_KEY = 0x01, 0x04, 0x08, 0x10, 0x40
"""Flags of authenticator data (section 6.1)."""


class Authenticator:
    """Holds one key for `rp_id`, and answers pages of `origin`. `count` is its signature counter."""

    def __init__(self, rp_id: str, origin: str, *, flags: int = PRESENT | VERIFIED) -> None:
        self.rp_id = rp_id
        self.origin = origin
        self.flags = flags
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = secrets.token_bytes(32)
        self.user: bytes | None = None
        self.count = 0

    def create(self, options: str, **forged: Any) -> str:
        """`navigator.credentials.create` for options as JSON; what it gives, as JSON."""
        said = json.loads(options)
        self.user = base64url_to_bytes(said["user"]["id"])
        numbers = self.key.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        made = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cbor2.dumps(public)
        data = self._data(forged, NEW_KEY) + made
        response = {
            "clientDataJSON": self._client_data("webauthn.create", said, forged),
            "attestationObject": bytes_to_base64url(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})),
            "transports": ["internal", "invented"],
        }
        return self._credential(response)

    def get(self, options: str, **forged: Any) -> str:
        """`navigator.credentials.get`. `forged` says another `origin`, `rp_id`, `flags`, `count`, ..."""
        said = json.loads(options)
        self.count += 1
        data = self._data(forged)
        client_data = self._client_data(forged.get("type", "webauthn.get"), said, forged)
        signed = data + hashlib.sha256(base64url_to_bytes(client_data)).digest()
        signature = forged.get("key", self.key).sign(signed, ec.ECDSA(SHA256()))
        handle = forged.get("user", self.user)
        response = {
            "clientDataJSON": client_data,
            "authenticatorData": bytes_to_base64url(data),
            "signature": bytes_to_base64url(signature),
            "userHandle": bytes_to_base64url(handle) if handle else None,
        }
        return self._credential(response)

    def _data(self, forged: dict[str, Any], more: int = 0) -> bytes:
        rp_hash = hashlib.sha256(forged.get("rp_id", self.rp_id).encode()).digest()
        flags = forged.get("flags", self.flags) | more
        return rp_hash + bytes([flags]) + int(forged.get("count", self.count)).to_bytes(4, "big")

    def _client_data(self, kind: str, said: dict[str, Any], forged: dict[str, Any]) -> str:
        challenge = forged.get("challenge", said["challenge"])
        content = {"type": kind, "challenge": challenge, "origin": forged.get("origin", self.origin)}
        return bytes_to_base64url(json.dumps(content).encode())

    def _credential(self, response: dict[str, Any]) -> str:
        name = bytes_to_base64url(self.id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})
