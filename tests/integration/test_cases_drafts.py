"""Drafts over a real PostgreSQL: kept as typed and sealed, gone on with elsewhere, filed once, and at last deleted."""

import copy
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from chassis import schedule
from chassis.sealing import Seal
from contracts.actors import Actor, Mandate
from contracts.envelope import Envelope
from contracts.errors import (
    DraftChanged,
    IdempotencyKeyReused,
    InvalidInput,
    ItemVersionOutdated,
    NotFound,
    NotPermitted,
    TooManyDrafts,
)
from services.cases import commands
from services.cases.catalogue import publishing
from services.cases.catalogue.files import shipped
from services.cases.catalogue.model import Catalogue, ServiceItem
from services.cases.drafts import commands as drafts
from services.cases.drafts import handover, queries, store
from services.cases.drafts.domain import KEPT, MOST_DRAFTS, REMINDED_BEFORE

CATALOGUE = shipped()
ITEM = "elderly-card"
EXAMPLE = CATALOGUE.get(ITEM).description["example"]
OLD = CATALOGUE.get(ITEM).version
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SEAL = Seal("A" * 43, store.PURPOSE)


class Desk:
    """One person and what they do with drafts."""

    def __init__(self, database, actor=None):
        self.database = database
        self.actor = actor or Actor(subject=str(uuid.uuid4()), client="web")
        self.catalogue = CATALOGUE
        self.now = NOW

    def through(self, channel, **changes):
        other = Desk(self.database, replace(self.actor, client=channel, channel=channel, **changes))
        other.now = self.now
        return other

    def _do(self, function, *arguments):
        with self.database.transaction() as session:
            return function(session, *arguments)

    def save(self, draft, base=0, item=ITEM, is_strict=False, **changes):
        with self.database.transaction() as session:
            return drafts.save_draft(
                session, self.catalogue, SEAL, self.actor, draft, item, changes, base, self.now, is_strict=is_strict
            )

    def begin(self, item=ITEM, **changes):
        return self.save(str(uuid.uuid4()), 0, item, **changes)["id"]

    def get(self, draft):
        return self._do(queries.get_draft, self.catalogue, SEAL, self.actor, draft)["draft"]

    def list(self, item=None):
        return [
            each["id"] for each in self._do(queries.list_drafts, self.catalogue, self.actor, item, self.now)["items"]
        ]

    def renew(self, draft):
        return self._do(drafts.renew_draft, self.catalogue, SEAL, self.actor, draft, self.now)

    def delete(self, draft):
        return self._do(drafts.delete_draft, SEAL, self.actor, draft)

    def file(self, draft):
        return self._do(commands.submit_draft, self.catalogue, SEAL, self.actor, draft, self.now)

    def file_form(self, draft, form, version=None):
        filing = commands.prepare_filing(self.catalogue, self.actor, ITEM, form, draft, version)
        return self._do(commands.submit_case, self.catalogue, filing, self.now)

    def offer(self, draft):
        return self._do(handover.offer, SEAL, self.actor, draft, self.now)["token"]

    def look(self, token):
        return self._do(handover.look, self.actor, token, self.now)

    def take(self, token):
        return self._do(handover.take, SEAL, self.actor, token, self.now)["draft"]


@pytest.fixture
def alice(cases_database):
    return Desk(cases_database)


@pytest.fixture
def strangers(cases_database, alice):
    """Who must not know of Alice's drafts."""
    bob = Actor(subject=str(uuid.uuid4()), client="web")
    about_other = replace(alice.actor, act=bob.subject, mandate=Mandate(item="sole-trader"))
    about_case = replace(alice.actor, act=bob.subject, mandate=Mandate(case="202603020000018"))
    staff = replace(bob, roles=("officer", "clerk"), department="civil-affairs")
    return [Desk(cases_database, actor) for actor in (bob, about_other, about_case, staff)]


def test_a_draft_is_saved_as_typed_and_gone_on_with_on_another_channel(alice):
    draft = alice.begin(full_name="李", id_number="not yet")
    on_app = alice.through("app")
    saved = on_app.save(draft, 1, None, telephone="0826-")
    assert saved["form"] == {"full_name": "李", "id_number": "not yet", "telephone": "0826-"}
    assert (alice.get(draft)["channel"], alice.get(draft)["revision"]) == ("app", 2)
    assert alice.list() == [draft]
    assert alice.list("sole-trader") == []


