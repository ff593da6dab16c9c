"""The figures at the door: one call, and tables that say all that the bars show."""

from typing import Any

from contracts.errors import Fault, InvalidInput
from tests.unit.gateway_fakes import NAME, FakeRpc, bearer, make_door
from tests.unit.test_gateway_pages import signed_in

COUNTS = dict.fromkeys(
    ("filed", "approved", "refused", "not_accepted", "withdrawn", "lapsed", "corrections", "overdue", "reopened"), 7
)
TIMES = {"decided": 7, "within_promised": 0.975, "within_statutory": 1.0, "median_days": 3, "p90_days": 9}
ASKED = {"asked": 9, "in_time": 5, "late": 3, "unanswered": 2, "waiting": 1, "median_seconds": 7_000}
FIGURES: dict[str, Any] = {
    "department": "civil-affairs",
    "from": "2025-12",
    "until": "2026-11",
    "as_of": "2026-11-24T02:03:04Z",
    "now": {"open": 12, "status": {"submitted": 12}, "due": {"overdue": 2, "running": 10}},
    "total": COUNTS | TIMES,
    "months": [{"month": "2026-11", **COUNTS}, {"month": "2026-10", **COUNTS, "filed": 0}],
    "channels": [{"channel": "web", **COUNTS}],
    "items": [{"item": "residence-permit", "item_name": NAME, **COUNTS, **TIMES}],
    "evidence": ASKED | {"papers": [{"source": "civil-affairs", "paper": "p", "paper_name": NAME, **ASKED}]},
}


def test_the_api_asks_once() -> None:
    rpc = FakeRpc({"cases.get_case_statistics": FIGURES})
    answer = make_door(rpc).get("/api/v1/statistics/cases?from=2026-01&item=x", headers=bearer())
    assert answer.json() == FIGURES
    assert rpc.of("cases.get_case_statistics") == [(None, "x", "2026-01", None)]


def test_the_page_says_in_tables_what_the_bars_show() -> None:
    rpc, door = signed_in({"cases.get_case_statistics": FIGURES}, roles=["officer"], department="civil-affairs")
    page = door.get("/work/statistics?from=2025-12").text
    assert rpc.of("cases.get_case_statistics") == [(None, None, "2025-12", None)]
    assert "97.5 %" in page
    assert page.count("<caption") == 4
    assert "2 小时" in page
    assert page.count('class="oh-bar"') == page.count('aria-hidden="true" focusable="false"><rect') == 4
    assert 'href="/cases?handler=civil-affairs&amp;status=open&amp;due=overdue"' in page


def test_a_month_that_is_none_is_said_at_its_field() -> None:
    def answer(_: Any, __: Any, since: Any = None, ___: Any = None) -> Any:
        if since:
            raise InvalidInput([Fault(pointer="/from", rule="format", value="month")])
        return FIGURES

    _, door = signed_in({"cases.get_case_statistics": answer}, roles=["officer"], department="civil-affairs")
    page = door.get("/work/statistics?from=x")
    assert page.status_code == 422
    assert 'id="from-fault"' in page.text


def test_figures_of_a_release_before_are_shown_without_evidence() -> None:
    before = {name: value for name, value in FIGURES.items() if name != "evidence"}
    _, door = signed_in({"cases.get_case_statistics": before}, roles=["officer"], department="civil-affairs")
    assert door.get("/work/statistics").text.count("<caption") == 3
