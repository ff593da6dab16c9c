"""Progress without signing in: who is shown what, and that nobody guesses or locks out."""

import secrets
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from chassis import context, typed_codes
from contracts.actors import Actor
from contracts.errors import NotFound, NotPermitted, TooManyAttempts
from services.cases import commands
from services.cases.catalogue.files import shipped
from services.cases.progress import commands as progress_commands
from services.cases.progress import queries
from services.cases.progress.codes import PROGRESS_ADDRESS, PROGRESS_CASE, ProgressKeys
from tests.seals import RESULTS
from tests.statements import counting

CATALOGUE = shipped()
NOW = datetime(2100, 3, 2, 1, 30, tzinfo=UTC)
KEYS = ProgressKeys("A" * 43)
OFFICER = Actor(subject="dan", client="web", roles=("officer",), department="civil-affairs")
WRONG = "2222-2222-2222"


@contextmanager
def calling_from(address):
    token = context.address.set(address)
    yield
    context.address.reset(token)


@pytest.fixture(autouse=True)
def address():
    """Another network for each test."""
    with calling_from(f"2001:db8:{secrets.randbelow(65536):x}:{secrets.randbelow(65536):x}::1"):
        yield


class Progress:
    def __init__(self, database):
        self.database = database
        self.now = NOW
        self.citizen = Actor(subject=str(uuid.uuid4()), client="web")
        form = CATALOGUE.get("elderly-card").description["example"]
        filing = commands.prepare_filing(CATALOGUE, self.citizen, "elderly-card", form, None)
        with database.transaction() as session:
            self.case = commands.submit_case(session, CATALOGUE, filing, NOW)
        self.number = self.case["number"]

    def code(self, actor=None):
        with self.database.transaction() as session:
            return queries.code_for(session, KEYS, actor or self.citizen, self.case)

    def look(self, code, number=None, keys=KEYS):
        """As the entrypoint does: what was counted stays counted."""
        with self.database.transaction() as session:
            found = queries.look_up(session, CATALOGUE, keys, number or self.number, code, self.now)
        if isinstance(found, Exception):
            raise found
        return found

    def refused(self, code, number=None):
        with pytest.raises((NotFound, TooManyAttempts)) as refusal:
            self.look(code, number)
        return refusal.value

    def renew(self, actor=None):
        with self.database.transaction() as session:
            return progress_commands.renew_code(session, KEYS, actor or self.citizen, self.number)

    def withdraw(self, actor=None):
        with self.database.transaction() as session:
            progress_commands.withdraw_code(session, actor or self.citizen, self.number)

    def act(self, actor, action, **asked):
        asked = {"note": None, "form": None, "result_seal": RESULTS} | asked
        with self.database.transaction() as session:
            commands.act_on_case(session, CATALOGUE, actor, self.number, action, now=self.now, **asked)


@pytest.fixture
def progress(cases_database):
    return Progress(cases_database)


def test_number_and_code_show_states_and_days_and_nothing_of_the_person(progress):
    missing = [{"document": "id-photo"}, {"text": "the telephone of Mrs Zhang, 13800000000"}]
    known = [each["code"] for each in CATALOGUE.get("elderly-card").description["documents"]]
    missing[0]["document"] = known[0]
    progress.act(OFFICER, "claim")
    progress.act(OFFICER, "request_correction", note="Zhang San, call me", details={"missing": missing})
    shown = progress.look(progress.code())
    assert shown["status"] == "correction_requested"
    assert shown["awaited"] == "applicant"
    assert shown["answer_by"] is not None
    assert len(shown["missing"]) == 1, "what was put into words stays on the case's own page"
    assert [entry["event"] for entry in shown["history"]] == ["case.submitted", "case.correction-requested"]
    said = str(shown)
    for private in (progress.citizen.subject, "dan", "Zhang", "13800000000", "full_name", "officer"):
        assert private not in said


