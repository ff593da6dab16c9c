"""`onehall registry` and `onehall source` over a real database and the local registers."""

from __future__ import annotations

import json
import sys
import threading
import uuid

import pytest

from cli.__main__ import main
from deploy.local.evidence_registers import HOSPITAL_SECRET
from deploy.local.registry import Register, make_server

KIND = "birth-medical-certificate"


@pytest.fixture
def run(cases_database, monkeypatch, capsys):
    """Runs `onehall` and gives its exit code, output and errors."""
    monkeypatch.setenv("ONEHALL_ENVIRONMENT", "local")
    monkeypatch.setenv("ONEHALL_BASE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("ONEHALL_CASES_KEY", "A" * 43)
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
def url():
    server = make_server("127.0.0.1", 0, Register())
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture
def hospital():
    return f"hospital-{uuid.uuid4().hex[:8]}"


def lines(out, **wanted):
    return [row for row in map(json.loads, out.splitlines()) if row.items() >= wanted.items()]


def test_a_register_from_beginning_to_end(run, url, hospital, monkeypatch):
    described = ("--owner", hospital, "--url", f"{url}/hospital", "--kind", KIND)
    code, out, _ = run("registry", "add", hospital, *described)
    assert (code, json.loads(out)["client_id"]) == (0, "onehall")
    assert "no secret" in run("registry", "check", hospital)[2]
    monkeypatch.setenv("ONEHALL_EVIDENCE_SECRETS", f"{hospital}=wrong")
    assert "token-401" in run("registry", "check", hospital)[2]
    monkeypatch.setenv("ONEHALL_EVIDENCE_SECRETS", f"{hospital}={HOSPITAL_SECRET}")
    code, out, _ = run("registry", "check", hospital)
    assert (code, out.split()[0]) == (0, hospital)
    assert run("registry", "end", hospital)[0] == 0
    assert run("registry", "end", hospital)[2] == f"onehall: there is no such registry: {hospital}\n"
    (listed,) = lines(run("registry", "list")[1], name=hospital)
    assert listed["ended_at"]
    assert HOSPITAL_SECRET not in json.dumps(listed)


@pytest.mark.parametrize(
    ("changed", "said"),
    [(("--kind", "unknown"), "choose from"), (("--url", "https://a:b@c.example"), "no address")],
)
def test_a_register_that_cannot_be_is_refused(run, hospital, changed, said):
    described = {"--owner": hospital, "--url": "https://r.example", "--kind": KIND} | dict([changed])
    code, _, error = run("registry", "add", hospital, *(word for pair in described.items() for word in pair))
    assert code == 2
    assert said in error


def test_an_agreement_from_beginning_to_end(run, hospital):
    paper = ("--reference", "R 2026/1")
    terms = (
        "--until",
        "2099-01-01",
        "--document",
        f"{KIND}:child_name,child_birth_date",
        "--item",
        "birth-registration",
    )
    code, out, _ = run("source", "agree", hospital, *paper, *terms)
    assert (code, json.loads(out)["documents"]) == (0, {KIND: ["child_name", "child_birth_date"]})
    assert "give this one another name" in run("source", "agree", hospital, *paper, *terms)[2]
    extended = json.loads(run("source", "extend", hospital, *paper, "--until", "2099-02-01")[1])
    assert extended["ends_at"] == "2099-02-02T00:00:00Z"
    assert run("source", "end", hospital, *paper)[1] == "ended\n"
    (listed,) = lines(run("source", "list")[1], source=hospital)
    assert listed["ended_at"]
    assert "there is no such agreement" in run("source", "end", hospital, *paper)[2]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (("--document", f"{KIND}:blood_group"), "choose from"),
        (("--item", "unknown"), "there is no service item unknown"),
        (("--until", "2020-01-01"), "is over"),
    ],
)
def test_an_agreement_on_nothing_that_there_is_is_refused(run, hospital, changed, said):
    terms = {"--reference": "R", "--until": "2099-01-01", "--document": KIND, "--item": "birth-registration"}
    code, _, error = run(
        "source", "agree", hospital, *(word for pair in (terms | dict([changed])).items() for word in pair)
    )
    assert code == 2
    assert said in error