def test_what_was_typed_cannot_be_read_in_the_database(alice, cases_database):
    draft = alice.begin(full_name="李桂芳")
    with cases_database.transaction() as session:
        content = session.execute(text("SELECT content FROM drafts WHERE id = :id"), {"id": draft}).scalar_one()
    assert "李桂芳".encode() not in bytes(content)
    assert b"full_name" not in bytes(content)


def test_nothing_of_it_is_there_for_strangers(alice, strangers):
    draft = alice.begin(full_name="李")
    for stranger in strangers:
        assert stranger.list() == []
        for act in (
            lambda who: who.get(draft),
            lambda who: who.save(draft, 1, None, full_name="x"),
            lambda who: who.renew(draft),
            lambda who: who.delete(draft),
            lambda who: who.file(draft),
            lambda who: who.offer(draft),
        ):
            with pytest.raises(NotFound):
                act(stranger)
    with pytest.raises(NotFound):
        strangers[0].save(draft, 0, full_name="x")
    assert alice.get(draft)["form"] == {"full_name": "李"}


def test_a_program_has_no_drafts(cases_database):
    program = Desk(cases_database, Actor(subject="dept", client="dept", department="civil-affairs", scopes=("cases",)))
    with pytest.raises(NotPermitted):
        program.begin()


def test_who_acts_for_the_person_is_seen(alice, cases_database):
    draft = alice.begin(full_name="李")
    alice.get(draft)
    clerk = alice.through("hall", act="clerk-1")
    agent = alice.through("web", act="bob", mandate=Mandate(item=ITEM))
    for who in (clerk, clerk, agent):
        assert who.get(draft)["form"] == {"full_name": "李"}
    assert alice.through("web", act="eve", mandate=Mandate(item=ITEM)).renew(draft)["form"] == {"full_name": "李"}
    with cases_database.transaction() as session:
        rows = session.execute(text("SELECT body FROM outbox WHERE body LIKE :it"), {"it": f"%{alice.actor.subject}%"})
        looks = [Envelope.from_json(body).data for (body,) in rows if '"data.viewed"' in body]
    assert {(look.viewer, look.role, look.what, look.number) for look in looks} == {
        ("clerk-1", "clerk", "draft", "-"),
        ("bob", "agent", "draft", "-"),
        ("eve", "agent", "draft", "-"),
    }
    assert len(looks) == 3


def test_a_change_on_the_etag_is_all_or_nothing(alice):
    draft = alice.begin(full_name="李")
    alice.through("app").save(draft, 1, None, telephone="1")
    with pytest.raises(DraftChanged) as refused:
        alice.save(draft, 1, None, is_strict=True, address="North Street")
    assert refused.value.args == (draft, 2)
    assert alice.save(draft, 2, None, is_strict=True, address="North Street")["revision"] == 3


def test_two_at_once_lose_nothing(alice):
    draft = alice.begin(full_name="李")
    fields = ["telephone", "address", "postal_code", "emergency_contact"]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: alice.save(draft, 1, None, **{name: name}), fields))
    assert alice.get(draft)["form"] == {"full_name": "李", **{name: name for name in fields}}


def test_limits(alice):
    kept = [alice.begin() for _ in range(MOST_DRAFTS)]
    with pytest.raises(TooManyDrafts):
        alice.begin()
    alice.delete(kept[0])
    draft = alice.begin()
    for wrong in ({"odd": "x"}, {"full_name": "x" * 70_000}, {"full_name": "\0"}, {"full_name": [[[[[[[[["x"]]]]]]]]]}):
        with pytest.raises(InvalidInput):
            alice.save(draft, 0, None, **wrong)
    assert alice.get(draft)["form"] == {}
    for unknown in ("no-uuid", str(uuid.uuid4())):
        with pytest.raises(NotFound):
            alice.get(unknown)


def test_filing_turns_it_into_the_case_once(alice):
    draft = alice.begin(**EXAMPLE)
    # where the papers are on the table: no file is needed
    counter = alice.through("hall", act="clerk-1")
    with ThreadPoolExecutor(3) as pool:
        numbers = {case["number"] for case in pool.map(lambda _: counter.file(draft), range(3))}
    assert len(numbers) == 1
    assert alice.list() == []
    assert alice.file_form(draft, EXAMPLE)["number"] in numbers
    with pytest.raises(IdempotencyKeyReused):
        alice.file_form(draft, EXAMPLE | {"full_name": "李明"})
    with pytest.raises(NotFound):
        alice.save(draft, 0, full_name="what comes in late")
    assert alice.list() == []


