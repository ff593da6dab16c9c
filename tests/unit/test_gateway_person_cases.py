"""Search by ID number at the door: posted, never in an address, and the same for whoever is not there."""

import pytest

from contracts.errors import Fault, InvalidInput, TooManyAttempts
from tests.unit.gateway_fakes import CASE, FakeRpc, bearer, make_door
from tests.unit.test_gateway_pages import signed_in
from tests.unit.test_gateway_staff import POSTED

NUMBER = "110101189001017116"
OFFICER = {"roles": ["officer"], "department": "civil-affairs"}


def answers(applicant="alice", **more):
    found = {"items": [CASE] if applicant else [], "is_whole": True}
    return {"identity.find_applicant": applicant, "cases.list_cases_of": found, **more}


def test_what_is_found_is_shown_and_the_number_is_not():
    rpc, door = signed_in(answers(), **OFFICER)
    assert 'method="post" action="/work/person"' in door.get("/work/person").text
    page = door.post("/work/person", data={"id_number": NUMBER}, headers=POSTED)
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    assert f'href="/cases/{CASE["number"]}"' in page.text
    assert NUMBER not in page.text
    assert rpc.of("identity.find_applicant") == [(NUMBER,)]
    assert rpc.of("cases.list_cases_of") == [("alice",)]


def test_for_nobodys_number_the_same_is_asked_and_said_as_for_a_person_without_cases():
    pages = []
    for applicant in (None, "alice"):
        rpc, door = signed_in(answers(applicant) | {"cases.list_cases_of": {"items": [], "is_whole": True}}, **OFFICER)
        pages.append(door.post("/work/person", data={"id_number": NUMBER}, headers=POSTED).text)
        assert len(rpc.of("cases.list_cases_of")) == 1
    assert pages[0] == pages[1]


@pytest.mark.parametrize(
    ("error", "status"),
    [(InvalidInput([Fault(pointer="/id_number", rule="format", value="id-number")]), 422), (TooManyAttempts(60), 429)],
)
def test_what_is_wrong_is_said_at_the_field(error, status):
    _, door = signed_in(answers(**{"identity.find_applicant": error}), **OFFICER)
    page = door.post("/work/person", data={"id_number": "x"}, headers=POSTED)
    assert page.status_code == status
    assert 'id="id_number-fault"' in page.text


def test_citizens_have_no_such_page():
    rpc, door = signed_in(answers())
    assert door.get("/work/person").status_code == 403
    assert door.post("/work/person", data={"id_number": NUMBER}, headers=POSTED).status_code == 403
    assert rpc.of("identity.find_applicant") == []


def test_programs_of_staff_search_with_a_body():
    rpc = FakeRpc(answers())
    door = make_door(rpc)
    found = door.post("/api/v1/cases/search", json={"id_number": NUMBER}, headers=bearer(roles=["officer"]))
    assert (found.status_code, len(found.json()["items"])) == (200, 1)
    assert found.headers["cache-control"] == "no-store"
    assert door.post("/api/v1/cases/search", json={}, headers=bearer()).status_code == 422
