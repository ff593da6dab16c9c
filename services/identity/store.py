"""Loading and saving accounts, clients, browser sessions and consents."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, exists, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from chassis.database import Session
from services.identity import domain, tables
from services.identity.domain import Account, BrowserSession, Client

_SEEN_STEP = timedelta(minutes=1)
"""How exactly the last use of a session is known: writing it at every page would cost more than it tells."""

_OWNERS_LOCK = 7_251_002
"""Number of an advisory lock."""

_ACCOUNT = [tables.accounts.c[field.name] for field in fields(Account)]
_OTHERS = [column for column in _ACCOUNT if column.name != "subject"]
_BROWSER = ("signed_in_at", "signed_in_for", "amr", "sid")
_CLIENT = [tables.clients.c[field.name] for field in fields(Client)]

# what each sign-in asks: SQLAlchemy takes longer to make these anew than PostgreSQL to answer them
IS_OPEN = (tables.accounts.c.closed_at.is_(None), tables.accounts.c.disabled_at.is_(None))
"""Neither closed nor disabled: somebody may sign in to it, and what came of a sign-in is good."""

_GET_ACCOUNT = select(*_ACCOUNT).where(tables.accounts.c.subject == bindparam("of"), *IS_OPEN)
_GET_CLIENT = select(*_CLIENT).where(tables.clients.c.id == bindparam("of"))
_GET_BROWSER = (
    select(*(tables.browser_sessions.c[name] for name in _BROWSER), tables.browser_sessions.c.seen_at, *_ACCOUNT)
    .join(tables.accounts, tables.accounts.c.subject == tables.browser_sessions.c.subject)
    .where(tables.browser_sessions.c.secret_hash == bindparam("secret"), *IS_OPEN)
)
_LOCK_BROWSER = _GET_BROWSER.with_for_update(of=tables.browser_sessions)
_GET_CONSENT = select(tables.consents.c.scopes).where(
    tables.consents.c.subject == bindparam("by"), tables.consents.c.client_id == bindparam("to")
)


def add_account(session: Session, account: Account, password_hash: str | None, now: datetime) -> bool:
    """False if the user name is taken."""
    row = asdict(account) | {"password_hash": password_hash, "sequence": 1, "registered_at": now}
    added = upsert(tables.accounts).values(row).on_conflict_do_nothing(index_elements=["username"])
    return session.execute(added.returning(tables.accounts.c.subject)).first() is not None


def get_account(session: Session, subject: str) -> Account | None:
    """One that is closed or disabled is not there."""
    row = session.execute(_GET_ACCOUNT, {"of": subject}).first()
    return account_of(row) if row else None


def lock_account(session: Session, subject: str) -> None:
    """What is counted of an account is counted one after the other."""
    session.execute(select(tables.accounts.c.subject).where(tables.accounts.c.subject == subject).with_for_update())


def account_of(row: Any) -> Account:
    values = {field.name: getattr(row, field.name) for field in fields(Account)}
    return Account(**values | {"roles": tuple(row.roles)})


def get_password_hash(session: Session, username: str) -> tuple[str, str] | None:
    """The account's subject and password hash, if it is open."""
    account = tables.accounts.c
    found = select(account.subject, account.password_hash).where(account.username == username, *IS_OPEN)
    row = session.execute(found).first()
    return (row.subject, row.password_hash) if row else None


def has_password_hash(session: Session, subject: str, password_hash: str) -> bool:
    """Whether it is still this one. Nobody changes it before the transaction ends."""
    account = tables.accounts.c
    this = select(account.subject).where(account.subject == subject, account.password_hash == password_hash)
    return session.execute(this.with_for_update(key_share=True)).first() is not None


def replace_password_hash(session: Session, subject: str, old: str, new: str) -> bool:
    """False if somebody changed the password meanwhile."""
    account = tables.accounts.c
    this = (account.subject == subject, account.password_hash == old)
    return bool(session.execute(update(tables.accounts).where(*this).values(password_hash=new)).rowcount)


