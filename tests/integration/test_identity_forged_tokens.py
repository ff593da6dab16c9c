"""What passes for an access token nowhere at the provider; for the gateway see `test_gateway_tokens`."""

from __future__ import annotations

import base64
import json

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from services.identity.domain import CLIENT_CREDENTIALS
from tests.integration import identity_driver
from tests.integration.identity_clients import register
from tests.integration.identity_driver import Driver, claims_of, header_of

OWN_EC = ECKey.generate_key("P-256")
OWN_RSA = RSAKey.generate_key(2048)


@pytest.fixture(scope="module")
def driver(identity_database):
    identity_driver.seed(identity_database)
    driver = Driver(identity_database)
    driver.sign_in(driver.register())
    return driver


@pytest.fixture(scope="module")
def resource_server(driver):
    return register(driver, grants=(CLIENT_CREDENTIALS,), redirect_uris=(), scopes=("introspect",))


@pytest.fixture
def token(driver):
    return driver.tokens("web")["access_token"]


def unsigned(header, claims):
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims))
    return ".".join((*parts, ""))


def signed(key, alg, **header):
    def forge(token, _):
        made = header_of(token) | {"alg": alg} | header
        return jwt.encode({n: v for n, v in made.items() if v is not None}, claims_of(token), key, algorithms=[alg])

    return forge


def with_the_public_key_as_secret(name):
    """Key confusion: whoever verifies HS256 with what is published takes it."""

    def forge(token, published):
        public = next(key for key in published if key["alg"] == name)
        key = (ECKey if name == "ES256" else RSAKey).import_key(public)
        secret = OctKey.import_key(key.as_pem(private=False).split(b"\n", 1)[1])
        header = {"alg": "HS256", "typ": "at+jwt", "kid": public["kid"]}
        return jwt.encode(header, claims_of(token), secret, algorithms=["HS256"])

    return forge


def under_another_published_key(token, published):
    rsa = next(key for key in published if key["alg"] == "RS256")
    rest = token.partition(".")[2]
    renamed = header_of(token) | {"kid": rsa["kid"]}
    return base64.urlsafe_b64encode(json.dumps(renamed).encode()).rstrip(b"=").decode() + "." + rest


FORGERIES = {
    "alg none": lambda token, _: unsigned({"alg": "none", "typ": "at+jwt"}, claims_of(token)),
    "alg none of a known key": lambda token, _: unsigned(header_of(token) | {"alg": "none"}, claims_of(token)),
    "alg NoNe": lambda token, _: unsigned(header_of(token) | {"alg": "NoNe"}, claims_of(token)),
    "another's key under our kid": signed(OWN_EC, "ES256"),
    "another's key under its own kid": signed(OWN_EC, "ES256", kid=OWN_EC.thumbprint()),
    "another's key without a kid": signed(OWN_EC, "ES256", kid=None),
    "another's key in the header": signed(OWN_EC, "ES256", jwk=OWN_EC.as_dict(private=False)),
    "another's address of keys": signed(OWN_EC, "ES256", jku="https://attacker.example/jwks"),
    "RSA under our kid": signed(OWN_RSA, "RS256"),
    "our public EC key as secret": with_the_public_key_as_secret("ES256"),
    "our public RSA key as secret": with_the_public_key_as_secret("RS256"),
    "our other key's name": under_another_published_key,
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forged_token_is_no_token(driver, token, resource_server, forge):
    forged = str(forge(token, driver.call("jwks", "", "GET").json["keys"]))
    assert driver.userinfo(forged).status == 401
    assert driver.as_client(resource_server, "introspect", token=forged).json == {"active": False}
    assert driver.as_client("web", "revoke", token=forged).status == 200
    assert driver.userinfo(token).status == 200, "and nothing was revoked by it"


def test_other_tokens_that_we_have_signed_are_no_access_tokens(driver, token, resource_server):
    signed_userinfo = driver.userinfo(driver.tokens(register(driver, userinfo_alg="ES256"))["access_token"]).text
    for other in (driver.tokens("web")["id_token"], signed_userinfo):
        assert driver.userinfo(other).status == 401
        assert driver.as_client(resource_server, "introspect", token=other).json == {"active": False}


def test_a_token_for_the_broker_tells_nothing_of_anybody(driver):
    client = register(driver, grants=(CLIENT_CREDENTIALS,), redirect_uris=(), scopes=("events",), department="d")
    form = {"grant_type": "client_credentials", "resource": "urn:onehall:rabbitmq"}
    token = driver.as_client(client, "token", **form).json["access_token"]
    assert claims_of(token)["aud"] == "rabbitmq"
    assert driver.userinfo(token).status in (401, 403)
