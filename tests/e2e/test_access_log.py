"""From the look to the citizen's own page of it: over the bus, sealed, and verified by the command line."""

import pytest

from tests.processes import wait_until


@pytest.fixture
def log(people):
    def looks_at(number):
        page = people.sign_in("citizen").get("/api/v1/access-log", params={"number": number}).raise_for_status().json()
        return [(entry["role"], entry["department"], entry["what"], entry["purpose"]) for entry in page["items"]]

    return looks_at


def test_a_citizen_reads_who_opened_the_case_and_why(people, log):
    number = people.file().json()["number"]
    people.sign_in("citizen").get(f"/api/v1/cases/{number}").raise_for_status()
    for person, purpose in (("officer", {}), ("clerk", {"purpose": "telephone"})):
        people.sign_in(person).get(f"/api/v1/cases/{number}", params=purpose).raise_for_status()
    seen = [("clerk", None, "case", "telephone"), ("officer", "civil-affairs", "case", "handling")]
    wait_until("both looks are in the log", lambda: log(number) == seen)


def test_a_purpose_that_is_none_is_refused(people):
    number = people.file().json()["number"]
    answer = people.sign_in("officer").get(f"/api/v1/cases/{number}", params={"purpose": "curiosity"})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json()["errors"][0]["pointer"] == "/purpose"


def test_an_officer_does_not_read_a_citizens_log(people):
    subject = people.sign_in("citizen").get("/api/v1/cases").json()["items"][0]["applicant"]
    for person, status in (("officer", 403), ("auditor", 200)):
        assert people.sign_in(person).get("/api/v1/access-log", params={"subject": subject}).status_code == status
