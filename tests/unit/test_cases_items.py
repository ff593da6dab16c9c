from pathlib import Path

import pytest
import yaml

from contracts.errors import InvalidInput, NotFound
from services.cases import forms
from services.cases.catalogue import files, listing
from services.cases.catalogue.faults import BrokenCatalogue
from services.cases.catalogue.files import shipped
from services.cases.catalogue.model import Filter
from services.cases.catalogue.publishing import require_right
from services.identity.demo import DEPARTMENTS

FOLDER = Path("services/cases/catalogue/items")
CODES = {
    "residence-permit": "civil-affairs",
    "elderly-card": "civil-affairs",
    "birth-registration": "civil-affairs",
    "sole-trader": "market-regulation",
    "medical-reimbursement": "market-regulation",
    "birth": "civil-affairs",
    "newborn-insurance": "medical-insurance",
    "newborn-social-card": "human-resources",
}
CATALOGUE = shipped()
ALL = Filter()


def listed(q=None, wanted=ALL, cursor=None, limit=None, with_facets=False):
    return listing.list_items(CATALOGUE, q, wanted, cursor, limit, with_facets)


def codes_of(answer):
    return [item["code"] for item in answer["items"]]


@pytest.fixture
def description():
    return yaml.safe_load((FOLDER / "elderly-card.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def load(tmp_path):
    """Reads a changed description from its file and checks it as publishing does."""

    def load_changed(description):
        path = tmp_path / "elderly-card.yaml"
        path.write_text(yaml.safe_dump(description, allow_unicode=True), encoding="utf-8")
        changed = files.read_files([path])
        others = [item.description for item in CATALOGUE.all() if item.code != "elderly-card"]
        require_right(changed, others)
        return changed[0]

    return load_changed


@pytest.mark.parametrize("code", CODES)
def test_each_item_is_offered_by_its_department(code):
    item = CATALOGUE.get(code)
    assert item.department == CODES[code]
    assert item.department in DEPARTMENTS
    assert item.region == "511602"


@pytest.mark.parametrize("code", CODES)
def test_the_example_passes_its_own_schema(code):
    item = CATALOGUE.get(code)
    forms.require_valid(item.description["example"], item.validator)


@pytest.mark.parametrize("code", CODES)
def test_each_required_field_is_required(code):
    item = CATALOGUE.get(code)
    for field in item.description["form"]["required"]:
        example = {name: value for name, value in item.description["example"].items() if name != field}
        with pytest.raises(InvalidInput) as refusal:
            forms.require_valid(example, item.validator)
        assert {"pointer": f"/form/{field}", "rule": "required", "value": True} in refusal.value.faults


@pytest.mark.parametrize("code", CODES)
def test_no_traditional_text_holds_a_simplified_character(code):
    simplified = set(
        "证领国务条贴劳发户经营业医疗费报销机构产实际时间电话号码邮编职学习应该选择办团体农乡数额场对岁龄优动师单"
    )

    def check(value):
        if isinstance(value, dict):
            assert not simplified & set(value.get("zh-Hant", "")), value["zh-Hant"]
            for part in value.values():
                check(part)
        elif isinstance(value, list):
            for part in value:
                check(part)

    check(CATALOGUE.get(code).description)


def test_an_unknown_item():
    with pytest.raises(NotFound):
        CATALOGUE.get("dog-licence")


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("residence", ["residence-permit"]),
        ("RESIDENCE PERMIT", ["residence-permit"]),
        ("居住证", ["residence-permit"]),
        ("居住證", ["residence-permit"]),
        (" 登记 ", ["birth-registration", "sole-trader", "birth", "newborn-social-card"]),
        ("card", ["elderly-card", "newborn-social-card", "birth"]),
        ("nothing of the kind", []),
        ("", sorted(CODES)),
        (None, sorted(CODES)),
    ],
)
def test_search_by_words(q, found):
    assert codes_of(listed(q)) == found


def test_search_by_department_and_kind():
    assert codes_of(listed(wanted=Filter("market-regulation", "licence"))) == ["sole-trader"]
    assert codes_of(listed(wanted=Filter("nobody"))) == []


def test_the_list_is_paged():
    seen, cursor = [], None
    while True:
        answer = listed(cursor=cursor, limit=2)
        assert len(answer["items"]) <= 2
        seen += codes_of(answer)
        cursor = answer["next"]
        if cursor is None:
            break
    assert seen == sorted(CODES)


