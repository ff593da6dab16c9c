"""Everything that is kept sealed is sealed anew when its key changes: no column of any database is forgotten."""

from __future__ import annotations

import base64
import os
import uuid
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text

from chassis.resealing import SealedColumn, reseal
from chassis.sealing import Seal, SealedOtherwise
from chassis.webhooks.secrets import PURPOSE
from services.cases import sealed_columns as of_cases
from services.cases.attachments import store as attachments
from services.cases.drafts import store as drafts
from services.cases.drafts.domain import Draft
from services.cases.evidence import store as evidence
from services.cases.evidence.domain import Content, Evidence
from services.cases.registries import checking
from services.cases.registries import store as registries
from services.cases.registries.comparing import Compared, Outcome
from services.cases.registries.domain import Asked, Registry
from services.cases.results import store as results
from services.identity.access_log import retention
from services.identity.access_log import sealing as access_log
from services.identity.access_log import store as access_log_store
from services.identity.access_log.domain import Entry, Look
from services.identity.domain import Client
from services.identity.factors import store as factors
from services.identity.look_reports import domain as look_reports
from services.identity.look_reports import store as reports
from services.identity.persons import own_data, registration
from services.identity.sealed_columns import SEALED_COLUMNS
from services.identity.sealing import Seal as IdentitySeal
from services.identity.web_sessions import save_web_session
from tests.integration.identity_driver import COOKIE_KEY

NOW = datetime(2026, 3, 2, tzinfo=UTC)
NEW_KEY = base64.urlsafe_b64encode(os.urandom(32)).decode()

OTHERWISE = {
    "identity": {
        "identifiers.sealed": "has an index to be made anew with it: test_identity_identifiers.py",
        "identifiers.blind_index": "the index",
        "security_notice_addresses.sealed": "the same, of copies",
        "security_notice_addresses.blind_index": "the same, of copies",
        "refresh_tokens.successor": "sealed with the token itself, for some seconds",
        "access_log.hash": "SHA-256 of the chain",
        "access_log_cuts.hash": "the same, of where it was cut",
        "access_log_cuts.digest": "the same, of the cuts",
        "passkeys.public_key": "public",
        "ceremonies.challenge": "random, sent to the browser in the clear",
        "recently.key": "SHA-256",
    },
    "cases": {
        "cases.request_digest": "SHA-256",
        "item_versions.digest": "SHA-256",
        "draft_handovers.token_hash": "SHA-256",
        "attachments.sha256": "SHA-256",
        "results.code_hash": "SHA-256",
        "result_documents.sha256": "SHA-256",
        "recently.key": "SHA-256",
    },
    "notify": {},
    "rating": {},
}
"""Bytes that `onehall key reseal` does not seal anew as columns, and why."""

COVERED = {"identity": SEALED_COLUMNS, "cases": (*of_cases.OF_WEBHOOK_KEY, *of_cases.OF_CASES_KEY)}

_BYTES = text(
    "SELECT c.table_name || '.' || c.column_name FROM information_schema.columns c"
    " JOIN information_schema.tables t USING (table_schema, table_name)"
    " WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND data_type = 'bytea'"
)


@pytest.mark.parametrize("service", OTHERWISE)
def test_every_column_of_bytes_is_sealed_anew_or_left_for_a_reason(service, request):
    with request.getfixturevalue(f"{service}_database").transaction() as session:
        found = set(session.execute(_BYTES).scalars())
    covered = {column.name for column in COVERED.get(service, ())}
    assert covered.isdisjoint(OTHERWISE[service])
    assert found - covered - set(OTHERWISE[service]) == set(), "is it sealed? see CONTRIBUTING, 'something sealed'"
    assert covered | set(OTHERWISE[service]) <= found, "there is no such column"


def values_of(database, column: SealedColumn):
    held = select(column.table.c[column.key], column.table.c[column.column])
    with database.transaction() as session:
        return session.execute(held.where(column.table.c[column.column].is_not(None))).all()


def how_many_open(database, column: SealedColumn, seal: Seal) -> int:
    count = 0
    for key, value in values_of(database, column):
        try:
            seal.open(bytes(value), column.place(key))
        except SealedOtherwise:
            continue
        count += 1
    return count


def seal_by(purpose: str, key: str, other: str | None = None) -> Seal:
    return Seal(key, purpose, other)


def require_change(database, columns, seal_by):
    """`seal_by(purpose, key, other)`; from the key until now to the new one, and back."""
    for column in columns:
        sealed = how_many_open(database, column, seal_by(column.purpose, COOKIE_KEY, None))
        assert sealed, f"no row with {column.name} was made here: make one"
        both = seal_by(column.purpose, NEW_KEY, COOKIE_KEY)
        assert reseal(database, column, both)[0] == sealed, column.name
        assert how_many_open(database, column, seal_by(column.purpose, NEW_KEY, None)) == sealed, column.name
        assert reseal(database, column, both)[0] == 0, "and again changes nothing"
        assert reseal(database, column, seal_by(column.purpose, COOKIE_KEY, NEW_KEY))[0] == sealed, "and back"