def raise_sequence(session: Session, subject: str) -> int:
    """The account's next event sequence; the row stays locked until the commit, as the outbox needs it."""
    account = tables.accounts.c
    raised = update(tables.accounts).where(account.subject == subject).values(sequence=account.sequence + 1)
    return int(session.execute(raised.returning(account.sequence)).scalar_one())


def is_first_sign_in(session: Session, subject: str) -> bool:
    """Whether the sign-in that was just counted is all that has happened since the account was made."""
    account = tables.accounts.c
    return session.execute(select(account.sequence).where(account.subject == subject)).scalar() == 2


def list_contacts(session: Session, subjects: list[str]) -> list[Any]:
    account = tables.accounts.c
    return list(
        session.execute(
            select(account.subject, account.locale, account.name).where(
                account.subject.in_(subjects), account.closed_at.is_(None)
            )
        )
    )


def get_client(session: Session, client_id: str) -> Client | None:
    row = session.execute(_GET_CLIENT, {"of": client_id}).first()
    return _client_of(row) if row else None


def _client_of(row: Any) -> Client:
    values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in row._mapping.items()}
    return Client(**values)


def add_client(session: Session, client: Client) -> bool:
    """False if the id is taken."""
    added = upsert(tables.clients).values(_client_row(client)).on_conflict_do_nothing()
    return session.execute(added.returning(tables.clients.c.id)).first() is not None


def save_client(session: Session, client: Client) -> None:
    """One that an operator has disabled or given an end keeps that."""
    row = _client_row(client)
    kept = {name: value for name, value in row.items() if name not in ("is_disabled", "ends_at")}
    session.execute(upsert(tables.clients).values(row).on_conflict_do_update(index_elements=["id"], set_=kept))


def set_client_end(session: Session, client_id: str, *, is_disabled: bool, ends_at: datetime | None) -> None:
    client = tables.clients
    session.execute(update(client).where(client.c.id == client_id).values(is_disabled=is_disabled, ends_at=ends_at))


def is_department(session: Session, name: str) -> bool:
    """Whether anybody works for a department of this name."""
    account, client = tables.accounts.c, tables.clients.c
    known = or_(exists().where(account.department == name), exists().where(client.department == name))
    return bool(session.execute(select(known)).scalar_one())


def is_organisation(session: Session, name: str) -> bool:
    return bool(session.execute(select(exists().where(tables.clients.c.organisation == name))).scalar_one())


def lock_owners(session: Session) -> None:
    """Whoever names a department or an organisation does so alone until the transaction ends."""
    session.execute(select(func.pg_advisory_xact_lock(_OWNERS_LOCK)))


def list_owned_clients(session: Session) -> list[Client]:
    """Of a department or an organisation, live or not."""
    client = tables.clients.c
    owned = or_(client.department.is_not(None), client.organisation.is_not(None))
    return [_client_of(row) for row in session.execute(select(*_CLIENT).where(owned))]


def _client_row(client: Client) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(client).items()}


def use_browser_session(
    session: Session, secret_hash: str, now: datetime, *, lock: bool = False
) -> BrowserSession | None:
    """The live session, whose idle time begins anew; locked if what it was signed in for is about to be spent."""
    row = session.execute(_LOCK_BROWSER if lock else _GET_BROWSER, {"secret": secret_hash}).first()
    if row is None or not domain.is_session_live(row.signed_in_at, row.seen_at, now):
        return None
    if now - row.seen_at > _SEEN_STEP:
        _touch(session, tables.browser_sessions, secret_hash, now)
    return BrowserSession(account_of(row), row.signed_in_at, row.signed_in_for, tuple(row.amr), row.sid)


def _touch(session: Session, table: Any, secret_hash: str, now: datetime) -> None:
    session.execute(update(table).where(table.c.secret_hash == secret_hash).values(seen_at=now))


def spend_sign_in(session: Session, secret_hash: str, request_hash: str) -> None:
    """The request is answered: if it is what the session was signed in for, that counts no more."""
    browser = tables.browser_sessions
    is_for_it = (browser.c.secret_hash == secret_hash, browser.c.signed_in_for == request_hash)
    session.execute(update(browser).where(*is_for_it).values(signed_in_for=None))


