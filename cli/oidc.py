"""A small OpenID Connect client for the demo and the tests: it signs a person in as a browser would."""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2
from authlib.common.security import generate_token
from authlib.integrations.httpx_client import OAuth2Client

_MAX_STEPS = 10


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client. Without a secret it is a public one."""

    client_id: str
    redirect_uri: str
    secret: str | None = None
    scope: str = "openid profile offline_access cases"


class SignInFailed(Exception):
    """Args: what the provider answered instead of a code."""


def sign_in(base: str, client: Client, username: str, password: str) -> OAuth2Client:
    """Authorization code with PKCE S256. The result is an HTTP client of `base` that sends the access token."""
    session = OAuth2Client(
        client.client_id,
        client.secret,
        redirect_uri=client.redirect_uri,
        scope=client.scope,
        code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_basic" if client.secret else "none",
        base_url=base,
        timeout=30,
    )
    endpoints = httpx2.get(f"{base}/.well-known/openid-configuration").raise_for_status().json()
    verifier = generate_token(48)
    url, _ = session.create_authorization_url(endpoints["authorization_endpoint"], code_verifier=verifier)
    with httpx2.Client() as browser:
        answer = authorize(browser, url, client.redirect_uri, username, password)
    # RFC 9207, section 2.4: an answer of another issuer is not to our question
    if parse_qs(urlsplit(answer).query).get("iss") != [endpoints["issuer"]]:
        raise SignInFailed("the answer is of another issuer")
    session.fetch_token(endpoints["token_endpoint"], authorization_response=answer, code_verifier=verifier)
    return session


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
