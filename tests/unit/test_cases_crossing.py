"""Regions, and what may be filed where."""

from datetime import UTC, datetime

import pytest

from contracts.actors import Actor
from contracts.errors import NotFiledHere
from services.cases import commands
from services.cases.catalogue.files import shipped
from services.cases.crossing import domain, places
from services.cases.crossing.places import BrokenPlaces
from services.cases.work.acting import act, allowed_actions
from services.cases.work.case import Case

PLACES = places.read()
CATALOGUE = shipped()
GUANGAN = "511602"


@pytest.mark.parametrize(
    ("region", "area", "is_in"),
    [
        (GUANGAN, GUANGAN, True),
        (GUANGAN, "511600", True),
        (GUANGAN, "510000", True),
        (GUANGAN, "511602101", True),
        ("511603", GUANGAN, False),
        ("510104", "511600", False),
        ("500103", "510000", False),
    ],
)
def test_a_county_lies_in_its_city_and_province(region, area, is_in):
    assert domain.is_within(region, area) == is_in


@pytest.mark.parametrize(
    ("scope", "near", "province", "abroad"),
    [
        ({"scope": "none"}, False, False, False),
        ({}, False, False, False),
        ({"scope": "city"}, True, False, False),
        ({"scope": "province"}, True, True, False),
        ({"scope": "nation"}, True, True, True),
        ({"scope": "regions", "regions": ["500000"]}, False, False, True),
    ],
)
def test_an_item_is_open_as_far_as_it_says(scope, near, province, abroad):
    assert domain.is_open_to(GUANGAN, GUANGAN, scope)
    for region, is_open in (("511603", near), ("510104", province), ("500103", abroad)):
        assert domain.is_open_to(region, GUANGAN, scope) == is_open


def test_who_works_at_a_hall_is_told_of_its_regions_cases_alone():
    without = PLACES.halls_without(GUANGAN)
    assert "chengdu-centre" in without
    assert not [hall for hall in without if domain.is_within(GUANGAN, PLACES.halls[hall].region)]
    assert {hall.code for hall in PLACES.halls_in(GUANGAN)}.isdisjoint(without)


def file_at(hall, item, channel="hall"):
    actor = Actor(subject="alice", client="hall", channel=channel, act="carol", acr=3, hall=hall)
    form = CATALOGUE.get(item).description["example"]
    return commands.prepare_filing(CATALOGUE, actor, item, form, None, places=PLACES)


AT = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)


def closed_case(papers):
    return Case(
        number="202603020000000018",
        item="birth-registration",
        item_version=1,
        department="civil-affairs",
        region=GUANGAN,
        kind="confirmation",
        applicant="alice",
        channel="hall",
        submitted_at=AT,
        updated_at=AT,
        status="closed",
        decision="approved",
        step="decide",
        filed_hall="chengdu-centre",
        papers=papers,
    )


def test_at_the_hall_of_its_own_region_nothing_is_foreign():
    assert file_at("civic-centre", "birth-registration").papers is None


def test_in_the_province_it_is_taken_in_for_the_region_that_decides():
    filing = file_at("chengdu-centre", "birth-registration")
    assert (filing.papers, filing.filed_hall, filing.region) == ("at-hall", "chengdu-centre", GUANGAN)


def test_what_is_not_open_to_the_region_says_where_to_go():
    with pytest.raises(NotFiledHere) as refusal:
        file_at("chongqing-centre", "birth-registration")
    code, department, region, name, halls = refusal.value.args
    assert (code, department, region) == ("birth-registration", "civil-affairs", GUANGAN)
    assert name["zh-Hans"] == "四川省广安市广安区"
    assert [hall["en"] for hall in halls] == ["Civic Centre hall"]


@pytest.mark.parametrize("hall", [None, "a-hall-that-nobody-entered"])
def test_of_a_hall_that_is_not_known_nothing_is_foreign(hall):
    assert file_at(hall, "birth-registration").papers is None


def test_on_the_web_there_is_no_counter():
    assert file_at("chongqing-centre", "birth-registration", channel="web").papers is None


def test_a_region_without_a_name_of_ours_is_called_as_the_national_list_does():
    assert PLACES.name_of("510105")["zh-Hans"] == "四川省青羊区"
    assert PLACES.name_of("510105")["zh-Hant"] == "四川省青羊區"


@pytest.mark.parametrize("before", ["result-under-way", "result-at-hall"])
def test_after_a_review_there_is_a_new_result_to_pass_on(before):
    officer = Actor(subject="dan", client="web", roles=("officer",), department="civil-affairs")
    case = closed_case(papers=before)
    again = act(case, officer, "reopen", at=AT, note="a review", versions="*").case
    assert again.papers == "received"
    decided = act(again, officer, "approve", at=AT, note=None).case
    assert "pass_on" in allowed_actions(officer, decided)
    assert act(decided, officer, "pass_on", at=AT, note=None, versions="*").case.papers == "result-under-way"


@pytest.mark.parametrize(
    "text",
    [
        "halls: {}",
        "halls: {a: {region: 511602, name: {zh-Hans: 甲, zh-Hant: 甲, en: A}}}\noffices: []",
        "halls: {a: {region: '5116', name: {zh-Hans: 甲, zh-Hant: 甲, en: A}}}\noffices: []",
        "halls: {a: {region: '511602', name: {en: A}}}\noffices: []",
        "- nothing",
        "[",
    ],
)
def test_a_file_of_places_that_is_wrong_stops_the_start(tmp_path, text):
    file = tmp_path / "places.yaml"
    file.write_text(text)
    with pytest.raises(BrokenPlaces):
        places.read(file)
