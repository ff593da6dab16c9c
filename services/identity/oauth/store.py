"""Loading and saving codes, token families, refresh tokens and revocations. Secrets come and go as hashes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import datetime

from sqlalchemy import and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from chassis.database import Session
from services.identity import tables
from services.identity.domain import AuthorizationCode, TokenFamily
from services.identity.store import IS_OPEN

_CODE = [tables.authorization_codes.c[field.name] for field in fields(AuthorizationCode)]
_FAMILY = [tables.token_families.c[field.name] for field in fields(TokenFamily)]

# what each sign-in asks: SQLAlchemy takes longer to make these anew than PostgreSQL to answer them
_ADD_CODE = insert(tables.authorization_codes)
_TAKE_CODE = (
    delete(tables.authorization_codes)
    .where(
        tables.authorization_codes.c.code_hash == bindparam("of"),
        tables.authorization_codes.c.client_id == bindparam("by"),
    )
    .returning(*_CODE)
)
_ADD_FAMILY = insert(tables.token_families)
_GET_FAMILY = (
    select(*_FAMILY)
    .join(tables.accounts, tables.accounts.c.subject == tables.token_families.c.subject)
    .where(tables.token_families.c.id == bindparam("of"), *IS_OPEN)
)
_ADD_REFRESH_TOKEN = insert(tables.refresh_tokens)
_GET_REVOKED = select(tables.revoked_access_tokens.c.jti).where(tables.revoked_access_tokens.c.jti == bindparam("of"))


def add_code(session: Session, code: AuthorizationCode) -> None:
    session.execute(_ADD_CODE, asdict(code))


def take_code(session: Session, code_hash: str, client_id: str) -> AuthorizationCode | None:
    """Consume the client's code. One statement: of two requests that race with one code, one gets nothing."""
    row = session.execute(_TAKE_CODE, {"of": code_hash, "by": client_id}).first()
    return AuthorizationCode(**row._mapping) if row else None


def revoke_family_of_code(session: Session, code_hash: str, now: datetime) -> None:
    family = tables.token_families
    session.execute(
        update(family).where(family.c.code_hash == code_hash, family.c.revoked_at.is_(None)).values(revoked_at=now)
    )


def add_family(session: Session, family: TokenFamily) -> None:
    session.execute(_ADD_FAMILY, asdict(family))


def get_family(session: Session, family_id: str) -> TokenFamily | None:
    """One of an account that is closed or disabled is not there."""
    row = session.execute(_GET_FAMILY, {"of": family_id}).first()
    return TokenFamily(**row._mapping) if row else None


def lock_family_of_refresh_token(session: Session, token_hash: str) -> TokenFamily | None:
    """The family, locked to the end of the transaction: of two uses of one token, the second sees the first's."""
    token = tables.refresh_tokens.c
    family_id = select(token.family_id).where(token.token_hash == token_hash).scalar_subquery()
    row = session.execute(select(*_FAMILY).where(tables.token_families.c.id == family_id).with_for_update()).first()
    return TokenFamily(**row._mapping) if row else None


def revoke_family(session: Session, family_id: str, now: datetime) -> None:
    family = tables.token_families
    session.execute(
        update(family).where(family.c.id == family_id, family.c.revoked_at.is_(None)).values(revoked_at=now)
    )


def is_told(session: Session, family: TokenFamily, digest: str) -> bool:
    """Whether the client was told it in the family, or in another one of the same session."""
    row = tables.token_families.c
    same = row.id == family.id
    if family.sid is not None:
        same = or_(same, and_(row.sid == family.sid, row.client_id == family.client_id))
    return session.execute(select(row.id).where(same, row.told.contains([digest])).limit(1)).first() is not None


def add_told(session: Session, family_id: str, digest: str) -> None:
    family = tables.token_families
    told = func.array_append(family.c.told, digest)
    session.execute(update(family).where(family.c.id == family_id).values(told=told))


def add_refresh_token(session: Session, token_hash: str, family_id: str, expires_at: datetime) -> None:
    row = {"token_hash": token_hash, "family_id": family_id, "expires_at": expires_at}
    session.execute(_ADD_REFRESH_TOKEN, row)


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """`successor` of a spent one, sealed."""

    expires_at: datetime
    spent_at: datetime | None
    successor: bytes | None


def get_refresh_token(session: Session, token_hash: str) -> RefreshToken:
    """Read it after its family is locked."""
    token = tables.refresh_tokens.c
    found = select(token.expires_at, token.spent_at, token.successor).where(token.token_hash == token_hash)
    row = session.execute(found).one()
    return RefreshToken(row.expires_at, row.spent_at, None if row.successor is None else bytes(row.successor))


def spend_refresh_token(session: Session, token_hash: str, successor: bytes, now: datetime) -> None:
    token = tables.refresh_tokens
    spent = {"spent_at": now, "successor": successor}
    session.execute(update(token).where(token.c.token_hash == token_hash).values(spent))


def use_proof(session: Session, proof_id: str, expires_at: datetime) -> bool:
    """False if it was used before. Of two that use one at once, the second waits for the first, and hears it."""
    row = {"id": proof_id, "expires_at": expires_at}
    added = upsert(tables.dpop_proofs).values(row).on_conflict_do_nothing()
    return session.execute(added.returning(tables.dpop_proofs.c.id)).first() is not None


def revoke_access_token(session: Session, jti: str, expires_at: datetime) -> None:
    row = {"jti": jti, "expires_at": expires_at}
    session.execute(upsert(tables.revoked_access_tokens).values(row).on_conflict_do_nothing())


def is_access_token_revoked(session: Session, jti: str) -> bool:
    return session.execute(_GET_REVOKED, {"of": jti}).first() is not None


def add_pushed_request(session: Session, uri_hash: str, client_id: str, parameters: str, expires_at: datetime) -> None:
    row = {"uri_hash": uri_hash, "client_id": client_id, "parameters": parameters, "expires_at": expires_at}
    session.execute(insert(tables.pushed_requests).values(row | {"is_opened": False}))


def open_pushed_request(session: Session, uri_hash: str, client_id: str, now: datetime, until: datetime) -> str | None:
    """The client's parameters, locked; when they are opened first, they are kept `until` then."""
    pushed = tables.pushed_requests
    is_it = (pushed.c.uri_hash == uri_hash, pushed.c.client_id == client_id, pushed.c.expires_at > now)
    row = session.execute(select(pushed.c.parameters, pushed.c.is_opened).where(*is_it).with_for_update()).first()
    if row is None:
        return None
    if not row.is_opened:
        session.execute(update(pushed).where(*is_it).values(is_opened=True, expires_at=until))
    return str(row.parameters)


def remove_pushed_request(session: Session, uri_hash: str) -> None:
    session.execute(delete(tables.pushed_requests).where(tables.pushed_requests.c.uri_hash == uri_hash))


def use_assertion(session: Session, client_id: str, jti_hash: str, expires_at: datetime) -> bool:
    """False if the client has used one with this `jti` before. Of two at once, one gets True."""
    row = {"client_id": client_id, "jti_hash": jti_hash, "expires_at": expires_at}
    used = upsert(tables.client_assertions).values(row).on_conflict_do_nothing()
    return session.execute(used.returning(tables.client_assertions.c.jti_hash)).first() is not None
