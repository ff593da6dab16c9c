"""No list makes more queries with more rows: every list of every service but those of cases (`test_cases_lists`)."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from contracts.actors import Actor
from services.cases.catalogue.files import shipped
from services.cases.drafts import queries as draft_queries
from services.cases.evidence import queries as evidence_queries
from services.cases.subscriptions import queries as subscription_queries
from services.cases.webhooks import queries as webhook_queries
from services.identity.access_log import commands as access_log_commands
from services.identity.access_log import queries as access_log_queries
from services.identity.access_log.domain import Look
from services.notify import queries as notify_queries
from tests.statements import counting

CATALOGUE = shipped()
NOW = datetime.now(UTC)
ME = str(uuid.uuid4())
CITIZEN = Actor(subject=ME, client="web")
OFFICER = Actor(subject="dan", client="web", roles=("officer",), department="civil-affairs", scopes=("cases",))
NAME = f"cost-{ME[:8]}"
ROWS = 30

FILL = """
WITH made AS (
    INSERT INTO cases (number, item, item_version, department, region, kind, applicant, channel, submitted_at,
        updated_at, status, sequence, form, request_digest)
    SELECT next_case_number('2089-01-01'), 'elderly-card', 1, 'market-regulation', '511602', 'other', :me, 'web', now(),
        now(), 'submitted', 1, '{}', '' FROM generate_series(1, :rows) RETURNING number
), asked AS (
    INSERT INTO evidence (id, number, document, paper, source_kind, source, applicant, item, status, sequence, asks,
        consented_at, consented_until, asked_at, due_at, was_late)
    SELECT gen_random_uuid(), number, 'household-register', 'household-register', 'department', 'civil-affairs', :me,
        'elderly-card', 'asked', 2, 1, now(), now() + interval '1 day', now(), now(), false FROM made
), begun AS (
    INSERT INTO drafts (id, applicant, item, item_version, revision, channel, content, created_at, updated_at,
        expires_at)
    SELECT gen_random_uuid(), :me, 'elderly-card', 1, 1, 'web', '', now(), now(), now() + interval '1 day'
    FROM generate_series(1, :rows)
), heard AS (
    INSERT INTO subscriptions (owner, name, filter, patterns, delivery, start, created_at, created_by)
    VALUES ('civil-affairs', :name,
        '{"types": ["*"], "departments": ["civil-affairs"], "regions": ["*"], "kinds": ["*"], "items": ["*"]}',
        '{}', 'webhook', 'now', now(), 'x') RETURNING id
), hooked AS (
    INSERT INTO webhooks (subscription, url, secret) SELECT id, 'https://x.example', '' FROM heard
    RETURNING subscription
), sent AS (
    INSERT INTO webhook_deliveries (subscription, event_id, replay, type, subject, sequence, body, created_at)
    SELECT subscription, n::text, '', 'case.submitted', n::text, 1, '{}', now()
    FROM hooked, generate_series(1, :rows) AS n
    RETURNING id, subscription
) INSERT INTO webhook_attempts (subscription, delivery, at, milliseconds) SELECT subscription, id, now(), 1 FROM sent
"""


@pytest.fixture
def filled(cases_database):
    with cases_database.transaction() as session:
        session.execute(text(FILL), {"me": ME, "rows": ROWS, "name": NAME})
        yield session
        session.rollback()


def cost(database, read):
    """Statements with one row and with many, each after one that notes whatever is noted once."""
    read(1)
    made, rows = [], []
    for limit in (1, ROWS):
        with counting(database) as statements:
            answer = read(limit)
        made.append(len(statements))
        rows.append(len(answer))
    return made, rows


OF_CASES = {
    "deliveries": lambda session, limit: webhook_queries.list_deliveries(
        session, CATALOGUE, OFFICER, NAME, None, None, limit
    ),
    "attempts": lambda session, limit: webhook_queries.list_attempts(session, CATALOGUE, OFFICER, NAME, None, limit),
    "replays": lambda session, limit: subscription_queries.list_replays(session, CATALOGUE, OFFICER, NAME, None, limit),
    "drafts": lambda session, _: draft_queries.list_drafts(session, CATALOGUE, CITIZEN, None, NOW),
    "requests for evidence": lambda session, limit: evidence_queries.list_requests(
        session, CATALOGUE, OFFICER, None, limit
    ),
}


@pytest.mark.parametrize("name", OF_CASES)
def test_a_list_of_the_work_on_cases(cases_database, filled, name):
    made, rows = cost(cases_database, lambda limit: OF_CASES[name](filled, limit)["items"])
    assert made[0] == made[1] <= 5
    assert name in ("drafts", "replays") or rows == [1, ROWS]


def test_the_inbox(notify_database):
    with notify_database.transaction() as session:
        session.execute(
            text(
                "INSERT INTO messages (id, event_id, event, recipient, number, item, at) SELECT gen_random_uuid(),"
                " gen_random_uuid(), 'case.accepted', :me, '1', 'elderly-card', now() FROM generate_series(1, 50)"
            ),
            {"me": ME},
        )
        made, rows = cost(notify_database, lambda limit: notify_queries.list_inbox(session, ME, None, limit).rows)
        session.rollback()
    assert made[0] == made[1] <= 2
    assert rows == [1, ROWS]


def test_the_access_log(driver):
    account = driver.register().subject
    asked = {"number": None, "cursor": None, "now": driver.now}
    with driver.database.transaction() as session:
        for number in range(ROWS):
            look = Look(account, "x", "web", "officer", "civil-affairs", "web", "case", f"{number:018}", "handling")
            access_log_commands.note_look(session, look, driver.now + timedelta(seconds=number))
        made, rows = cost(
            driver.database,
            lambda limit: access_log_queries.list_entries(session, Actor(account, "web"), None, limit=limit, **asked)[
                "items"
            ],
        )
        session.rollback()
    assert made[0] == made[1] <= 5
    assert rows == [1, ROWS]
