"""Which proofs of possession are none."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from chassis.dpop import FUTURE_SECONDS, PAST_SECONDS, ProofRefused, read_proof
from tests import proofs
from tests.proofs import make_key

URL = "https://one.example/oauth/token"
KEY = make_key()
RSA = RSAKey.generate_key(2048)
NOW = 1_800_000_000


def make_proof(key: Any, method: str, url: str, now: float = NOW, **changes: Any) -> str:
    return proofs.make_proof(key, method, url, now=now, **changes)


def read(proof: str, **changes: Any) -> Any:
    return read_proof(proof, **{"method": "POST", "url": URL, "now": NOW} | changes)


def unsigned(header: Any, content: Any = None) -> str:
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, content))
    return ".".join((*parts, ""))


def test_a_good_proof_names_its_key_and_itself() -> None:
    first, second = (read(make_proof(KEY, "POST", URL)) for _ in range(2))
    assert first.jkt == second.jkt == KEY.thumbprint()
    assert first.id != second.id
    assert first.expires_at > NOW + PAST_SECONDS - 2


def test_a_key_of_rsa_does_too() -> None:
    assert read(make_proof(RSA, "POST", URL, header={"alg": "PS256"})).jkt == RSA.thumbprint()


@pytest.mark.parametrize("htu", [URL, "HTTPS://ONE.example:443/oauth/token", URL + "?a=b#c"])
def test_an_address_may_be_spelled_otherwise(htu: str) -> None:
    assert read(make_proof(KEY, "POST", htu))


def test_the_same_jti_of_two_keys_is_two_proofs() -> None:
    other = make_key()
    assert read(make_proof(KEY, "POST", URL, jti="1")).id != read(make_proof(other, "POST", URL, jti="1")).id


def test_a_proof_for_a_token_is_for_that_token() -> None:
    assert read(make_proof(KEY, "POST", URL, access_token="a"), access_token="a")
    for ath in ("b", None):
        with pytest.raises(ProofRefused):
            read(make_proof(KEY, "POST", URL, access_token=ath), access_token="a")


REFUSED = {
    "nothing": "",
    "garbage": "garbage",
    "not ascii": "a.b.ü",
    "two in one": f"{make_proof(KEY, 'POST', URL)}, {make_proof(KEY, 'POST', URL)}",
    "too long": make_proof(KEY, "POST", URL, more="x" * 4_096),
    "another method": make_proof(KEY, "GET", URL),
    "another address": make_proof(KEY, "POST", "https://one.example/oauth/userinfo"),
    "another host": make_proof(KEY, "POST", "https://two.example/oauth/token"),
    "another port": make_proof(KEY, "POST", "https://one.example:444/oauth/token"),
    "an address that is none": make_proof(KEY, "POST", "https://[/"),
    "too old": make_proof(KEY, "POST", URL, now=NOW - PAST_SECONDS - 2),
    "of the future": make_proof(KEY, "POST", URL, now=NOW + FUTURE_SECONDS + 2),
    "no time": make_proof(KEY, "POST", URL, iat=None),
    "a time that is text": make_proof(KEY, "POST", URL, iat="now"),
    "no jti": make_proof(KEY, "POST", URL, jti=None),
    "an empty jti": make_proof(KEY, "POST", URL, jti=""),
    "a long jti": make_proof(KEY, "POST", URL, jti="x" * 257),
    "no method": make_proof(KEY, "POST", URL, htm=None),
    "another type": make_proof(KEY, "POST", URL, header={"typ": "JWT"}),
    "no key": make_proof(KEY, "POST", URL, header={"jwk": None}),
    "another's key": make_proof(KEY, "POST", URL, header={"jwk": make_key().as_dict(private=False)}),
    "a private key": make_proof(KEY, "POST", URL, header={"jwk": KEY.as_dict(private=True)}),
    "a key of another curve": make_proof(
        KEY, "POST", URL, header={"jwk": ECKey.generate_key("P-384").as_dict(private=False)}
    ),
    "an endless key": make_proof(KEY, "POST", URL, header={"alg": "ES256", "jwk": {"kty": "RSA", "n": "A" * 900}}),
    "no algorithm": unsigned({"typ": "dpop+jwt", "alg": "none", "jwk": KEY.as_dict(private=False)}, {"htm": "POST"}),
    "a header that is no object": unsigned([], {}),
    "critical without a list": unsigned({"typ": "dpop+jwt", "alg": "ES256", "jwk": {}, "crit": 1}, {}),
    "the public key as a secret": jwt.encode(
        {"typ": "dpop+jwt", "alg": "HS256", "jwk": KEY.as_dict(private=False)},
        {"htm": "POST", "htu": URL, "iat": int(NOW), "jti": "1"},
        OctKey.import_key(KEY.as_pem(private=False)[27:]),
        algorithms=["HS256"],
    ),
}


@pytest.mark.parametrize("proof", REFUSED.values(), ids=REFUSED.keys())
def test_every_other_proof_is_refused(proof: str) -> None:
    with pytest.raises(ProofRefused):
        read(proof)
