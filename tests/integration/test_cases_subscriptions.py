"""Subscriptions and agreements over a real PostgreSQL: what is saved, what is asked of the relay, and what races do."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from chassis import subscriptions
from contracts.actors import Actor
from contracts.errors import (
    AgreementNeeded,
    InvalidInput,
    NotFound,
    NotPermitted,
    ReplayTooSoon,
    ReplayUnderWay,
    SubscriptionEnded,
    SubscriptionNameTaken,
    TooManyNewSubscriptions,
    TooManySubscriptions,
    TooManyWaiting,
)
from services.cases import paging
from services.cases.catalogue.files import shipped
from services.cases.subscriptions import commands, domain, queries
from services.cases.webhooks.commands import NewWebhook
from tests.processes import wait_until

CATALOGUE = shipped()
DEPARTMENT = Actor(subject="dept", client="dept", department="civil-affairs", scopes=("events",))
PENDING = text(
    "INSERT INTO webhook_deliveries (subscription, event_id, replay, type, subject, sequence, body, created_at)"
    " SELECT :subscription, n::text, '', 'case.submitted', 'a', n, '{}', now() FROM generate_series(1, 2) AS n"
)


@pytest.fixture
def now():
    return datetime.now(UTC)


@pytest.fixture
def organisation():
    """A new one each time, so that what it has is what the test made."""
    name = f"org-{uuid.uuid4().hex[:12]}"
    return Actor(subject=name, client=name, organisation=name, scopes=("events",))


@pytest.fixture
def name():
    return f"s-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def create(cases_database):
    def create_subscription(actor, name, parts=None, delivery="amqp", url=None, start="now"):
        at = datetime.now(UTC)
        request = commands.prepare(CATALOGUE, actor, name, parts or {}, delivery=delivery, url=url, start=start, now=at)
        with cases_database.transaction() as session:
            return commands.create_subscription(session, request, None, at)

    return create_subscription


@pytest.fixture
def do(cases_database):
    """A command or query of an actor in a transaction of its own."""

    def do_it(function, *arguments, **keywords):
        with cases_database.transaction() as session:
            return function(session, CATALOGUE, *arguments, **keywords)

    return do_it


@pytest.fixture
def agree(do, now):
    def add_agreement(actor, parts=None, reference="R 1", days=1):
        return do(commands.add_agreement, actor.organisation, reference, parts or {}, now + timedelta(days=days), now)

    return add_agreement


@pytest.fixture
def rows(cases_database):
    def read(statement, **values):
        with cases_database.transaction() as session:
            return session.execute(text(statement), values).all()

    return read


def remove_queue(cases_database, name):
    """As the relay does with the queue of one that has ended."""
    with cases_database.transaction() as session:
        session.execute(text("UPDATE subscriptions SET removed_at = now() WHERE name = :name"), {"name": name})


def finish_replays(cases_database, name):
    with cases_database.transaction() as session:
        session.execute(
            text("UPDATE replays SET finished_at = now() WHERE queue LIKE :queue"), {"queue": f"dept.%.{name}"}
        )


def test_a_new_subscription_is_a_row_and_a_request_to_the_relay(create, rows, name):
    made = create(DEPARTMENT, name, {"types": ["case.submitted", "case.closed"]}, start="beginning")
    queue = f"dept.civil-affairs.{name}"
    expected = {
        "name": name,
        "owner": "civil-affairs",
        "queue": queue,
        "delivery": "amqp",
        "start": "beginning",
        "status": "starting",
        "ends_at": None,
        "ended_at": None,
        "end_reason": None,
        "waiting": None,
    }
    assert made.items() >= expected.items()
    everything = {"regions": ["*"], "kinds": ["*"], "items": ["*"]}
    assert made["filter"] == everything | {
        "types": ["case.closed", "case.submitted"],
        "departments": ["civil-affairs"],
    }
    assert made["replay"]["kind"] == "start"
    replays = rows("SELECT id::text, position, until, is_repeat FROM replays WHERE queue = :queue", queue=queue)
    assert replays == [(made["replay"]["id"], 0, None, False)]
    ((patterns,),) = rows("SELECT patterns FROM subscriptions WHERE name = :name", name=name)
    assert patterns == ["case.closed.civil-affairs.*.*.*", "case.submitted.civil-affairs.*.*.*"]


def test_the_relay_reads_it_as_a_queue(create, cases_database, name):
    create(DEPARTMENT, name)
    with cases_database.transaction() as session:
        (queue,) = (queue for queue in subscriptions.queues(session) if queue.name == f"dept.civil-affairs.{name}")
    assert queue.patterns == ("case.*.civil-affairs.*.*.*", "evidence.*.civil-affairs.*.*.*")


@pytest.fixture
def happen(cases_database):
    """An event that the broker has confirmed; its time and position."""

    def insert(subject, sequence):
        with cases_database.transaction() as session:
            return session.execute(
                text(
                    "INSERT INTO outbox (event_id, subject, sequence, routing_key, body, position)"
                    " SELECT gen_random_uuid(), :subject, :sequence, 'case.submitted.a.b.c.d', '{}',"
                    " coalesce(max(position), 0) + 1 FROM outbox RETURNING created_at, position"
                ),
                {"subject": subject, "sequence": sequence},
            ).one()

    return insert


def test_it_starts_where_it_was_asked_to(create, rows, happen, name):
    first, second, third = (happen(name, sequence) for sequence in (1, 2, 3))
    for start, position in (("now", third.position), (second.created_at.isoformat(), first.position)):
        made = create(DEPARTMENT, f"{name}-{position}", start=start)
        assert rows("SELECT position FROM replays WHERE queue = :queue", queue=made["queue"]) == [(position,)]


def test_the_same_request_again_is_the_same_subscription(create, rows, name):
    made = create(DEPARTMENT, name, {"items": ["elderly-card", "residence-permit"]}, start="2026-01-01T08:00:00+08:00")
    again = create(DEPARTMENT, name, {"items": ["residence-permit", "elderly-card"]}, start="2026-01-01T00:00:00Z")
    assert again == made
    assert len(rows("SELECT FROM replays WHERE queue = :queue", queue=made["queue"])) == 1


@pytest.mark.parametrize("change", [{"start": "beginning"}, {"parts": {"items": ["elderly-card"]}}], ids=str)
def test_another_request_of_a_name_that_is_taken(create, rows, name, change):
    create(DEPARTMENT, name)
    with pytest.raises(SubscriptionNameTaken) as refusal:
        create(DEPARTMENT, name, **change)
    assert refusal.value.args == (name,)
    assert len(rows("SELECT FROM subscriptions WHERE name = :name", name=name)) == 1


def test_names_are_each_owners_own(create, agree, organisation, name):
    agree(organisation)
    assert create(DEPARTMENT, name)["id"] != create(organisation, name)["id"]


def test_a_race_for_one_name_makes_one_subscription(create, rows, name):
    start = threading.Barrier(6)

    def race(item):
        start.wait()
        try:
            return create(DEPARTMENT, name, {"items": [item]})["filter"]["items"][0]
        except SubscriptionNameTaken:
            return None

    with ThreadPoolExecutor(6) as pool:
        made = set(pool.map(race, ["elderly-card", "residence-permit"] * 3)) - {None}
    assert len(made) == 1
    assert len(rows("SELECT FROM replays WHERE queue LIKE :queue", queue=f"%.{name}")) == 1


def test_an_owner_has_only_so_many(create, agree, organisation, rows, monkeypatch):
    monkeypatch.setattr(domain, "MOST_SUBSCRIPTIONS", 2)
    agree(organisation)
    create(organisation, "one"), create(organisation, "two")
    with pytest.raises(TooManySubscriptions) as refusal:
        create(organisation, "three")
    assert refusal.value.args == (2,)
    assert create(organisation, "two")["name"] == "two"
    assert len(rows("SELECT FROM subscriptions WHERE owner = :owner", owner=organisation.organisation)) == 2


def test_an_ended_one_is_gone_and_its_name_is_free_once_its_queue_is(create, do, cases_database, name):
    made = create(DEPARTMENT, name)
    do(commands.end_subscription, DEPARTMENT, name)
    for question in (queries.get_subscription, queries.list_replays):
        with pytest.raises(NotFound):
            do(question, DEPARTMENT, name, *([None, None] if question is queries.list_replays else []))
    with pytest.raises(NotFound):
        do(commands.end_subscription, DEPARTMENT, name)
    with pytest.raises(SubscriptionNameTaken):
        create(DEPARTMENT, name)
    remove_queue(cases_database, name)
    again = create(DEPARTMENT, name)
    assert again["id"] != made["id"]
    replays = do(queries.list_replays, DEPARTMENT, name, None, None)["items"]
    assert [replay["id"] for replay in replays] == [again["replay"]["id"]]


def test_what_has_started_is_active_and_shows_what_waits(create, do, cases_database, name):
    made = create(DEPARTMENT, name)
    finish_replays(cases_database, name)
    with cases_database.transaction() as session:
        session.execute(
            text("INSERT INTO queue_positions (queue, position, waiting, looked_at) VALUES (:queue, 0, 7, now())"),
            {"queue": made["queue"]},
        )
    seen = do(queries.get_subscription, DEPARTMENT, name)
    assert (seen["status"], seen["replay"], seen["waiting"]) == ("active", None, 7)


def test_a_range_again(create, do, cases_database, rows, name, monkeypatch):
    monkeypatch.setattr(domain, "REPLAY_PAUSE", timedelta(0))
    made = create(DEPARTMENT, name)
    replay = do(commands.replay_subscription, DEPARTMENT, name, "beginning", None, datetime.now(UTC))
    assert (replay["kind"], replay["finished_at"]) == ("repeat", None)
    ((position, until, is_repeat),) = rows(
        "SELECT position, until, is_repeat FROM replays WHERE id = :id", id=replay["id"]
    )
    assert (position, is_repeat) == (0, True)
    assert until is not None
    assert do(queries.get_subscription, DEPARTMENT, name)["status"] == "starting"
    with pytest.raises(ReplayUnderWay):
        do(commands.replay_subscription, DEPARTMENT, name, "beginning", None, datetime.now(UTC))
    finish_replays(cases_database, name)
    assert do(queries.get_subscription, DEPARTMENT, name)["status"] == "active"
    times = ("2020-01-01T00:00:00Z", "2020-01-01T00:00:01Z")
    last = do(commands.replay_subscription, DEPARTMENT, name, *times, datetime.now(UTC))
    assert do(queries.get_subscription, DEPARTMENT, name)["status"] == "active"
    page = do(queries.list_replays, DEPARTMENT, name, None, 2)
    assert [each["id"] for each in page["items"]] == [last["id"], replay["id"]]
    rest = do(queries.list_replays, DEPARTMENT, name, page["next"], 2)
    assert ([each["id"] for each in rest["items"]], rest["next"]) == ([made["replay"]["id"]], None)


def test_a_subscription_is_sent_one_range_a_minute(create, do, cases_database, rows, name):
    made = create(DEPARTMENT, name)
    now = datetime.now(UTC)
    do(commands.replay_subscription, DEPARTMENT, name, "beginning", None, now)
    finish_replays(cases_database, name)
    with pytest.raises(ReplayTooSoon) as refusal:
        do(commands.replay_subscription, DEPARTMENT, name, "beginning", None, now + timedelta(seconds=50))
    assert refusal.value.args == (60,)
    do(commands.replay_subscription, DEPARTMENT, name, "beginning", None, now + timedelta(seconds=61))
    assert len(rows("SELECT FROM replays WHERE queue = :queue AND is_repeat", queue=made["queue"])) == 2


def wait_in_queue(session, made, count):
    session.execute(
        text("INSERT INTO queue_positions (queue, position, waiting, looked_at) VALUES (:queue, 0, :count, now())"),
        {"queue": made["queue"] or f"dept.{made['owner']}.{made['name']}", "count": count},
    )


@pytest.mark.parametrize("delivery", ["amqp", "webhook"])
def test_nobody_who_does_not_read_is_sent_a_range(cases_database, do, rows, name, monkeypatch, delivery):
    monkeypatch.setattr(domain, "MOST_WAITING", 3)
    now, url = datetime.now(UTC), "https://hook.example/" if delivery == "webhook" else None
    request = commands.prepare(CATALOGUE, DEPARTMENT, name, {}, delivery=delivery, url=url, start="now", now=now)
    webhook = NewWebhook(url, "secret", b"sealed") if url else None
    with cases_database.transaction() as session:
        made = commands.create_subscription(session, request, webhook, now)
        wait_in_queue(session, made, 2 if url else 4)
        if url:
            session.execute(PENDING, {"subscription": made["id"]})
    with pytest.raises(TooManyWaiting) as refusal:
        do(commands.replay_subscription, DEPARTMENT, name, "beginning", None, now)
    assert refusal.value.args == (3,)
    monkeypatch.setattr(domain, "MOST_WAITING", 4)
    assert do(commands.replay_subscription, DEPARTMENT, name, "beginning", None, now)["kind"] == "repeat"


def test_an_owner_makes_only_so_many_in_a_day(create, do, agree, organisation, cases_database, monkeypatch):
    monkeypatch.setattr(domain, "MOST_NEW_SUBSCRIPTIONS", 2)
    agree(organisation)
    for name in ("one", "two"):
        create(organisation, name)
        do(commands.end_subscription, organisation, name)
    with pytest.raises(TooManyNewSubscriptions) as refusal:
        create(organisation, "three")
    assert refusal.value.args == (2,)
    with cases_database.transaction() as session:
        session.execute(
            text("UPDATE subscriptions SET created_at = now() - interval '25 hours' WHERE owner = :owner"),
            {"owner": organisation.organisation},
        )
    assert create(organisation, "three")["name"] == "three"


def test_what_was_removed_long_ago_is_forgotten(create, do, cases_database, rows):
    names = {days: f"s-{uuid.uuid4().hex[:12]}" for days in (0, 89, 91)}
    for days, name in names.items():
        create(DEPARTMENT, name)
        if days:
            do(commands.end_subscription, DEPARTMENT, name)
            remove_queue(cases_database, name)
    now = datetime.now(UTC)
    with cases_database.transaction() as session:
        session.execute(
            text("UPDATE subscriptions SET removed_at = now() - interval '91 days' WHERE name = :name"),
            {"name": names[91]},
        )
        assert commands.prune_subscriptions(session, now) == 1
    left = rows("SELECT name FROM subscriptions WHERE name = ANY (:names)", names=list(names.values()))
    assert {row.name for row in left} == {names[0], names[89]}


def test_a_range_that_is_asked_for_while_it_ends_is_refused(create, do, cases_database, rows, name):
    """The relay closes what is open when it removes the queue; nothing may come after."""
    made = create(DEPARTMENT, name)
    waits = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with ThreadPoolExecutor(1) as pool:
        with cases_database.transaction() as session:
            commands.end_subscription(session, CATALOGUE, DEPARTMENT, name)
            asked = pool.submit(
                do, commands.replay_subscription, DEPARTMENT, name, "beginning", None, datetime.now(UTC)
            )
            wait_until("the request waits for the end", lambda: rows(waits))
        with pytest.raises(SubscriptionEnded):
            asked.result()
    assert rows("SELECT FROM replays WHERE queue = :queue AND is_repeat", queue=made["queue"]) == []


@pytest.mark.parametrize("question", ["get", "end", "replay", "replays"])
def test_anothers_subscription_is_not_there(create, do, organisation, name, question):
    create(DEPARTMENT, name)
    ask = {
        "get": lambda actor: do(queries.get_subscription, actor, name),
        "end": lambda actor: do(commands.end_subscription, actor, name),
        "replay": lambda actor: do(commands.replay_subscription, actor, name, "beginning", None, datetime.now(UTC)),
        "replays": lambda actor: do(queries.list_replays, actor, name, None, None),
    }[question]
    other = Actor(subject="other", client="other", department="market-regulation", scopes=("events",))
    for actor in (other, organisation):
        with pytest.raises(NotFound):
            ask(actor)
    for actor in (Actor(subject="", client=""), Actor(subject="citizen", client="web", scopes=("cases",))):
        with pytest.raises(NotPermitted):
            ask(actor)
    assert do(queries.get_subscription, DEPARTMENT, name)["status"] == "starting"


def test_the_officer_sees_what_the_program_made(create, do, name):
    made = create(DEPARTMENT, name)
    officer = Actor(subject="dan", client="web", roles=("officer",), department="civil-affairs", scopes=("cases",))
    assert do(queries.get_subscription, officer, name) == made


def test_a_list_by_name_in_pages(create, do, agree, organisation):
    agree(organisation)
    for name in ("b", "a", "c"):
        create(organisation, name)
    first = do(queries.list_subscriptions, organisation, None, 2)
    assert [each["name"] for each in first["items"]] == ["a", "b"]
    assert first["items"][0] == do(queries.get_subscription, organisation, "a")
    second = do(queries.list_subscriptions, organisation, first["next"], 2)
    assert ([each["name"] for each in second["items"]], second["next"]) == (["c"], None)


@pytest.mark.parametrize("cursor", ["x", "%", paging.encode("A B")])
def test_a_cursor_that_is_not_ours(create, do, name, cursor):
    create(DEPARTMENT, name)
    for question, more in ((queries.list_subscriptions, ()), (queries.list_replays, (name,))):
        with pytest.raises(InvalidInput) as refusal:
            do(question, DEPARTMENT, *more, cursor, None)
        assert refusal.value.faults[0]["pointer"] == "/cursor"


def test_a_cursor_with_an_offset_that_only_python_knows(create, do, name):
    """PostgreSQL refuses offsets of 16 hours and more."""
    create(DEPARTMENT, name)
    cursor = paging.encode("2026-01-01T00:00:00+23:59")
    assert do(queries.list_replays, DEPARTMENT, name, cursor, None)["items"] == []
    with pytest.raises(InvalidInput):
        do(queries.list_replays, DEPARTMENT, name, paging.encode("0001-01-01T00:00:00+23:59"), None)


@pytest.mark.parametrize(
    ("departments", "missing"),
    [(["market-regulation"], ["market-regulation"]), (["*"], ["*"]), (["civil-affairs", "market-regulation"], None)],
)
def test_anothers_events_need_an_agreement_and_without_one_nothing_is_made(create, rows, name, departments, missing):
    with pytest.raises(AgreementNeeded) as refusal:
        create(DEPARTMENT, name, {"departments": departments})
    assert refusal.value.args == (missing or ["market-regulation"],)
    assert rows("SELECT FROM subscriptions WHERE name = :name", name=name) == []
    assert rows("SELECT FROM replays WHERE queue LIKE :queue", queue=f"%.{name}") == []


def test_a_department_hears_anothers_events_beside_its_own_under_an_agreement(create, do, now, name):
    terms = {"departments": ["market-regulation"], "items": ["sole-trader"]}
    agreed = do(commands.add_agreement, "civil-affairs", name, terms, now + timedelta(days=1), now)
    both = {"departments": ["civil-affairs", "market-regulation"], "items": ["sole-trader"]}
    assert create(DEPARTMENT, name, both)["ends_at"] == agreed["ends_at"]
    with pytest.raises(AgreementNeeded):
        create(DEPARTMENT, f"{name}-more", both | {"items": ["sole-trader", "medical-reimbursement"]})


def test_an_organisation_hears_what_its_agreement_allows_until_it_ends(create, agree, organisation):
    with pytest.raises(AgreementNeeded):
        create(organisation, "births", {"items": ["birth-registration"]})
    agreed = agree(organisation, {"items": ["birth-registration"], "types": ["case.closed"]})
    for too_much in ({}, {"items": ["birth-registration"]}, {"types": ["case.closed"]}):
        with pytest.raises(AgreementNeeded):
            create(organisation, "births", too_much)
    made = create(organisation, "births", {"items": ["birth-registration"], "types": ["case.closed"]})
    assert (made["owner"], made["ends_at"]) == (organisation.organisation, agreed["ends_at"])


def test_an_agreement_that_ends_ends_its_subscriptions_and_no_other(create, agree, do, cases_database, organisation):
    agree(organisation, {"items": ["elderly-card"]}, "R 1")
    agree(organisation, {"items": ["sole-trader"]}, "R 2")
    create(organisation, "one", {"items": ["elderly-card"]})
    create(organisation, "two", {"items": ["sole-trader"]})
    with cases_database.transaction() as session:
        assert commands.end_agreement(session, organisation.organisation, "R 1") == 1
    seen = {each["name"]: each for each in do(queries.list_subscriptions, organisation, None, None)["items"]}
    assert (seen["one"]["status"], seen["one"]["end_reason"]) == ("ended", "agreement")
    assert seen["two"]["status"] == "starting"
    remove_queue(cases_database, "one")
    assert do(queries.get_subscription, organisation, "one")["status"] == "ended"
    with pytest.raises(SubscriptionEnded):
        do(commands.replay_subscription, organisation, "one", "beginning", None, datetime.now(UTC))
    with pytest.raises(AgreementNeeded):
        create(organisation, "one", {"items": ["elderly-card"]})
    with cases_database.transaction() as session, pytest.raises(NotFound):
        commands.end_agreement(session, organisation.organisation, "R 1")
    do(commands.end_subscription, organisation, "one")
    with pytest.raises(NotFound):
        do(queries.get_subscription, organisation, "one")


def test_an_agreement_runs_out_once_however_many_replicas_look(create, agree, do, cases_database, organisation, rows):
    agree(organisation)
    create(organisation, "one")
    with cases_database.transaction() as session:
        assert commands.end_expired_subscriptions(session) == 0
        session.execute(
            text("UPDATE subscriptions SET ends_at = now() WHERE owner = :owner"), {"owner": organisation.organisation}
        )
    start = threading.Barrier(4)

    def look(_):
        start.wait()
        with cases_database.transaction() as session:
            return commands.end_expired_subscriptions(session)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(look, range(4))) == [0, 0, 0, 1]
    assert do(queries.get_subscription, organisation, "one")["end_reason"] == "agreement"


def test_no_subscription_slips_in_while_its_agreement_ends(create, agree, cases_database, organisation, rows):
    agree(organisation)
    start = threading.Barrier(2)

    def subscribe():
        start.wait()
        try:
            create(organisation, "one")
        except AgreementNeeded:
            return

    def end():
        start.wait()
        with cases_database.transaction() as session:
            commands.end_agreement(session, organisation.organisation, "R 1")

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(subscribe), pool.submit(end)]:
            done.result()
    standing = "SELECT FROM subscriptions WHERE owner = :owner AND ended_at IS NULL"
    assert rows(standing, owner=organisation.organisation) == []


def test_a_reference_is_used_once(agree, organisation):
    agree(organisation)
    with pytest.raises(domain.ReferenceTaken):
        agree(organisation)