def test_a_list_shows_no_form():
    item = listed("sole")["items"][0]
    assert "form" not in item
    assert item["name"]["en"] == "Registration of a sole trader"


@pytest.mark.parametrize("cursor", ["x", "", "%%%", "c29tZXRoaW5n", "张"])
def test_a_cursor_of_somebody_elses(cursor):
    with pytest.raises(InvalidInput):
        listed(cursor=cursor)


@pytest.mark.parametrize("limit", [0, -1, 101, True, "5", 2.0])
def test_a_limit_out_of_bounds(limit):
    with pytest.raises(InvalidInput) as refusal:
        listed(limit=limit)
    assert refusal.value.faults[0]["pointer"] == "/limit"


def test_the_example_of_the_broken_items_is_right(description, load):
    assert load(description)["code"] == "elderly-card"


def break_name(description):
    del description["name"]["zh-Hant"]


def break_code(description):
    description["code"] = "elderly.card"


def break_file_name(description):
    description["code"] = "elderly-pass"


def break_example(description):
    description["example"]["birth_date"] = "yesterday"


def break_schema(description):
    description["form"]["properties"]["address"]["minLength"] = "four"


def break_limit(description):
    del description["form"]["properties"]["address"]["maxLength"]


def break_openness(description):
    description["form"]["additionalProperties"] = True


def break_layout(description):
    description["layout"][0]["fields"].pop()


def break_labels(description):
    del description["form"]["properties"]["delivery"]["x-labels"]["post"]


def break_title(description):
    del description["form"]["properties"]["address"]["x-title"]


def break_kind_of_item(description):
    description["online"] = False


def break_steps(description):
    description["steps"][1]["code"] = "apply"


def break_promise(description):
    description["promised_days"] = 21


def break_documents(description):
    description["documents"][1]["code"] = "identity"


def break_condition(description):
    description["form"]["properties"]["postal_code"]["x-show-if"] = {"delivery": ["pigeon"]}


def break_need(description):
    description["form"]["required"].append("postal_code")


def break_conditions(description):
    description["form"]["properties"]["delivery"]["x-show-if"] = {"lives_alone": [True]}
    description["form"]["properties"]["lives_alone"]["x-show-if"] = {"delivery": ["post"]}


def break_following(description):
    description["provisional_acceptance"] = {"open": False}


def break_declaring(description):
    description["documents"][0]["may_be_declared"] = True


def break_end(description):
    description["steps"][4]["next"] = ["apply"]
    description["steps"][5]["next"] = ["apply"]


def break_way(description):
    description["steps"][1]["next"] = ["correct"]


def break_paper(description):
    description["papers"] = {"photograph": {"name": description["name"]}}


def break_proof(description):
    description["documents"][1]["proofs"] = ["no-such-paper"]


def break_hint(description):
    description["form"]["properties"]["postal_code"]["x-hint"] = {"en": "Six digits"}


def break_question(description):
    description["questions"][0]["answer"]["en"] = " "


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (break_name, r"\$\.name"),
        (break_code, r"\$\.code"),
        (break_file_name, "code"),
        (break_example, "/form/birth_date"),
        (break_schema, "form"),
        (break_limit, "maxLength"),
        (break_openness, "additionalProperties"),
        (break_layout, "layout"),
        (break_labels, "delivery"),
        (break_title, "x-title"),
        (break_kind_of_item, r"\$: "),
        (break_steps, r"\$\.steps"),
        (break_promise, "the law"),
        (break_documents, r"\$\.documents: identity"),
        (break_condition, "x-show-if"),
        (break_need, "cannot always be required"),
        (break_conditions, "shown only if each other are: "),
        (break_following, "not open to provisional acceptance"),
        (break_declaring, "not open to commitments"),
        (break_end, "to an end"),
        (break_way, "from the start to this step"),
        (break_paper, "photograph is described otherwise"),
        (break_proof, "strange proof"),
        (break_hint, r"postal_code\.x-hint: not translated into zh-Hans, zh-Hant"),
        (break_question, r"\$\.questions\[0\]\.answer: not translated into en"),
    ],
)
def test_a_broken_item_does_not_load(description, load, broken, reason):
    broken(description)
    with pytest.raises(BrokenCatalogue, match=reason):
        load(description)
