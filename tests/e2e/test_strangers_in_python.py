"""Relying parties in Python: Authlib's asynchronous client and `idpyoidc`, each as its manual shows."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
from authlib.common.security import generate_token
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from idpyoidc.client.rp_handler import RPHandler
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from tests.strangers import REDIRECT_URI, Person

SCOPES = ["openid", "profile", "email", "offline_access", "cases"]


def register(issuer: str, token: str, **metadata: Any) -> dict[str, Any]:
    document = {
        "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": " ".join(SCOPES),
    }
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx2.post(f"{issuer}/oauth/register", json=document | metadata, headers=headers)
    return dict(answer.raise_for_status().json())


def test_authlib_signs_its_requests_and_checks_the_id_token(
    issuer: str, registration_token: str, person: Person
) -> None:
    key = ECKey.generate_key("P-256", {"kid": "one", "use": "sig", "alg": "ES256"})
    registered = register(
        *(issuer, registration_token),
        client_name="Authlib",
        token_endpoint_auth_method="private_key_jwt",
        jwks={"keys": [key.as_dict(private=False)]},
    )

    async def play() -> None:
        async with httpx2.AsyncClient() as http:
            server = (await http.get(f"{issuer}/.well-known/openid-configuration")).json()
            keys = KeySet.import_key_set((await http.get(server["jwks_uri"])).json())
        async with AsyncOAuth2Client(
            registered["client_id"],
            key,
            token_endpoint_auth_method="private_key_jwt",
            revocation_endpoint_auth_method="private_key_jwt",
            redirect_uri=REDIRECT_URI,
            scope=" ".join(SCOPES),
            code_challenge_method="S256",
        ) as client:
            client.register_client_auth_method(PrivateKeyJWT(server["token_endpoint"], alg="ES256"))
            verifier, nonce = generate_token(48), generate_token()
            url, state = client.create_authorization_url(
                server["authorization_endpoint"], code_verifier=verifier, nonce=nonce
            )
            back = await asyncio.to_thread(person.open, url)
            tokens = await client.fetch_token(
                server["token_endpoint"], authorization_response=back, state=state, code_verifier=verifier
            )
            claims = jwt.decode(tokens["id_token"], keys, algorithms=["ES256"]).claims
            jwt.JWTClaimsRegistry(
                iss={"essential": True, "value": issuer},
                aud={"essential": True, "value": registered["client_id"]},
                nonce={"essential": True, "value": nonce},
                exp={"essential": True},
            ).validate(claims)
            told = (await client.get(server["userinfo_endpoint"])).json()
            assert (told["sub"], told["email"]) == (claims["sub"], "citizen@example.org")
            renewed = await client.refresh_token(server["token_endpoint"])
            assert renewed["refresh_token"] != tokens["refresh_token"]
            asked = await client.introspect_token(
                server["introspection_endpoint"], token=renewed["access_token"], token_type_hint="access_token"
            )
            assert asked.json()["active"] is True
            assert (
                await client.revoke_token(server["revocation_endpoint"], renewed["refresh_token"])
            ).status_code == 200

    asyncio.run(play())


def test_idpyoidc_finds_its_way_from_the_issuer_alone(issuer: str, registration_token: str, person: Person) -> None:
    registered = register(
        issuer, registration_token, client_name="idpyoidc", token_endpoint_auth_method="client_secret_basic"
    )
    handler = RPHandler(
        base_url="http://127.0.0.1:9666",
        # without paths it keeps its keys in memory; by default they are files in the working folder
        key_conf={"key_defs": [{"type": "EC", "crv": "P-256", "use": ["sig"]}]},
        client_configs={
            "onehall": {
                "client_type": "oidc",
                "issuer": issuer,
                "client_id": registered["client_id"],
                "client_secret": registered["client_secret"],
                "redirect_uris": [REDIRECT_URI],
                "response_types_supported": ["code"],
                "scopes_supported": SCOPES,
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
                "client_authn_methods": ["client_secret_basic", "bearer_header"],
                "allow": {"http_links": True},
                "add_ons": {
                    "pkce": {
                        "function": "idpyoidc.client.oauth2.add_on.pkce.add_support",
                        "kwargs": {"code_challenge_length": 64, "code_challenge_method": "S256"},
                    }
                },
            }
        },
    )
    url = handler.begin("onehall")
    answer = dict(parse_qsl(urlsplit(person.open(url)).query))
    done = handler.finalize(answer["iss"], answer)
    assert "error" not in done, done
    assert done["userinfo"]["preferred_username"] == "citizen"
    assert done["id_token"]["sub"] == done["userinfo"]["sub"]
    renewed = handler.refresh_access_token(done["state"])
    assert renewed["access_token"] != done["token"]
