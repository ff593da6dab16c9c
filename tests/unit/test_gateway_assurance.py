"""A token that is not sure enough is told so in the words of RFC 9470, and a browser goes where that is mended."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from contracts.errors import StepUpRequired
from tests.unit.gateway_fakes import BASE, CASE, ITEM, Door, FakeRpc, bearer, make_door, web_session

FILING = {"item": "residence-permit", "form": {}}
HTML = {"accept": "text/html"}


def test_a_program_is_told_the_level_that_it_lacks() -> None:
    door = make_door(FakeRpc({"cases.submit_case": StepUpRequired(2)}))
    response = door.post("/api/v1/cases", json=FILING, headers=bearer())
    assert response.status_code == 401
    challenge = response.headers["www-authenticate"]
    assert challenge.startswith("Bearer ")
    assert 'error="insufficient_user_authentication"' in challenge
    assert 'acr_values="2"' in challenge
    assert response.json()["acr_values"] == "2"


@pytest.mark.parametrize(
    ("acr", "level"), [("3", 3), ("1", 1), (None, 0), ("9", 0), (3, 0), (["2"], 0), ("urn:gold", 0)]
)
def test_the_services_are_told_the_level_of_the_token_and_none_that_we_do_not_know(acr: Any, level: int) -> None:
    rpc = FakeRpc({"cases.submit_case": CASE})
    make_door(rpc).post("/api/v1/cases", json=FILING, headers=bearer(acr=acr))
    actors = [actor for name, _, actor in rpc.calls if name == "cases.submit_case"]
    assert [actor.acr for actor in actors if actor] == [level]


def signed_in(acr: str, **answers: Any) -> Door:
    item = ITEM | {"assurance": 2}
    rpc = FakeRpc({"identity.get_web_session": web_session(acr=acr), "cases.get_item": item, **answers})
    door = make_door(rpc)
    door.cookies.set("onehall_web", "secret")
    return door


def test_nobody_fills_in_a_form_that_they_may_not_send() -> None:
    response = signed_in("1").get("/items/residence-permit/apply", headers=HTML)
    assert response.status_code == 303
    assert response.headers["location"] == "/login/start?next=%2Fitems%2Fresidence-permit%2Fapply&acr=2"
    assert signed_in("2").get("/items/residence-permit/apply", headers=HTML).status_code == 200


def test_a_form_that_was_sent_all_the_same_leads_there_too() -> None:
    door = signed_in("2", **{"cases.submit_case": StepUpRequired(3)})
    response = door.post("/items/residence-permit/apply", data={}, headers=HTML | {"origin": BASE})
    assert response.headers["location"] == "/login/start?next=%2Fitems%2Fresidence-permit%2Fapply&acr=3"


def test_the_sign_in_demands_the_level() -> None:
    location = make_door(FakeRpc()).get("/login/start?acr=2").headers["location"]
    claims = json.loads(parse_qs(urlsplit(location).query)["claims"][0])
    assert claims == {"id_token": {"acr": {"essential": True, "values": ["2"]}}}
    assert make_door(FakeRpc()).get("/login/start?acr=9").status_code == 422


@pytest.mark.parametrize("is_required", [True, False])
def test_the_person_is_asked(is_required: bool) -> None:
    page = {"page": "step_up", "level": 2, "is_required": is_required, "redirect_uri": f"{BASE}/callback"}
    door = make_door(FakeRpc({"identity.answer_authorization": page}))
    text = door.get("/oauth/authorize?client_id=web", headers=HTML).text
    assert "/account/assurance?level=2&amp;next=%2Foauth%2Fauthorize%3Fclient_id%3Dweb" in text
    assert ('value="skip"' in text) is not is_required
    assert 'value="deny"' in text