def test_all_of_identity_opens_with_the_new_key_alone(driver):
    driver.account = driver.register()
    driver.sign_in(driver.account)
    tokens = driver.tokens("web")
    keys = registration.Secrets(IdentitySeal(COOKIE_KEY, "registrations"), driver.means.codes, driver.vault)
    with driver.database.transaction() as session:
        save_web_session(session, driver.web_sessions(session), "web", tokens, driver.now)
        subject = driver.account.subject
        driver.issuer(session).subjects.seen_by(Client("p", "P", subject_type="pairwise", sector="p.example"), subject)
        factors.save_totp(session, subject, driver.means.seal.close(b"secret", subject.encode()), 1, driver.now)
        email, phone = f"{uuid.uuid4().hex}@example.org", f"137{uuid.uuid4().int % 10**8:08}"
        registration.begin_registration(session, keys, email, phone, "en", driver.now)
        own_data.get_personal_data(session, driver.vault, driver.actor, driver.now)
    log_seal = IdentitySeal(COOKIE_KEY, access_log.PURPOSE)
    access_log.seal_new_entries(driver.database, log_seal)
    retention.prune(driver.database, log_seal, 3, driver.now.replace(year=driver.now.year + 20))
    entry, report, said = str(uuid.uuid4()), str(uuid.uuid4()), IdentitySeal(COOKIE_KEY, look_reports.PURPOSE)
    look = Look(subject, "o", "web", "officer", None, "web", "case", None, "handling")
    with driver.database.transaction() as session:
        access_log_store.append(session, [Entry(entry, driver.now, look)])
        row = {"id": report, "entry": entry, "account": subject, "reported_at": driver.now, "due_at": driver.now}
        reports.add(session, row | {"reason": said.close(b"why", report.encode())})
        reports.save_answer(session, report, said.close(b"because", report.encode()), "an-auditor", driver.now)
    require_change(driver.database, SEALED_COLUMNS, lambda purpose, key, other: IdentitySeal(key, purpose, other))


def test_all_of_cases_opens_with_the_new_key_alone(cases_database):
    owner, old = f"d{uuid.uuid4().hex[:12]}", seal_by(PURPOSE, COOKIE_KEY)
    draft = Draft(str(uuid.uuid4()), "a", "i", 1, 1, "web", NOW, NOW, NOW, {}, {})
    with cases_database.transaction() as session:
        subscription = session.execute(
            text(
                "INSERT INTO subscriptions (owner, name, filter, patterns, delivery, start, created_at, created_by,"
                " ended_at, end_reason) VALUES (:owner, 'cases', '{}', '{}', 'webhook', 'now', now(), 'test', now(),"
                " 'owner') RETURNING id"
            ),
            {"owner": owner},
        ).scalar_one()
        session.execute(
            text(
                "INSERT INTO webhooks (subscription, url, secret, former_secret, former_until)"
                " VALUES (:subscription, 'https://d.example/', :secret, :former, now())"
            ),
            {"subscription": subscription, "secret": old.close(b"new"), "former": old.close(b"old")},
        )
        drafts.insert(session, seal_by(drafts.PURPOSE, COOKIE_KEY), draft)
        file = str(uuid.uuid4())
        name = seal_by(attachments.PURPOSE, COOKIE_KEY).close(b"lease.pdf", file.encode())
        session.execute(
            text(
                "INSERT INTO attachments (id, applicant, document, name, length, channel, created_at, expires_at)"
                " VALUES (:id, 'a', 'd', :name, 1, 'web', :now, :now)"
            ),
            {"id": file, "name": name, "now": NOW},
        )
        result = str(uuid.uuid4())
        content = seal_by(results.PURPOSE, COOKIE_KEY).close(b"{}", result.encode())
        session.execute(
            text(
                "INSERT INTO cases (number, item, item_version, department, region, kind, applicant, channel,"
                " submitted_at, updated_at, status, sequence, form, request_digest)"
                " VALUES (:id, 'i', 1, 'd', 'r', 'k', 'a', 'web', :now, :now, 'withdrawn', 1, '{}', '')"
            ),
            {"id": result, "now": NOW},
        )
        session.execute(
            text(
                "INSERT INTO results (id, number, serial, paper, form, decision, holder, item, item_version,"
                " department, issued_at, issued_on, status, code_hash, content) VALUES (CAST(:id AS uuid), :id, 1,"
                " 'p', 'certificate', 'approved', 'a', 'i', 1, 'd', :now, :now, 'valid', CAST(:id AS bytea), :content)"
            ),
            {"id": result, "now": NOW, "content": content},
        )
        fetched = Evidence(str(uuid.uuid4()), result, "d", "p", "department", "d", "a", "i")
        evidence.insert(session, fetched)
        evidence.save_content(session, seal_by(evidence.PURPOSE, COOKIE_KEY), fetched.id, Content())
        registry = Registry(owner, owner, False, "https://r.example", "us", ("household-register",))
        registries.save_registry(session, registry, NOW)
        asked = Asked(
            str(uuid.uuid4()), fetched.id, result, 1, registry, "household-register", "i", 0, {"id_number": "1"}
        )
        registries.add_question(session, seal_by(registries.PURPOSE, COOKIE_KEY), asked, NOW, NOW)
        compared = (Compared("a", "b", Outcome.DIFFERS, "1", "2"),)
        checking.note(session, seal_by(evidence.PURPOSE, COOKIE_KEY), fetched.id, compared, "so", NOW)
    require_change(cases_database, COVERED["cases"], seal_by)