def test_a_draft_that_is_not_right_stays_one(alice):
    draft = alice.begin(full_name="李")
    with pytest.raises(InvalidInput):
        alice.file(draft)
    assert alice.list() == [draft]


def newer_catalogue(cases_database):
    """The item with one field less, one more choice, and a higher version."""
    changed = copy.deepcopy(CATALOGUE.get(ITEM).description)
    changed["version"] += 1
    form = changed["form"]
    del form["properties"]["telephone"]
    form["required"].remove("telephone")
    form["properties"]["delivery"] = {**form["properties"]["delivery"], "enum": ["hall"]}
    return Catalogue([*(each for each in CATALOGUE.all() if each.code != ITEM), ServiceItem(changed)], 99)


def test_a_form_of_an_older_version_is_not_filed_but_carried_over(alice, cases_database):
    with cases_database.transaction() as session:
        publishing.seed(session, [each.description for each in CATALOGUE.all()], NOW)
    draft = alice.begin(**EXAMPLE)
    alice.catalogue = newer_catalogue(cases_database)
    shown = alice.get(draft)
    assert (shown["is_outdated"], shown["item_version"], shown["newer"]["version"]) == (True, OLD, OLD + 1)
    assert set(shown["newer"]["left_over"]) == {"telephone", "delivery"}
    for file in (alice.file, lambda each: alice.file_form(each, EXAMPLE, OLD)):
        with pytest.raises(ItemVersionOutdated) as refused:
            file(draft)
        assert refused.value.args == (ITEM, OLD + 1)
    assert alice.get(draft)["form"] == EXAMPLE
    renewed = alice.renew(draft)
    assert renewed["left_over"] == {"telephone": EXAMPLE["telephone"], "delivery": "post"}
    assert (renewed["newer"], renewed["item_version"]) == (None, OLD + 1)
    assert alice.renew(draft)["revision"] == renewed["revision"]


@pytest.fixture
def run_due(cases_database):
    def run(now):
        handler = lambda session, due: drafts.look_after(session, SEAL, due, now)  # noqa: E731
        schedule.run_due(cases_database, "cases", drafts.LOOK_AFTER, handler, now)

    return run


def told(database, person):
    with database.transaction() as session:
        rows = session.execute(
            text("SELECT body FROM outbox WHERE body LIKE :it ORDER BY id"), {"it": f"%{person.actor.subject}%"}
        )
        return [Envelope.from_json(body).type for (body,) in rows]


def test_it_is_reminded_of_once_and_then_deleted(alice, run_due, cases_database):
    kept, given_up = alice.begin(full_name="李"), alice.begin(full_name="张")
    alice.now = NOW + timedelta(days=10)
    alice.save(kept, 1, None, telephone="1")
    reminder = NOW + KEPT - REMINDED_BEFORE
    run_due(reminder - timedelta(seconds=1))
    assert told(cases_database, alice) == []
    for seconds in (0, 1, 60):
        run_due(reminder + timedelta(seconds=seconds))
    assert told(cases_database, alice) == ["draft.expiring"]
    run_due(NOW + KEPT)
    run_due(NOW + KEPT + timedelta(seconds=1))
    assert told(cases_database, alice) == ["draft.expiring", "draft.expired"]
    assert alice.list() == [kept]
    with pytest.raises(NotFound):
        alice.get(given_up)


def test_a_qr_code_leads_the_same_person_there_once(alice, strangers):
    draft = alice.begin(full_name="李")
    first, token = alice.offer(draft), alice.offer(draft)
    for stranger in strangers:
        for use in (stranger.look, stranger.take):
            with pytest.raises(NotFound):
                use(token)
    phone = alice.through("app")
    assert phone.look(token) == {"item": ITEM}
    assert phone.take(token) == draft
    for used in (first, token, "", "x" * 10_000):
        with pytest.raises(NotFound):
            phone.take(used)


def test_a_qr_code_is_good_for_ten_minutes(alice):
    token = alice.offer(alice.begin())
    alice.now += handover.GOOD_FOR
    with pytest.raises(NotFound):
        alice.take(token)
