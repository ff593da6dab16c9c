"""`onehall agreement` and `onehall subscription` over a real database."""

import json
import sys
import uuid
from datetime import UTC, datetime

import pytest

from cli.__main__ import main
from contracts.actors import Actor
from services.cases.catalogue.files import shipped
from services.cases.subscriptions import commands

CATALOGUE = shipped()


@pytest.fixture
def run(cases_database, monkeypatch, capsys):
    """Runs `onehall` and gives its exit code, output and errors."""
    monkeypatch.setenv("ONEHALL_ENVIRONMENT", "local")
    monkeypatch.setenv("ONEHALL_CASES_DATABASE_URL", cases_database.url)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["onehall", *arguments])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


@pytest.fixture
def hospital():
    return f"hospital-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def subscribe(cases_database, hospital):
    def create(name):
        actor = Actor(subject="program", client="program", organisation=hospital, scopes=("events",))
        parts = {"items": ["birth-registration"]}
        now = datetime.now(UTC)
        request = commands.prepare(CATALOGUE, actor, name, parts, delivery="amqp", url=None, start="now", now=now)
        with cases_database.transaction() as session:
            commands.create_subscription(session, request, None, now)

    return create


def lines(out, **wanted):
    return [row for row in map(json.loads, out.splitlines()) if row.items() >= wanted.items()]


def test_an_agreement_from_beginning_to_end(run, hospital, subscribe):
    terms = ("--reference", "R 2026/1", "--until", "2099-01-01", "--item", "birth-registration")
    code, out, _ = run("agreement", "add", hospital, *terms)
    assert code == 0
    made = json.loads(out)
    assert (made["grantee"], made["reference"], made["ends_at"]) == (hospital, "R 2026/1", "2099-01-02T00:00:00Z")
    assert made["filter"]["items"] == ["birth-registration"]
    assert made["filter"]["departments"] == ["*"]
    subscribe("births")
    (listed,) = lines(run("subscription", "list")[1], owner=hospital)
    assert (listed["name"], listed["ends_at"]) == ("births", "2099-01-02T00:00:00Z")

    assert run("agreement", "end", hospital, "--reference", "R 2026/1") == (0, "ended, with 1 subscriptions\n", "")
    (listed,) = lines(run("subscription", "list")[1], owner=hospital)
    assert (listed["status"], listed["end_reason"]) == ("ended", "agreement")
    (agreement,) = lines(run("agreement", "list")[1], grantee=hospital)
    assert agreement["ended_at"] is not None


def test_an_agreement_goes_on_with_its_subscriptions(run, hospital, subscribe):
    named = (hospital, "--reference", "R")
    run("agreement", "add", *named, "--until", "2098-01-01", "--item", "*")
    subscribe("births")
    assert json.loads(run("agreement", "extend", *named, "--until", "2099-01-01")[1])["ends_at"].startswith("2099")
    (listed,) = lines(run("subscription", "list")[1], owner=hospital)
    assert (listed["status"], listed["ends_at"]) == ("starting", "2099-01-02T00:00:00Z")
    assert run("agreement", "extend", *named, "--until", "2020-01-01")[0] == 2
    run("agreement", "end", *named)
    assert "no such agreement" in run("agreement", "extend", *named, "--until", "2099-01-01")[2]


def test_an_agreement_ends_at_a_time(run, hospital):
    _, out, _ = run("agreement", "add", hospital, "--reference", "R", "--until", "2099-01-01T12:30", "--item", "*")
    assert json.loads(out)["ends_at"] == "2099-01-01T12:30:00Z"


def test_an_operator_ends_a_subscription(run, hospital, subscribe):
    run("agreement", "add", hospital, "--reference", "R", "--until", "2099-01-01", "--item", "*")
    subscribe("births")
    assert run("subscription", "end", hospital, "births") == (0, "ended\n", "")
    (listed,) = lines(run("subscription", "list")[1], owner=hospital)
    assert listed["end_reason"] == "operator"
    code, _, err = run("subscription", "end", hospital, "births")
    assert (code, err) == (2, f"onehall: there is no such subscription: {hospital}/births\n")


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        (("--until", "2099-01-01"), "say what it allows"),
        (("--until", "2020-01-01", "--item", "*"), "is over"),
        (("--until", "soon", "--item", "*"), "does not match"),
        (("--until", "2099-01-01", "--item", "dog"), "choose from birth, birth-registration, elderly-card"),
        (("--until", "2099-01-01", "--type", "rating.given"), "choose from case.rated"),
        (("--until", "2099-01-01", "--item", "sole-trader", "--kind", "confirmation"), "no service item passes it"),
    ],
)
def test_an_agreement_that_cannot_be_is_not_made(run, hospital, terms, said):
    code, out, err = run("agreement", "add", hospital, "--reference", "R", *terms)
    assert (code, out) == (2, "")
    assert said in err
    assert lines(run("agreement", "list")[1], grantee=hospital) == []


def test_a_reference_that_is_taken_and_one_that_is_not_there(run, hospital):
    terms = ("--reference", "R", "--until", "2099-01-01", "--item", "*")
    assert run("agreement", "add", hospital, *terms)[0] == 0
    code, _, err = run("agreement", "add", hospital, *terms)
    assert code == 2
    assert "another name" in err
    assert run("agreement", "add", "a.b", *terms)[0] == 2
    assert run("agreement", "end", hospital, "--reference", "S")[0] == 2
