"""A browser, its clients and the clock, for tests of the provider over a real database and without HTTP."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jws, jwt
from joserfc.jwk import ECKey, RSAKey

from chassis.database import Database
from contracts.actors import Actor
from services.identity import commands, demo
from services.identity.codes.secrecy import CodeKeys
from services.identity.device import approval
from services.identity.domain import DEVICE_CODE, KEY_AUTH_METHODS, SECRET_AUTH_METHODS, TOKEN_EXCHANGE, Account, Client
from services.identity.factors.means import PURPOSE, Means
from services.identity.limits.guard import LimitKeys
from services.identity.oauth import authorization, client_assertion, end_session, protocol
from services.identity.oauth.client_limits import ClientLimits
from services.identity.oauth.exchange import ACCESS_TOKEN
from services.identity.oauth.http import HttpRequest
from services.identity.oauth.keys import load_keys
from services.identity.oauth.pairwise import Subjects
from services.identity.oauth.server import Provider
from services.identity.oauth.tokens import Issuer
from services.identity.persons.identifiers import Particulars
from services.identity.persons.people import People
from services.identity.persons.vault import Vault
from services.identity.presence import commands as presence
from services.identity.presence.domain import TOKEN_TYPE
from services.identity.sealing import Seal, hash_secret
from services.identity.web_sessions import WebSessions

BASE = "http://127.0.0.1:8000"
COOKIE_KEY = base64.urlsafe_b64encode(b"k" * 32).decode()
PASSWORD = "correct horse"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
REDIRECTS = {
    "web": f"{BASE}/callback",
    "hall": f"{BASE}/hall/callback",
    "app": "http://127.0.0.1:40123/callback",
    "rp-test": "http://127.0.0.1:9555/callback",
}
SECRETS = {"web": demo.CLIENT_SECRET, "hall": demo.CLIENT_SECRET, "rp-test": demo.CLIENT_SECRET}
SCOPE = "openid profile email offline_access cases"
CLIENT_KEY = ECKey.generate_key("P-256", {"kid": "one"})
RSA_KEY = RSAKey.generate_key(2048, {"kid": "rsa"})
PERSONAL_SCOPES = tuple(SCOPE.split())


def at_once(function: Any, *arguments: Any) -> Any:
    return function(*arguments)


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Driver:
    """`session` is the browser's, of `account` if a test says so; `now` is every clock."""

    database: Database
    session: str | None = None
    cookie_key: str = COOKIE_KEY
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    account: Account | None = None
    limit_keys: LimitKeys | None = None
    two_factors_for_staff: bool = False

    @property
    def vault(self) -> Vault:
        return Vault(self.cookie_key)

    def after(self, **time: float) -> None:
        self.now += timedelta(**time)

    def register(self, **fields: Any) -> Account:
        username = f"test-{secrets.token_hex(6)}"
        account = Account("", username, "Test Person", **fields)
        particulars = Particulars(email=mail_of(account))
        return commands.register_account(self.database, at_once, self.vault, account, particulars, PASSWORD, self.now)

    def sign_in(self, account: Account, channel: str = "web", request: str | None = None) -> None:
        """In this browser, on the way to the authorization request with the URL `request`."""
        local = request.removeprefix(BASE) if request else None
        where = {"request": local, "previous": self.session}
        signed_in = commands.sign_in(self.database, at_once, account.username, PASSWORD, channel, self.now, **where)
        self.session = signed_in["session"]

    def begin_sign_in(self, account: Account, environment: str = "local", channel: str = "web") -> str:
        """The password alone; the secret of the sign-in that waits for the second factor."""
        how = {"previous": self.session, "environment": environment}
        begun = commands.sign_in(self.database, at_once, account.username, PASSWORD, channel, self.now, **how)
        assert "session" not in begun
        return str(begun["pending"])

    @property
    def means(self) -> Means:
        key = self.cookie_key
        return Means(Seal(key, PURPOSE), CodeKeys(key), self.vault, BASE, "local")

    @property
    def actor(self) -> Actor:
        """As the web channel says who is signed in."""
        assert self.account is not None
        return Actor(self.account.subject, "web")

    def add_client(self, **fields: Any) -> Client:
        """A confidential client of a stranger, with `demo.CLIENT_SECRET` if nothing else is said."""
        own = {"secret_hash": hash_secret(demo.CLIENT_SECRET), "auth_methods": SECRET_AUTH_METHODS}
        named = {"name": "A stranger's", "redirect_uris": ("https://rp.example/callback",), "scopes": PERSONAL_SCOPES}
        client = Client(f"rp-{secrets.token_hex(6)}", **own | named | fields)
        with self.database.transaction() as transaction:
            commands.add_client(transaction, client)
        REDIRECTS[client.id] = client.redirect_uris[0]
        if client.secret_hash is not None:
            SECRETS[client.id] = demo.CLIENT_SECRET
        return client

    def add_signing_client(self, key: ECKey | RSAKey = CLIENT_KEY, **fields: Any) -> Client:
        """One that proves itself by `private_key_jwt`."""
        jwks = {"keys": [key.as_dict(private=False)]}
        return self.add_client(**{"secret_hash": None, "auth_methods": KEY_AUTH_METHODS, "jwks": jwks} | fields)

    def issuer(self, transaction: Any) -> Issuer:
        keys = load_keys(transaction, Seal(self.cookie_key, "signing-keys"), self.now)
        subjects = Subjects(transaction, Seal(self.cookie_key, "pairwise-subjects"))
        people, two = People(transaction, self.vault), self.two_factors_for_staff
        return Issuer(BASE, keys, subjects, people=people, two_factors_for_staff=two)

    def web_sessions(self, transaction: Any) -> WebSessions:
        return WebSessions(partial(self.issuer, transaction), Seal(self.cookie_key, "web-sessions"))

    # The authorization endpoint

    def parameters(self, client: str, **changes: str | None) -> dict[str, str]:
        """Of an authorization request; one that is changed to None is left out."""
        parameters = {
            "response_type": "code",
            "client_id": client,
            "redirect_uri": REDIRECTS.get(client),
            "scope": SCOPE,
            "state": "s t&ate",
            "nonce": secrets.token_urlsafe(8),
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        } | changes
        return {name: value for name, value in parameters.items() if value is not None}

    def url(self, client: str, **changes: str | None) -> str:
        return f"{BASE}/oauth/authorize?{urlencode(self.parameters(client, **changes))}"

    def open(self, url: str, decision: str | None = None) -> dict[str, Any]:
        with self.database.transaction() as transaction:
            provider = Provider(transaction, self.issuer(transaction), self.now)
            return authorization.answer_authorization(provider, url, self.session, decision)

    def authorize(self, client: str, decision: str | None = None, **changes: str | None) -> dict[str, Any]:
        return self.open(self.url(client, **changes), decision)

    def refused(self, client: str, **changes: str | None) -> dict[str, str]:
        """The parameters of an error that went back to the client."""
        answered = returned(self.authorize(client, **changes))
        assert "code" not in answered
        return answered

    def code(self, client: str = "web", **changes: str | None) -> str:
        return returned(self.authorize(client, decision="allow", **changes))["code"]

    # The protocol's endpoints

    def call(
        self, endpoint: str, form: dict[str, str] | str, method: str = "POST", path: str | None = None, **headers: str
    ) -> Reply:
        body = form if isinstance(form, str) else urlencode(form)
        headers.setdefault("content-type", "application/x-www-form-urlencoded")
        request = HttpRequest.of(
            method, f"{BASE}/oauth/{path or endpoint}", [list(pair) for pair in headers.items()], body
        )
        with self.database.transaction() as transaction:
            limits = ClientLimits(transaction, self.limit_keys, self.now) if self.limit_keys else None
            provider = Provider(transaction, self.issuer(transaction), self.now, limits)
            answer = protocol.answer_protocol(provider, endpoint, request)
        return Reply(answer["status"], dict(answer["headers"]), answer["body"])

    def as_client(self, client: str, endpoint: str, **form: str) -> Reply:
        """With the client's own authentication."""
        if client in SECRETS:
            return self.call(endpoint, form, authorization=basic(client, SECRETS[client]))
        return self.call(endpoint, form | {"client_id": client})

    def by_assertion(self, endpoint: str, assertion: str, **form: str) -> Reply:
        proof = {"client_assertion": assertion, "client_assertion_type": client_assertion.TYPE}
        return self.call(endpoint, form | proof)

    def assertion(self, client: str, key: Any = CLIENT_KEY, header: Any = None, **claims: Any) -> str:
        """Signed by the client; a claim or a header that is given as None is left out."""
        now = int(self.now.timestamp())
        said = {"iss": client, "sub": client, "aud": BASE, "exp": now + 60, "iat": now, "jti": secrets.token_hex(8)}
        head = {"alg": "ES256"} | (header or {})
        kept = {name: value for name, value in (said | claims).items() if value is not None}
        return jwt.encode(head, kept, key, [head["alg"]])

    def push(self, client: str, **changes: str | None) -> Reply:
        return self.as_client(client, "par", **self.parameters(client, **changes))

    def pushed_url(self, client: str, **changes: str | None) -> str:
        reply = self.push(client, **changes)
        assert reply.status == 201, reply.text
        return f"{BASE}/oauth/authorize?{urlencode({'client_id': client, 'request_uri': reply.json['request_uri']})}"

    def exchange(self, client: str, code: str, **changes: str) -> Reply:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECTS[client]}
        return self.as_client(client, "token", **form | {"code_verifier": VERIFIER} | changes)

    def tokens(self, client: str = "web", **changes: str | None) -> dict[str, Any]:
        reply = self.exchange(client, self.code(client, **changes))
        assert reply.status == 200, reply.text
        return dict(reply.json)

    def refresh(self, client: str, refresh_token: str, **more: str) -> Reply:
        return self.as_client(client, "token", grant_type="refresh_token", refresh_token=refresh_token, **more)

    # A device without a keyboard (RFC 8628)

    def start_device(self, client: str = "kiosk", **form: str) -> dict[str, Any]:
        reply = self.as_client(client, "device_authorization", **{"scope": SCOPE} | form)
        assert reply.status == 200, reply.text
        return dict(reply.json)

    def poll(self, device_code: str, client: str = "kiosk") -> Reply:
        return self.as_client(client, "token", grant_type=DEVICE_CODE, device_code=device_code)

    def answer_device(self, user_code: str | None, decision: str | None = None) -> dict[str, Any]:
        """On the phone, which is this browser."""
        with self.database.transaction() as transaction:
            provider = Provider(transaction, self.issuer(transaction), self.now)
            return approval.answer_device(provider, self.session, user_code, decision)

    # A clerk, and who stands before them (RFC 8693)

    def read_card(self, clerk: Account, id_number: str, **changes: Any) -> dict[str, Any]:
        fields = {"client": "hall", "channel": "hall", "roles": clerk.roles, "scopes": ("cases",)} | changes
        actor = Actor(clerk.subject, **fields)
        return presence.prove_by_id_number(self.database, self.vault, actor, id_number, self.now)

    def exchange_token(self, actor_token: str | None, subject_token: str | None, **changes: str | None) -> Reply:
        form = {
            "grant_type": TOKEN_EXCHANGE,
            "subject_token": subject_token,
            "subject_token_type": TOKEN_TYPE,
            "actor_token": actor_token,
            "actor_token_type": ACCESS_TOKEN,
        } | changes
        client = form.pop("client", None) or "hall"
        return self.as_client(client, "token", **{name: value for name, value in form.items() if value is not None})

    def end_session(self, decision: str | None = None, **parameters: str) -> dict[str, Any]:
        """A client's wish that whoever is signed in with this browser be signed out."""
        with self.database.transaction() as transaction:
            provider = Provider(transaction, self.issuer(transaction), self.now)
            return end_session.answer_end_session(provider, urlencode(parameters), self.session, decision)

    def userinfo(self, access_token: str) -> Reply:
        return self.call("userinfo", "", "GET", authorization=f"Bearer {access_token}")


