"""What no joint item may be published with."""

import copy

import pytest

from services.cases.catalogue import check
from services.cases.catalogue.files import shipped
from services.cases.catalogue.parts import asked_of, parts_of

ITEMS = {item.code: item.description for item in shipped().all()}


@pytest.fixture
def birth():
    return copy.deepcopy(ITEMS["birth"])


def faults_of(birth, **changed):
    others = [changed.get(code, item) for code, item in ITEMS.items() if code != "birth"]
    return [str(fault) for fault in check.faults_of([birth], others)]


def test_what_is_shipped_is_right(birth):
    assert faults_of(birth) == []


def unknown_part(birth):
    birth["parts"][1]["item"] = "dog-licence"


def part_that_is_joint(birth):
    birth["parts"][1]["item"] = "birth"


def part_twice(birth):
    birth["parts"].append(copy.deepcopy(birth["parts"][1]))


def unknown_need(birth):
    birth["parts"][2]["needs"] = ["sole-trader"]


def circle(birth):
    birth["parts"][2].pop("only_if")
    birth["parts"][0]["needs"] = ["newborn-social-card"]


def need_of_what_may_not_be_filed(birth):
    birth["parts"][1]["needs"] = ["newborn-social-card"]


def condition_without_choices(birth):
    birth["parts"][2]["only_if"] = {"child_name": ["王"]}


def unanswered(birth):
    del birth["parts"][1]["fields"]["parent_name"]


def answered_only_sometimes(birth):
    birth["parts"][0]["fields"]["child_sex"] = "card_delivery"


def unknown_field(birth):
    birth["parts"][1]["fields"]["colour"] = "child_name"


def fixed_and_asked(birth):
    birth["parts"][1]["fixed"] = {"parent_name": "陈小梅"}


def looser(birth):
    birth["form"]["properties"]["child_name"]["maxLength"] = 61


def other_pattern(birth):
    del birth["form"]["properties"]["telephone"]["pattern"]


def unused(birth):
    for part in birth["parts"]:
        part["fields"] = {name: field for name, field in part["fields"].items() if field != "father_name"}


def untranslated(birth):
    del birth["name"]["en"]


def one_part(birth):
    birth["parts"] = birth["parts"][:1]


def steps_of_its_own(birth):
    birth["steps"] = ITEMS["elderly-card"]["steps"]


def fixed_against_its_form(birth):
    birth["parts"][1]["fields"].pop("telephone")
    birth["parts"][1]["fixed"] = {"telephone": "none"}


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (unknown_part, "dog-licence is no item"),
        (part_that_is_joint, "birth is no item"),
        (part_twice, "newborn-insurance stands in it more than once"),
        (unknown_need, "waits for sole-trader, which is no part"),
        (circle, "birth-registration → newborn-social-card → birth-registration"),
        (need_of_what_may_not_be_filed, "not always filed with it"),
        (condition_without_choices, "child_name is no other field"),
        (unanswered, "requires parent_name, and nothing answers it"),
        (answered_only_sometimes, "requires child_sex, and nothing answers it"),
        (unknown_field, "no field colour"),
        (fixed_and_asked, "parent_name, or it is answered twice"),
        (looser, "child_name lets through what birth-registration refuses in child_name: maxLength"),
        (other_pattern, "telephone: pattern"),
        (unused, "father_name is asked for nothing"),
        (untranslated, "not translated into en"),
        (one_part, r"$.parts"),
        (steps_of_its_own, "birth"),
        (fixed_against_its_form, "newborn-insurance: /form/telephone breaks pattern"),
    ],
)
def test_a_broken_joint_item_is_not_published(birth, broken, reason):
    broken(birth)
    assert any(reason in fault for fault in faults_of(birth)), faults_of(birth)


def test_a_part_that_changes_under_a_joint_item_is_not_published_either():
    changed = copy.deepcopy(ITEMS["newborn-insurance"]) | {"version": 3}
    changed["form"]["required"].append("colour")
    changed["form"]["properties"]["colour"] = changed["form"]["properties"]["insured_name"]
    changed["layout"][0]["fields"].append("colour")
    changed["example"]["colour"] = "red"
    others = [item for code, item in ITEMS.items() if code != "newborn-insurance"]
    assert any("requires colour" in str(fault) for fault in check.faults_of([changed], others))


def test_what_has_one_code_in_two_parts_is_one_paper(birth):
    insurance = copy.deepcopy(ITEMS["newborn-insurance"])
    cards = next(each for each in insurance["documents"] if each["code"] == "parents-identity-cards")
    cards["accept"] = ["ofd"]
    assert any("take no type in common" in fault for fault in faults_of(birth, **{"newborn-insurance": insurance}))
    cards["accept"], cards["proofs"] = ["pdf"], ["photograph"]
    assert any("not the same paper" in fault for fault in faults_of(birth, **{"newborn-insurance": insurance}))


def test_answers_go_where_they_are_asked():
    form = ITEMS["birth"]["example"] | {"card_delivery": "post", "postal_address": "广安区建安北路8号"}
    card = parts_of(ITEMS["birth"])[2]
    assert card.form_of(form, ITEMS[card.item]["form"])["postal_address"] == "广安区建安北路8号"
    assert "postal_address" not in card.form_of(form | {"card_delivery": "counter"}, ITEMS[card.item]["form"])
    assert card not in asked_of(parts_of(ITEMS["birth"]), form | {"with_card": False})
