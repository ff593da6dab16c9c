"""No list makes more queries with more rows: every list of every service; some of `cases` are in `test_cases_lists`."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from chassis.sealing import Seal
from contracts.actors import Actor
from services.cases import commands, own_data
from services.cases.attachments import queries as attachment_queries
from services.cases.attachments import store as attachment_store
from services.cases.attachments.domain import Attachment
from services.cases.case_number import filing_day
from services.cases.catalogue.files import shipped
from services.cases.drafts import commands as drafting
from services.cases.drafts import queries as draft_queries
from services.cases.drafts import store as draft_store
from services.cases.evidence import consenting
from services.cases.evidence import queries as evidence_queries
from services.cases.joint import queries as joint_queries
from services.cases.joint import store as joint_store
from services.cases.joint.domain import JointCase
from services.cases.joint.store import Held
from services.cases.lists import persons
from services.cases.results import queries as result_queries
from services.cases.results import store as result_store
from services.cases.results.domain import Content, Result
from services.cases.service import CasesService
from services.cases.subscriptions import queries as subscription_queries
from services.cases.webhooks import queries as webhook_queries
from services.identity.access_log import commands as access_log_commands
from services.identity.access_log import queries as access_log_queries
from services.identity.access_log.domain import Look
from services.identity.look_reports import queries as report_queries
from services.identity.mandates import queries as mandate_queries
from services.identity.service import IdentityService
from services.identity.sessions import own
from services.identity.staff import queries as staff_queries
from services.notify import queries as notify_queries
from services.notify.service import NotifyService
from services.rating import queries as rating_queries
from services.rating.service import RatingService
from tests.seals import DESK, KEY, RESULTS
from tests.statements import counting

CATALOGUE = shipped()
NOW = datetime.now(UTC)
ME = str(uuid.uuid4())
CITIZEN = Actor(subject=ME, client="web")
CLERK = Actor(subject="carol", client="hall", channel="hall", roles=("clerk",))
DRAFTS, FILES = Seal(KEY, draft_store.PURPOSE), Seal(KEY, attachment_store.PURPOSE)
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
    "list_deliveries": lambda session, limit: webhook_queries.list_deliveries(
        session, CATALOGUE, OFFICER, NAME, None, None, limit
    ),
    "list_attempts": lambda session, limit: webhook_queries.list_attempts(
        session, CATALOGUE, OFFICER, NAME, None, limit
    ),
    "list_replays": lambda session, limit: subscription_queries.list_replays(
        session, CATALOGUE, OFFICER, NAME, None, limit
    ),
    "list_evidence_requests": lambda session, limit: evidence_queries.list_requests(
        session, CATALOGUE, OFFICER, None, limit
    ),
    "list_own_evidence": lambda session, limit: evidence_queries.list_own_evidence(
        session, CATALOGUE, CITIZEN, None, limit
    ),
}


@pytest.mark.parametrize("name", OF_CASES)
def test_a_list_of_the_work_on_cases(cases_database, filled, name):
    made, rows = cost(cases_database, lambda limit: OF_CASES[name](filled, limit)["items"])
    assert made[0] == made[1] <= 5
    assert name == "list_replays" or rows == [1, ROWS]


class Grown:
    """A list that takes no limit, read with one row of its own and with some more."""

    MORE = 4

    def __init__(self, database):
        self.database = database
        self.of = Actor(subject=str(uuid.uuid4()), client="web", acr=3)
        self.officer = OFFICER

    def case(self, session, item="sole-trader", **more):
        filing = commands.prepare_filing(
            CATALOGUE, self.of, item, dict(CATALOGUE.get(item).description["example"]), None
        )
        return commands.submit_case(session, CATALOGUE, filing, NOW)["number"]

    def costs(self, add, read):
        made, rows = [], []
        with self.database.transaction() as session:
            for more in (1, self.MORE):
                for n in range(more):
                    add(session, len(rows) * self.MORE + n)
                # whatever is noted once
                read(session)
                with counting(self.database) as statements:
                    answer = read(session)
                made.append(len(statements))
                rows.append(len(answer))
            session.rollback()
        assert made[0] == made[1] <= 5
        assert rows[0] < rows[1]


def _draft(of, session, _n):
    known, form = str(uuid.uuid4()), {"full_name": "x"}
    drafting.save_draft(session, CATALOGUE, DRAFTS, of.of, known, "residence-permit", form, 0, NOW)


def _held(of, session, _n):
    part = Held("elderly-card", 1, [], "{}")
    joint = JointCase("", "birth", 1, of.of.subject, "web", NOW)
    joint_store.insert(session, joint, [part], key=None, digest="", day=filing_day(NOW))


def _certificate(of, session, n):
    result = Result(
        str(uuid.uuid4()), of.case(session), 1, "x", "certificate", "approved", of.of.subject, "sole-trader",
        CATALOGUE.get("sole-trader").version, "x", NOW, NOW.date(), None,
    )  # fmt: skip
    result_store.insert(session, RESULTS, result, Content(uuid.uuid4().hex))


GROWN = {
    "list_drafts": (
        _draft,
        lambda of, session: draft_queries.list_drafts(session, CATALOGUE, of.of, None, NOW)["items"],
    ),
    "list_own_drafts": (_draft, lambda of, session: own_data.list_own_drafts(session, CATALOGUE, DRAFTS, of.of)),
    "list_own_waiting": (_held, lambda of, session: own_data.list_own_waiting(session, CATALOGUE, of.of)),
    "list_joint_cases": (
        _held,
        lambda of, session: joint_queries.list_joint_cases(session, CATALOGUE, of.of, None, None)["items"],
    ),
    "list_certificates": (
        _certificate,
        lambda of, session: result_queries.list_certificates(session, CATALOGUE, RESULTS, of.of, None, None, NOW)[
            "items"
        ],
    ),
    "list_cases_of": (
        lambda of, session, _n: of.case(session),
        lambda of, session: persons.list_cases_of(session, CATALOGUE, CLERK, of.of.subject)["items"],
    ),
}


@pytest.mark.parametrize("name", GROWN)
def test_a_list_of_what_somebody_has(cases_database, name):
    add, read = GROWN[name]
    of = Grown(cases_database)
    of.costs(lambda session, n: add(of, session, n), lambda session: read(of, session))


def test_the_documents_and_the_evidence_of_a_case(cases_database):
    """As many queries with all files and all evidence there as with none."""
    of = Grown(cases_database)
    with cases_database.transaction() as session:
        number = of.case(session)
        attached = {"number": number}

        def documents():
            return attachment_queries.list_documents(session, CATALOGUE, FILES, of.of, attached)

        def evidence():
            return evidence_queries.list_of_case(session, CATALOGUE, DESK, of.of, number)

        consenting.consent(session, CATALOGUE, DESK, of.of, number, "residence-permit", NOW)
        made = []
        for files in (1, 5):
            for _ in range(files):
                about = (str(uuid.uuid4()), of.of.subject, None, number, "premises", "a.pdf", 1, 0, (), "uploading")
                attachment_store.insert(session, FILES, Attachment(*about, *[None] * 3, "web", NOW, NOW))
            documents()
            with counting(cases_database) as statements:
                documents()
            made.append(len(statements))
        assert made[0] == made[1] <= 5
        copies = text(
            "INSERT INTO evidence (id, number, document, paper, source_kind, source, applicant, item, status, sequence,"
            " asks, consented_at, consented_until, asked_at, due_at, was_late)"
            " SELECT gen_random_uuid(), number, document || '-' || n, paper, source_kind, source, applicant, item,"
            " status, 1, 1, consented_at, consented_until, asked_at, due_at, false"
            " FROM evidence, generate_series(1, 5) AS n WHERE number = :number"
        )
        made = []
        for more in (False, True):
            if more:
                session.execute(copies, {"number": number})
            evidence()
            with counting(cases_database) as statements:
                evidence()
            made.append(len(statements))
        assert made[0] == made[1] <= 5
        session.rollback()


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


def test_own_ratings(rating_database):
    with rating_database.transaction() as session:
        numbers = [f"20890101{n:07}" for n in range(ROWS)]
        session.execute(
            text(
                "INSERT INTO ratings (number, item, department, region, kind, applicant, score, rated_at, sequence)"
                " SELECT n, 'x', 'x', '1', 'x', :me, 5, now(), 1 FROM unnest(CAST(:numbers AS text[])) AS n"
            ),
            {"me": ME, "numbers": numbers},
        )
        made, rows = cost(
            rating_database, lambda limit: rating_queries.list_own_ratings(session, CITIZEN, numbers[:limit])
        )
        session.rollback()
    assert made[0] == made[1] <= 2
    assert rows == [1, ROWS]


def test_mandates(driver):
    me, other = driver.register().subject, driver.register().subject

    def add(session):
        session.execute(
            text(
                "INSERT INTO mandates (id, kind, principal, agent, named, item, created_at, accepted_at, ends_at)"
                " SELECT gen_random_uuid(), 'authorisation', :me, :other, 'x', 'elderly-card', now(), now(),"
                " now() + interval '1 day' FROM generate_series(1, 5)"
            ),
            {"me": me, "other": other},
        )

    def read(session):
        return mandate_queries.list_mandates(session, Actor(me, "web", acr=3), driver.now)["given"]

    _grows(driver.database, add, read)


def test_sessions_and_apps(signed_in):
    def add(session):
        session.execute(
            text(
                "INSERT INTO browser_sessions SELECT (jsonb_populate_record(b, jsonb_build_object("
                "'secret_hash', 'x' || gen_random_uuid(), 'sid', gen_random_uuid()))).*"
                " FROM browser_sessions AS b, generate_series(1, 3) WHERE b.subject = :me"
            ),
            {"me": signed_in.account.subject},
        )

    def read(session):
        return own.list_sessions(session, signed_in.actor, signed_in.session or "", signed_in.now)["sessions"]

    _grows(signed_in.database, add, read, most=6)


def _grows(database, add, read, most=5):
    made, rows = [], []
    with database.transaction() as session:
        for _ in range(2):
            add(session)
            read(session)
            with counting(database) as statements:
                answer = read(session)
            made.append(len(statements))
            rows.append(len(answer))
        session.rollback()
    assert made[0] == made[1] <= most
    assert 0 < rows[0] < rows[1]


def test_lists_of_staff_and_auditors(driver):
    auditor = Actor(str(uuid.uuid4()), "web", roles=("auditor",))
    program = Actor("notify", "notify", scopes=("contacts",))
    for _ in range(3):
        driver.register(roles=("officer",), department=NAME)
    with driver.database.transaction() as session:
        session.execute(
            text(
                "INSERT INTO look_reports (id, entry, account, reason, reported_at, due_at)"
                " SELECT gen_random_uuid(), id, account, '', now(), now() FROM access_log LIMIT :rows"
            ),
            {"rows": ROWS},
        )
        read = {
            "list_staff": lambda limit: staff_queries.list_page(session, None, NAME, None, limit)["items"],
            "list_staff_of": lambda _: staff_queries.list_working(session, program, "officer", NAME),
            "list_look_reports": lambda limit: report_queries.list_reports(
                session, auditor, "open", None, limit, driver.now
            )["items"],
            "list_staff_changes": lambda limit: access_log_queries.list_staff_changes(
                session, auditor, None, limit, driver.now
            )["items"],
        }
        for name, each in read.items():
            made, _rows = cost(driver.database, each)
            assert made[0] == made[1] <= 5, name
        session.rollback()


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


COUNTED_HERE = {
    *OF_CASES,
    *GROWN,
    *("list_documents", "list_evidence", "list_inbox", "list_own_ratings", "list_mandates", "list_sessions"),
    *("list_staff", "list_staff_of", "list_look_reports", "list_staff_changes", "list_access_log"),
}
COUNTED_THERE = {"list_cases", "list_case_rows", "list_own_cases", "list_work", "list_subscriptions"}
"""In `test_cases_lists`, at a whole department's cases."""
IN_MEMORY = {"list_items", "list_halls_without"}


def test_no_list_is_forgotten():
    """Whoever adds an entrypoint `list_...` counts its queries, too."""
    services = (CasesService, IdentityService, NotifyService, RatingService)
    listed = {name for service in services for name in dir(service) if name.startswith("list_")}
    assert listed == COUNTED_HERE | COUNTED_THERE | IN_MEMORY
