"""A joint case through the door: one filing, several departments, what waits begins by itself."""

import uuid

import httpx2
import pytest

JOINT = "/api/v1/joint-cases"


@pytest.fixture
def filed(people):
    def file(key):
        body = {"item": "birth", "form": people.example("birth")}
        return people.sign_in("citizen").post(JOINT, json=body, headers={"Idempotency-Key": key})

    return file


def states_of(whole):
    return {part["item"]: part["state"] for part in whole["parts"]}


def test_one_filing_goes_to_several_departments_and_the_card_follows_the_registration(people, filed):
    key = str(uuid.uuid4())
    first, again = filed(key), filed(key)
    assert (first.status_code, again.status_code) == (httpx2.codes.CREATED, httpx2.codes.CREATED)
    number = first.json()["number"]
    assert again.json()["number"] == number
    assert first.headers["Location"] == f"{JOINT}/{number}"
    parts = {part["item"]: part for part in first.json()["parts"]}
    assert parts["newborn-social-card"]["state"] == "waiting"
    people.act("officer3", parts["newborn-insurance"]["number"], "accept").raise_for_status()
    people.act("officer3", parts["newborn-insurance"]["number"], "refuse", note="insured already").raise_for_status()
    people.close(parts["birth-registration"]["number"])
    whole = people.sign_in("citizen").get(f"{JOINT}/{number}").json()
    assert states_of(whole) == {
        "birth-registration": "approved",
        "newborn-insurance": "refused",
        "newborn-social-card": "submitted",
    }
    assert {entry["item"] for entry in whole["history"]} == set(parts)
    assert number in [each["number"] for each in people.sign_in("citizen").get(JOINT).json()["items"]]
    taken_back = people.sign_in("citizen").post(f"{JOINT}/{number}/actions", json={"action": "withdraw"})
    assert states_of(taken_back.json())["newborn-social-card"] == "withdrawn"


def test_what_is_wrong_with_it_is_said(people, filed):
    number = filed(str(uuid.uuid4())).json()["number"]
    client = people.sign_in("citizen")
    answers = {
        client.post(JOINT, json={"item": "birth", "form": {}}).status_code: 422,
        client.post("/api/v1/cases", json={"item": "birth", "form": people.example("birth")}).status_code: 409,
        people.sign_in("citizen2").get(f"{JOINT}/{number}").status_code: 404,
        people.sign_in("officer").post(f"{JOINT}/{number}/actions", json={"action": "withdraw"}).status_code: 403,
    }
    assert all(answer == wanted for answer, wanted in answers.items()), answers