def test_the_code_may_be_typed_as_people_type(progress):
    code = progress.code()
    assert len(typed_codes.bare(code)) == typed_codes.LENGTH
    for typed in (code.upper(), code.replace("-", " "), f"  {typed_codes.bare(code)} "):
        assert progress.look(typed)["number"] == progress.number


def test_only_the_applicant_and_the_counter_are_told_the_code(progress):
    at_counter = Actor(subject=progress.citizen.subject, client="hall", channel="hall", act="carol")
    assert progress.code() == progress.code(at_counter) is not None
    for other in (
        OFFICER,
        Actor(subject="bob", client="web"),
        Actor(subject=progress.citizen.subject, client="web", act="agent"),
        Actor(subject=progress.citizen.subject, client="rp-test"),
    ):
        assert progress.code(other) is None
        for act, word in ((progress.renew, "renew_progress_code"), (progress.withdraw, "withdraw_progress_code")):
            with pytest.raises((NotFound, NotPermitted)) as refused:
                act(other)
            assert refused.type is NotFound or refused.value.args == (word,)


def test_a_wrong_number_a_wrong_code_and_a_withdrawn_one_are_one_refusal_after_the_same_work(progress, cases_database):
    code = progress.code()
    refusals, work = [], []
    with counting(cases_database) as statements:
        for number, typed in (("202603029999999999", code), ("x", code), (progress.number, WRONG), (None, None)):
            if number is None:
                progress.withdraw()
            statements.clear()
            refusals.append(progress.refused(typed or code, number))
            work.append(list(statements))
    assert {(type(each), each.args) for each in refusals} == {(NotFound, ("progress",))}
    assert all(each == work[0] for each in work)


def test_a_new_code_ends_the_one_before_and_a_withdrawn_one_never_comes_back(progress):
    first = progress.code()
    second = progress.renew()
    assert progress.refused(first).args == ("progress",)
    assert progress.look(second)
    progress.withdraw()
    assert progress.code() is None
    third = progress.renew()
    assert len({first, second, third}) == 3
    assert progress.look(third)


def test_a_code_under_the_former_key_is_good_as_long_as_that_is_set(progress):
    code = progress.code()
    assert progress.look(code, keys=ProgressKeys("B" * 43, "A" * 43))
    with pytest.raises(NotFound):
        progress.look(code, keys=ProgressKeys("B" * 43))


def test_guesses_for_one_case_from_everywhere_are_refused_and_its_applicant_is_let_in(progress):
    for guess in range(PROGRESS_CASE.burst):
        with calling_from(f"198.51.100.{guess}"):
            assert isinstance(progress.refused(WRONG), NotFound)
    with calling_from("198.51.100.200"):
        assert progress.refused(WRONG).args == (PROGRESS_CASE.seconds,)
    assert progress.look(progress.code())["number"] == progress.number
    progress.now += PROGRESS_CASE.refill
    assert isinstance(progress.refused(WRONG), NotFound)


def test_one_address_guesses_so_often_for_whatever_cases_and_right_ones_do_not_count(progress):
    code = progress.code()
    for _ in range(PROGRESS_ADDRESS.burst - 1):
        progress.refused(WRONG, number=str(secrets.randbelow(10**17)))
    for _ in range(3):
        progress.look(code)
    progress.refused(WRONG)
    assert progress.refused(code).args == (PROGRESS_ADDRESS.seconds,), "from there nothing is looked at any more"
    with calling_from("203.0.113.9"):
        assert progress.look(code)
    progress.now += timedelta(minutes=2)
    assert progress.look(code)


def test_nothing_that_can_be_read_is_kept_of_codes(progress, cases_database):
    code = progress.renew()
    progress.refused(WRONG)
    with cases_database.transaction() as session:
        kept = [*session.execute(text("SELECT * FROM progress_access")), *session.execute(text("TABLE rate_limits"))]
    assert kept
    assert typed_codes.bare(code) not in str(kept).replace("-", "")
    assert progress.number not in str([row for row in kept if len(row) == 3 and row[0].startswith("progress-")])
