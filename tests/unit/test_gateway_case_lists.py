"""Lists of cases at the door: what is asked of the service, and the file for spreadsheets."""

import asyncio
import csv
import io
from typing import Any

import pytest

from contracts.actors import Actor
from contracts.errors import Fault, InvalidInput, NotPermitted, ServiceUnavailable
from gateway import case_rows as rows
from gateway.languages import CATALOGUES
from tests.unit.gateway_fakes import CASE, NAME, FakeRpc, bearer, make_door
from tests.unit.test_gateway_pages import EMPTY, signed_in

NUMBER = "202603020000000015"
ROW = dict.fromkeys(rows.COLUMNS) | {"number": NUMBER, "item_name": NAME, "status": "closed"}
OFFICER = Actor(subject="dan", client="web", roles=("officer",), department="civil-affairs")


def read(text: str) -> list[dict[str, str]]:
    assert text.startswith("\ufeff"), "spreadsheets take it for UTF-8 only with the mark"
    return list(csv.DictReader(io.StringIO(text[1:])))


def test_filters_go_to_the_service_by_their_names_and_only_those_that_were_asked() -> None:
    rpc = FakeRpc({"cases.list_cases": EMPTY})
    door = make_door(rpc)
    address = "/api/v1/cases?status=open&due=overdue&from=2026-01-01&until=&sort=limit&q=%20x%20"
    assert door.get(address, headers=bearer()).status_code == 200
    wanted = {"status": "open", "due": "overdue", "from": "2026-01-01", "sort": "limit", "q": "x"}
    assert rpc.of("cases.list_cases") == [(None, 20, wanted)]


def test_a_list_of_many_pages_is_one_file_and_one_page_at_a_time_is_asked_for() -> None:
    pages = {None: {"items": [ROW] * 3, "next": "two"}, "two": {"items": [ROW], "next": None}}
    rpc = FakeRpc(
        {"cases.get_end_of_case_rows": {"next": "end"}, "cases.list_case_rows": lambda _, cursor, __: pages[cursor]}
    )
    answer = make_door(rpc).get("/api/v1/cases/export.csv?status=open", headers=bearer() | {"Accept-Language": "en"})
    assert answer.headers["content-type"].startswith("text/csv; charset=utf-8")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["link"] == '</api/v1/cases/export.csv?status=open&cursor=end>; rel="next"'
    assert rpc.of("cases.list_case_rows") == [({"status": "open"}, None, "end"), ({"status": "open"}, "two", "end")]
    found = read(answer.text)
    assert len(found) == 4
    assert found[0]["number"] == f"\t{NUMBER}", "or a spreadsheet rounds the last digits away"
    assert found[0]["item_name"] == NAME["en"]


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＠"])
def test_nothing_is_a_formula(begin: str) -> None:
    text = f'{begin}HYPERLINK("http://evil.example","x")'
    row = ROW | {"item_name": {"zh-Hans": text}, "department": text, "region": 5}
    cells = rows.cells(row, CATALOGUES["zh-Hans"])
    assert not [cell for cell in cells[1:] if cell.startswith(rows._FORMULA)]
    assert cells[0] == f"\t{NUMBER}"


def test_a_file_that_cannot_be_finished_is_broken_off() -> None:
    def page(_: Any, cursor: str | None, __: Any) -> dict[str, Any]:
        if cursor is not None:
            raise ServiceUnavailable("cases")
        return {"items": [ROW], "next": "two"}

    rpc, written = FakeRpc({"cases.list_case_rows": page}), []

    async def take() -> None:
        parts = rows.written(rpc, OFFICER, {}, CATALOGUES["en"], None, None)  # type: ignore[arg-type]
        async for part in parts:
            written.append(part)  # noqa: PERF401 - what came before it broke off counts

    with pytest.raises(ServiceUnavailable):
        asyncio.run(take())
    assert len(written) == 2


def test_who_may_not_is_told_before_the_file_begins() -> None:
    rpc = FakeRpc({"cases.get_end_of_case_rows": NotPermitted("export_cases")})
    assert make_door(rpc).get("/api/v1/cases/export.csv", headers=bearer()).status_code == 403


def test_the_page_of_cases_filters_keeps_what_was_asked_and_names_what_is_wrong() -> None:
    rpc, door = signed_in({"cases.list_cases": {"items": [CASE], "next": "c2"}})
    page = door.get("/cases?q=permit&status=open").text
    assert rpc.of("cases.list_cases") == [(None, 20, {"q": "permit", "status": "open"})]
    assert rpc.of("cases.list_drafts") == []
    assert 'href="/cases?q=permit&amp;status=open&amp;cursor=c2"' in page
    assert '<option value="open" selected>' in page
    assert 'name="assigned"' not in page
    assert "/cases/export" not in page
    wrong = InvalidInput([Fault(pointer="/from", rule="format", value="date")])
    _, door = signed_in({"cases.list_cases": wrong})
    page = door.get("/cases?from=2026-02-30")
    assert page.status_code == 422
    assert 'id="from-fault"' in page.text


def test_an_officer_filters_by_more_and_takes_the_list_away() -> None:
    answers = {"cases.list_cases": {"items": [CASE], "next": None}, "cases.get_end_of_case_rows": {"next": "e1"}}
    answers |= {"cases.list_case_rows": {"items": [ROW], "next": None}}
    rpc, door = signed_in(answers, roles=["officer"], department="civil-affairs")
    page = door.get("/cases?due=overdue").text
    assert 'name="assigned"' in page
    assert 'href="/cases/export?due=overdue"' in page
    files = door.get("/cases/export?due=overdue").text
    assert 'href="/cases/export.csv?due=overdue"' in files
    assert 'href="/cases/export?due=overdue&amp;cursor=e1"' in files
    assert len(read(door.get("/cases/export.csv?due=overdue").text)) == 1
    assert rpc.of("cases.list_case_rows") == [({"due": "overdue"}, None, "e1")]
