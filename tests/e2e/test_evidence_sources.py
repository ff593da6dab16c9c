"""Sources of evidence on a whole platform: a hospital's own program under its agreement, and a register away."""

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx2
import pytest
from sqlalchemy import text

from chassis.database import Database
from cli.demo import SECRET
from departments import ClientCredentials, Subscriber
from deploy.local.evidence_registers import BIRTHS
from deploy.local.platform import Platform
from tests.e2e.test_subscriptions import reading
from tests.people import People
from tests.processes import wait_until

OWNER, ITEM, DOCUMENT, KIND = "city-hospital", "birth-registration", "birth-certificate", "birth-medical-certificate"
CERTIFICATE = "Z510000001"
UNTIL = ("--until", "2099-01-01")


@dataclass
class Citizen:
    """Who has a birth registered and lets its certificate be fetched with the filing."""

    client: httpx2.Client
    form: dict[str, str]

    def file(self, certificate: str) -> str:
        body = {"item": ITEM, "form": self.form | {"birth_certificate_number": certificate}, "consents": [DOCUMENT]}
        filed = self.client.post("/api/v1/cases", json=body, headers={"Idempotency-Key": str(uuid.uuid4())})
        assert filed.status_code == httpx2.codes.CREATED, filed.text
        return str(filed.json()["number"])

    def consent(self, number: str) -> httpx2.Response:
        return self.client.post(f"/api/v1/cases/{number}/evidence/{DOCUMENT}", json={"action": "consent"})

    def sees(self, number: str) -> dict[str, object]:
        """The evidence of the case, or nothing if it is not offered."""
        items = self.client.get(f"/api/v1/cases/{number}/evidence").raise_for_status().json()["items"]
        return next((each for each in items if each["document"] == DOCUMENT), {})

    def await_status(self, number: str, status: str) -> dict[str, object]:
        wait_until(f"the evidence is {status}", lambda: self.sees(number).get("status") == status)
        return self.sees(number)


@pytest.fixture
def citizen(people: People) -> Citizen:
    return Citizen(people.sign_in("citizen"), people.example(ITEM))


@pytest.fixture
def agreement(onehall: Callable[..., str]) -> Iterator[str]:
    """The only one in force; another one follows it, so that the hospital may be asked whatever became of it."""

    def agree() -> str:
        reference = f"R {uuid.uuid4().hex[:8]}"
        onehall("source", "agree", OWNER, "--reference", reference, "--document", KIND, "--item", ITEM, *UNTIL)
        return reference

    def end_all() -> None:
        listed = [json.loads(line) for line in onehall("source", "list").splitlines()]
        for each in listed:
            if each["source"] == OWNER and each["ended_at"] is None:
                onehall("source", "end", OWNER, "--reference", each["reference"])

    end_all()
    yield agree()
    end_all()
    agree()


