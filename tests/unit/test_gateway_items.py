"""The public page of a service item, and the API: all that the item says is there, in the reader's language."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
import yaml

from gateway.languages import CATALOGUES, LANGUAGES
from gateway.pages.procedure import limit_in_words
from services.cases.catalogue.files import shipped
from services.cases.catalogue.schema import _ITEM_SCHEMA
from tests.unit.gateway_fakes import FakeRpc, make_door

REGION = {"zh-Hans": "四川省广安市广安区", "zh-Hant": "四川省廣安市廣安區", "en": "Guang'an District, Sichuan"}
WHOLE = ["birth-registration", "elderly-card", "medical-reimbursement", "residence-permit", "sole-trader"]


def offered(code: str) -> dict[str, Any]:
    """As `cases` gives it."""
    return shipped().get(code).description | {"region_name": REGION}


def text_of(page: str) -> str:
    """What of a page is read."""
    return " ".join(html.unescape(re.sub("<[^>]+>", " ", page.partition("<h1")[2])).split())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", WHOLE)
def test_the_page_shows_all_that_the_item_says(code: str, language: str) -> None:
    item, say = offered(code), CATALOGUES[language]
    unit = item["day_unit"]
    documents, steps, result = item["documents"], item["steps"], item["result"]
    wanted = [
        *(say.pick(item[name]) for name in ("name", "summary", "region_name", "legal_basis")),
        *(say.word(name, item[name]) for name in ("kind", "audience", "level")),
        *(limit_in_words(item[name], unit, say) for name in ("promised_days", "statutory_days")),
        say.pick(item["fee"]["text"]),
        *(say.pick(each["name"]) for each in (*documents, *steps, result)),
        *(say.word("source", each["source"]) for each in documents if each["source"] != "applicant"),
        *(say("item.electronic") for each in documents if each["electronic"] and each["source"] == "applicant"),
        *(say("item.may-follow") for each in documents if each.get("may_follow")),
        *(say("item.may-be-declared") for each in documents if each.get("may_be_declared")),
        *(say.word("where", channel) for channel in item["channels"]),
        *(say.pick(each[part]) for each in item["questions"] for part in ("question", "answer")),
        say.pick(item["cross_region"]["text"]),
    ]
    if item["provisional_acceptance"]["open"]:
        wanted.append(say("item.provisional-open", days=item["provisional_acceptance"]["days"]))
    if item["commitment"].get("text"):
        wanted.append(say.pick(item["commitment"]["text"]))
    page = make_door(FakeRpc({"cases.get_item": item})).get(f"/items/{code}?lang={language}").text
    read = text_of(page)
    assert [words for words in wanted if " ".join(words.split()) not in read] == []
    assert '<svg class="oh-procedure"' in page


def test_the_api_gives_the_whole_item() -> None:
    item = offered("birth-registration")
    assert make_door(FakeRpc({"cases.get_item": item})).get("/api/v1/items/birth-registration").json() == item


def test_the_api_describes_every_part_of_an_item() -> None:
    """Beside the schema that items are checked by: a part that is added there is described to callers, too."""
    described = make_door(FakeRpc({})).app.openapi()["components"]["schemas"]
    schema = yaml.safe_load(_ITEM_SCHEMA.read_text(encoding="utf-8"))["properties"]
    assert {*described["Item"]["properties"]} == {*schema, "region_name", "fetched"}
    for name, part in (
        ("ItemDocument", schema["documents"]["items"]),
        ("ItemStep", schema["steps"]["items"]),
        *((model, schema[field]) for model, field in (("ItemResult", "result"), ("Fee", "fee"))),
        *((model, schema[field]) for model, field in (("CrossRegion", "cross_region"), ("Commitment", "commitment"))),
        ("ProvisionalAcceptance", schema["provisional_acceptance"]),
    ):
        assert {*described[name]["properties"]} == {*part["properties"]}, name
