"""The picture of a procedure: whole, readable on a phone, the same in words."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.languages import CATALOGUES, LANGUAGES
from gateway.pages.procedure import WIDTH, Box, draw, limit_in_words, wrap
from services.cases.catalogue.files import shipped
from tests.unit.gateway_fakes import FakeRpc, make_door

EN = CATALOGUES["en"]
CODES = [item.code for item in shipped().all() if not item.is_joint]


def step(code: str, *following: str, **more: Any) -> dict[str, Any]:
    return {"code": code, "name": {"en": f"Step {code}"}, "role": "clerk", "next": list(following), **more}


def page(item: dict[str, Any], language: str) -> str:
    door = make_door(FakeRpc({"cases.get_item": item}))
    response = door.get(f"/items/{item['code']}?lang={language}")
    assert response.status_code == 200
    return response.text


def overlap(one: Box, other: Box) -> bool:
    return (
        one.x < other.x + other.width and other.x < one.x + one.width and one.y < other.bottom and other.y < one.bottom
    )


def require_whole(item: dict[str, Any], language: str) -> None:
    picture = draw(item, CATALOGUES[language])
    assert picture
    assert {box.step.code for box in picture.boxes} == {each["code"] for each in item["steps"]}
    assert len(picture.lines) == sum(len(box.step.following) for box in picture.boxes)
    for at, box in enumerate(picture.boxes):
        assert 0 < box.x < box.x + box.width < WIDTH
        assert 0 < box.y < box.bottom < picture.height
        assert not any(overlap(box, other) for other in picture.boxes[at + 1 :])
        assert all(box.y < y < box.bottom for _, y, _ in box.lines)
    for line in picture.lines:
        numbers = [float(number) for number in re.findall(r"H(-?[\d.]+)", line)]
        assert all(0 < number < WIDTH for number in numbers)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", CODES)
def test_every_shipped_item_is_drawn_whole(code: str, language: str) -> None:
    require_whole(shipped().get(code).description, language)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_any_procedure_is_drawn_whole(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 12))
    following = st.lists(st.integers(0, count - 1), max_size=4, unique=True)
    steps = [step(f"s{number}", *(f"s{each}" for each in data.draw(following))) for number in range(count)]
    names = data.draw(st.lists(st.text(min_size=1, max_size=80), min_size=count, max_size=count))
    require_whole({"steps": [each | {"name": {"en": name}} for each, name in zip(steps, names, strict=True)]}, "en")


def test_the_way_back_of_a_correction_stands_at_the_left() -> None:
    picture = draw({"steps": [step("a", "b", "c"), step("b"), step("c", "a")]}, EN)
    assert picture
    boxes = {box.step.code: box for box in picture.boxes}
    assert boxes["c"].x < boxes["b"].x
    assert boxes["a"].y < boxes["b"].y == boxes["c"].y


def test_an_item_without_steps_has_no_picture() -> None:
    assert draw({}, EN) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_shows_it_with_the_same_in_words(language: str) -> None:
    item = shipped().get("residence-permit").description
    text = page(item, language)
    assert 'role="img"' in text
    assert "<title id=" in text
    assert "<desc id=" in text
    assert "style=" not in text
    say = CATALOGUES[language]
    assert text.count("oh-procedure__step--applicant") == 2
    assert text.count(say("procedure.your-turn")) >= 4
    for each in item["steps"]:
        assert text.count(each["name"][language].partition("（")[0].partition("(")[0]) >= 1
    assert limit_in_words(7, "calendar", say) in text
    for question in item["questions"]:
        assert question["answer"][language].replace("'", "&#39;") in text
    assert item["department_name"][language] in text


def test_an_imported_item_names_its_department_in_words() -> None:
    signpost = {
        "code": "511A0000",
        "version": 1,
        "online": False,
        "name": {"zh-Hans": "户口登记", "zh-Hant": "戶口登記"},
        "kind": "other",
        "department": "qu-dang-an-guan-1a2b3c",
        "department_name": {"zh-Hans": "区档案馆", "zh-Hant": "區檔案館"},
        "region": "511602",
        "level": "county",
        "audience": "any",
    }
    for language, name in (("zh-Hans", "区档案馆"), ("zh-Hant", "區檔案館"), ("en", "区档案馆")):
        text = page(signpost, language)
        assert name in text
        assert "qu-dang-an-guan" not in text
    rpc = FakeRpc({"cases.list_items": {"items": [signpost], "next": None}})
    assert "区档案馆" in make_door(rpc).get("/").text


@pytest.mark.parametrize(
    "text",
    ["一次性告知（补正），然后再说", "受理、审查、决定、送达。", "Receipt and acceptance (all at once)", "x" * 30],
)
def test_text_is_broken_where_it_may_be(text: str) -> None:
    lines = wrap(text, 6)
    assert len(lines) > 1
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert not any(line[0] in "，。、）" for line in lines)
    assert all(sum(1.0 if ord(char) > 255 else 0.6 for char in line) <= 7 for line in lines)
    assert wrap("Receipt and acceptance", 8) == ["Receipt and", "acceptance"]


def test_limits_in_words() -> None:
    words = [limit_in_words(days, "working", EN) for days in (0, 1, 2)]
    assert words == ["the same day", "1 working day", "2 working days"]


def test_home_narrows_and_says_what_was_meant() -> None:
    facets = {
        "department": [{"code": "civil-affairs", "name": {"en": "Civil Affairs Bureau"}, "count": 3}],
        "kind": [{"code": "licence", "count": 1}],
        "audience": [{"code": "individual", "count": 4}],
        "online": 2,
    }
    meant = {"zh-Hans": "居住证", "zh-Hant": "居住證", "en": "居住证"}
    rpc = FakeRpc(
        {"cases.list_items": {"items": [], "next": "abc", "total": 0, "did_you_mean": meant, "facets": facets}}
    )
    door = make_door(rpc)
    text = door.get("/?q=居住正&kind=licence&audience=everybody&online=1&department=civil-affairs&lang=zh-Hant").text
    assert rpc.of("cases.list_items") == [("居住正", "civil-affairs", "licence", None, 20, None, True, True)]
    assert "居住證" in text
    assert 'value="licence" selected' in text
    assert "checked" in text
    long = door.get("/?q=" + "x" * 201)
    assert long.status_code == 422