@pytest.fixture
def program(platform: Platform, onehall: Callable[..., str]) -> Iterator[tuple[str, httpx2.Client]]:
    """The hospital's own, signed in by client credentials."""
    name, base = f"hospital-{uuid.uuid4().hex[:8]}", platform.environment["ONEHALL_BASE_URL"]
    grant = ("--grant", "client_credentials", "--scope", "events evidence:answer", "--organisation", OWNER)
    onehall("client", "add", name, "--secret", SECRET, *grant)
    asked = httpx2.post(f"{base}/oauth/token", auth=(name, SECRET), data={"grant_type": "client_credentials"})
    token = asked.raise_for_status().json()["access_token"]
    with httpx2.Client(base_url=base, headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
        yield name, client


@pytest.fixture
def heard(platform: Platform, onehall: Callable[..., str], program: tuple[str, httpx2.Client]) -> Iterator[list]:
    """What the hospital's program hears on its own queue, as (subject, type)."""
    name, client = program
    wanted = ("--type", "evidence.requested", "--type", "evidence.withdrawn", "--item", ITEM)
    onehall("agreement", "add", OWNER, "--reference", name, *wanted, *UNTIL)
    asked = {"types": ["evidence.requested", "evidence.withdrawn"], "items": [ITEM]}
    made = client.post("/api/v1/subscriptions", json={"name": name, "filter": asked}).raise_for_status().json()
    address = f"/api/v1/subscriptions/{name}"
    wait_until("it is active", lambda: client.get(address).raise_for_status().json()["status"] == "active")
    host, base = platform.environment["AMQP_URI"].rpartition("@")[2], platform.environment["ONEHALL_BASE_URL"]
    subscriber = Subscriber(f"amqp://{host}", made["queue"], credentials=ClientCredentials(base, name, SECRET))
    with reading(subscriber) as heard:
        yield heard.events
    onehall("agreement", "end", OWNER, "--reference", name)


def test_a_hospital_hears_and_answers_for_as_long_as_its_agreement_says(citizen, agreement, program, heard, onehall):
    _, client = program
    # of a certificate with U its register is out of order: the program is the only one that answers
    number, open_number = citizen.file("U510000001"), citizen.file("U510000002")
    known, still_open = (str(citizen.sees(each)["id"]) for each in (number, open_number))
    for each in (known, still_open):
        wait_until("it is heard", lambda each=each: (each, "evidence.requested", None) in heard)
    request = client.get(f"/api/v1/evidence/requests/{known}").raise_for_status().json()
    assert request["keys"]["certificate_number"] == "U510000001"
    says = BIRTHS[CERTIFICATE] | {"certificate_number": "U510000001"}
    answer = {"number": number, "result": "provided", "fields": says}
    assert client.post(f"/api/v1/evidence/{known}/answer", json=answer).status_code == httpx2.codes.OK
    assert citizen.await_status(number, "provided")["fields"] == says

    onehall("source", "end", OWNER, "--reference", agreement)
    # what is open is denied at once, and is the applicant's to bring a little later
    late = answer | {"number": open_number, "fields": says | {"certificate_number": "U510000002"}}
    assert client.post(f"/api/v1/evidence/{still_open}/answer", json=late).status_code == httpx2.codes.NOT_FOUND
    citizen.await_status(open_number, "needs-citizen")
    # the next one is filed and not asked about: it can be handed in
    refused = citizen.file("U510000003")
    assert citizen.sees(refused) == {}
    assert citizen.consent(refused).status_code == httpx2.codes.CONFLICT
    page = citizen.client.get(f"/api/v1/cases/{refused}/documents").raise_for_status().json()
    assert DOCUMENT in [each["code"] for each in page["asked"]]
    assert (refused, "evidence.requested") not in [(subject, type_) for subject, type_, _ in heard]


def test_a_register_that_is_away_is_asked_again_until_it_is_late_or_back(platform, citizen, agreement):
    database = Database(platform.environment["ONEHALL_CASES_DATABASE_URL"], pool_size=1)

    def row(known: str) -> tuple[int, bool, str | None]:
        asked = text(
            "SELECT attempts, next_attempt_at > now(), outcome FROM registry_questions"
            " WHERE evidence = CAST(:id AS uuid)"
        )
        with database.transaction() as session:
            return tuple(session.execute(asked, {"id": known}).one())

    def later(statement: str, known: str) -> None:
        with database.transaction() as session:
            session.execute(text(statement), {"id": known})

    platform.stop("registry")
    try:
        number, late = citizen.file(CERTIFICATE), citizen.file("Z510000002")
        known, known_late = (str(citizen.sees(each)["id"]) for each in (number, late))
        # asked, without an answer, and put off: nobody's case waits for it
        wait_until("it was asked", lambda: row(known)[0] > 0 and row(known)[1:] == (True, None))
        later(
            "UPDATE schedule SET due_at = now(), next_at = now() WHERE name = 'evidence-limit' AND key = :id",
            known_late,
        )
        later("UPDATE registry_questions SET until = now() WHERE evidence = CAST(:id AS uuid)", known_late)
        assert citizen.await_status(late, "overdue")["may"] == ["withdraw"]
        wait_until("it is asked no more", lambda: row(known_late)[2] == "late")
    finally:
        platform.start("registry")
    # minutes later: the register has rested, and the question is due
    later("UPDATE registries SET rests_until = now() WHERE name = 'hospital' AND rests_until > now()", known)
    later(
        "UPDATE registry_questions SET next_attempt_at = now() WHERE evidence = CAST(:id AS uuid) AND outcome IS NULL",
        known,
    )
    fields = citizen.await_status(number, "provided")["fields"]
    assert fields["child_name"] == BIRTHS[CERTIFICATE]["child_name"]
    assert citizen.sees(late)["status"] == "overdue"
