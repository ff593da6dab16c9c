"""A small OpenID Connect client for the demo and the tests: what the programs of the four channels do.

It signs a person in as a browser would, a kiosk by the person's phone, and gets a clerk a token for somebody else.
"""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2
from authlib.common.security import generate_token
from authlib.integrations.httpx_client import OAuth2Client

_MAX_STEPS = 10
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 (the name of a grant)
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 (the name of a kind)
PRESENCE = "urn:onehall:params:oauth:token-type:presence"


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client. Without a secret it is a public one."""

    client_id: str
    redirect_uri: str | None = None
    secret: str | None = None
    scope: str = "openid profile offline_access cases"


class SignInFailed(Exception):
    """Args: what the provider answered instead of a code."""


def sign_in(
    base: str, client: Client, username: str, password: str, browser: httpx2.Client | None = None
) -> OAuth2Client:
    """Authorization code with PKCE S256, in a browser of its own if none is given.

    The result is an HTTP client of `base` that sends the access token.
    """
    if browser is None:
        with httpx2.Client() as own:
            return sign_in(base, client, username, password, own)
    session, endpoints = _session(base, client), _discover(base)
    verifier = generate_token(48)
    url, _ = session.create_authorization_url(endpoints["authorization_endpoint"], code_verifier=verifier)
    answer = authorize(browser, url, session.redirect_uri, username, password)
    # RFC 9207, section 2.4: an answer of another issuer is not to our question
    if parse_qs(urlsplit(answer).query).get("iss") != [endpoints["issuer"]]:
        raise SignInFailed("the answer is of another issuer")
    session.fetch_token(endpoints["token_endpoint"], authorization_response=answer, code_verifier=verifier)
    return session


def sign_in_device(base: str, client: Client, name: str, phone: httpx2.Client) -> OAuth2Client:
    """RFC 8628: a device without a keyboard shows a code, and the person allows it in their phone's browser.

    The phone is signed in already; `name` is what the device calls itself there.
    """
    endpoints = _discover(base)
    form = {"client_id": client.client_id, "scope": client.scope, "device_name": name}
    started = httpx2.post(endpoints["device_authorization_endpoint"], data=form).raise_for_status().json()
    # the QR code on the device's screen says this address
    question = phone.get(started["verification_uri_complete"])
    if question.status_code != httpx2.codes.OK or name not in question.text:
        raise SignInFailed("the phone was not asked about the device")
    _submit(phone, question, {"decision": "allow"}).raise_for_status()
    session = _session(base, client)
    session.fetch_token(endpoints["token_endpoint"], grant_type=DEVICE_CODE, device_code=started["device_code"])
    return session


def exchange(base: str, client: Client, clerk: OAuth2Client, presence_token: str) -> OAuth2Client:
    """RFC 8693: who the proof of presence is of becomes the subject, the clerk who signed in the actor."""
    session = _session(base, client)
    session.fetch_token(
        _discover(base)["token_endpoint"],
        grant_type=TOKEN_EXCHANGE,
        subject_token=presence_token,
        subject_token_type=PRESENCE,
        actor_token=clerk.token["access_token"],
        actor_token_type=ACCESS_TOKEN,
        scope="cases",
    )
    return session


def introspect(base: str, client: Client, token: str) -> dict[str, Any]:
    """RFC 7662: what the client's own token is worth, and what it says."""
    endpoint, credentials = _discover(base)["introspection_endpoint"], (client.client_id, client.secret or "")
    told = httpx2.post(endpoint, auth=credentials, data={"token": token}).raise_for_status()
    return dict(told.json())


def _session(base: str, client: Client) -> OAuth2Client:
    return OAuth2Client(
        client.client_id,
        client.secret,
        redirect_uri=client.redirect_uri,
        scope=client.scope,
        code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_basic" if client.secret else "none",
        base_url=base,
        timeout=30,
    )


def _discover(base: str) -> dict[str, Any]:
    return dict(httpx2.get(f"{base}/.well-known/openid-configuration").raise_for_status().json())


def authorize(browser: httpx2.Client, url: str, redirect_uri: str, username: str, password: str) -> str:
    """Walk from the authorization endpoint to the client's redirect URI, through sign-in and consent if asked."""
    response = browser.get(url)
    for _ in range(_MAX_STEPS):
        if response.has_redirect_location:
            location = urljoin(str(response.url), response.headers["Location"])
            if location.startswith(redirect_uri):
                return _require_code(location)
            response = browser.get(location)
        elif response.status_code == httpx2.codes.OK:
            response = _submit(browser, response, {"username": username, "password": password, "decision": "allow"})
        else:
            break
    raise SignInFailed(f"{response.status_code} from {urlsplit(str(response.url)).path}")


def _require_code(location: str) -> str:
    answer = parse_qs(urlsplit(location).query)
    if "code" not in answer:
        raise SignInFailed(answer.get("error", ["no code"])[0])
    return location


def _submit(browser: httpx2.Client, page: httpx2.Response, known: dict[str, str]) -> httpx2.Response:
    form = _Form(page.text)
    fields = form.hidden | {name: value for name, value in known.items() if name in form.names}
    return browser.post(urljoin(str(page.url), form.action), data=fields)


class _Form(HTMLParser):
    """The page's form that asks for a password or a decision."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.action, self.hidden, self.names = "", dict[str, str](), set[str]()
        self._done = False
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag == "form" and not self._done:
            self.action, self.hidden, self.names = given.get("action") or "", {}, set()
        elif tag in ("input", "button") and given.get("name") and not self._done:
            self.names.add(str(given["name"]))
            if given.get("type") == "hidden":
                self.hidden[str(given["name"])] = given.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        self._done = self._done or (tag == "form" and bool({"password", "decision"} & self.names))