def get_consent(session: Session, subject: str, client_id: str) -> frozenset[str]:
    scopes = session.execute(_GET_CONSENT, {"by": subject, "to": client_id}).scalar()
    return frozenset(scopes or ())


def save_consent(session: Session, subject: str, client_id: str, scopes: frozenset[str], now: datetime) -> None:
    row = {"subject": subject, "client_id": client_id, "scopes": sorted(scopes), "given_at": now}
    session.execute(
        upsert(tables.consents).values(row).on_conflict_do_update(index_elements=["subject", "client_id"], set_=row)
    )


def add_web_session(session: Session, row: dict[str, Any]) -> None:
    session.execute(insert(tables.web_sessions).values(row))


def use_web_session(session: Session, secret_hash: str, now: datetime, *, lock: bool = False) -> Any | None:
    """The live session of the gateway's, with its account; locked while its tokens are renewed.

    It lives no longer than the browser's session that it came of, which is used with it.
    """
    web_session, browser = tables.web_sessions, tables.browser_sessions
    found = (
        select(web_session, tables.clients.c.channel, browser.c.signed_in_at, *_OTHERS)
        .join(tables.accounts, tables.accounts.c.subject == web_session.c.subject)
        .join(tables.clients, tables.clients.c.id == web_session.c.client_id)
        .outerjoin(browser, browser.c.sid == web_session.c.sid)
        .where(web_session.c.secret_hash == secret_hash, *IS_OPEN)
    )
    row = session.execute(found.with_for_update(of=web_session) if lock else found).first()
    if row is None or not _is_web_session_live(row, now):
        return None
    if now - row.seen_at > _SEEN_STEP and not lock:
        # in the order in which sessions are ended (`sessions.store`): neither waits for the other
        session.execute(update(browser).where(browser.c.sid == row.sid).values(seen_at=now))
        _touch(session, web_session, secret_hash, now)
    return row


def _is_web_session_live(row: Any, now: datetime) -> bool:
    if not domain.is_session_live(row.created_at, row.seen_at, now, row.channel):
        return False
    # one that came of no browser's session (a kiosk's) is its own
    if row.sid is None:
        return True
    return row.signed_in_at is not None and domain.is_session_live(row.signed_in_at, row.seen_at, now)


def renew_web_session(session: Session, secret_hash: str, tokens: bytes, expires_at: datetime) -> None:
    session.execute(
        update(tables.web_sessions)
        .where(tables.web_sessions.c.secret_hash == secret_hash)
        .values(tokens=tokens, access_token_expires_at=expires_at)
    )


def remove_web_session(session: Session, secret_hash: str) -> str | None:
    """The family of its tokens, if there was one."""
    web_session = tables.web_sessions
    return session.execute(
        delete(web_session).where(web_session.c.secret_hash == secret_hash).returning(web_session.c.family_id)
    ).scalar()


def remove_expired(session: Session, now: datetime) -> None:
    """What can never be used or misused again."""
    for table in (tables.pushed_requests, tables.client_assertions, tables.initial_access_tokens):
        session.execute(delete(table).where(table.c.expires_at < now))
    started, seen = now - domain.SESSION_ABSOLUTE, now - domain.SESSION_IDLE
    web, family = tables.web_sessions.c, tables.token_families.c
    session.execute(delete(tables.web_sessions).where(or_(web.created_at < started, web.seen_at < seen)))
    for table in (tables.authorization_codes, tables.revoked_access_tokens, tables.dpop_proofs):
        session.execute(delete(table).where(table.c.expires_at < now))
    token = tables.refresh_tokens.c
    # its last access token may outlive the last refresh token
    ended = now - timedelta(seconds=domain.ACCESS_TOKEN_SECONDS[1])
    is_live = exists().where(token.family_id == family.id, token.expires_at >= ended)
    old_enough = family.created_at < ended
    session.execute(delete(tables.token_families).where(old_enough, ~is_live))