def mail_of(account: Account) -> str:
    return f"{account.username}@example.org"


def login_page(client: str) -> dict[str, str]:
    """It tells the address that was checked, since the sign-in page leads there."""
    return {"page": "login", "redirect_uri": REDIRECTS[client]}


def basic(client: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client}:{secret}".encode()).decode()


def returned(page: dict[str, Any]) -> dict[str, str]:
    """What the redirect or the form gives the client; every such answer names its issuer (RFC 9207)."""
    assert page["page"] in ("redirect", "form_post"), page
    if page["page"] == "form_post":
        answered = dict(page["fields"])
    else:
        answered = {name: values[0] for name, values in parse_qs(urlsplit(page["location"]).query).items()}
    assert answered.pop("iss") == BASE
    return answered


def claims_of(token: str) -> dict[str, Any]:
    return dict(json.loads(jws.extract_compact(token.encode()).payload))


def header_of(token: str) -> dict[str, Any]:
    return dict(jws.extract_compact(token.encode()).headers())


def race(*calls):
    """All at once, as nearly as threads can."""
    start, replies = threading.Barrier(len(calls)), []

    def run(call):
        start.wait(10)
        replies.append(call())

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return replies


def seed(database: Database) -> None:
    commands.seed_demo(database, at_once, Vault(COOKIE_KEY), "local", BASE, "notify-secret", datetime.now(UTC))
