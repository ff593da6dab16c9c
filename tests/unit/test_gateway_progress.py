"""Progress without signing in, at the door: what is asked, what is said, and that the code stands in no log."""

import logging

import pytest

from contracts.errors import NotFound, TooManyAttempts
from gateway import metrics
from tests.unit.gateway_fakes import CASE, HISTORY, ITEM, NAME, FakeRpc, make_door
from tests.unit.test_gateway_pages import signed_in

CODE = "2345-6789-wxyz"
DUE = {"state": "running", "on": "2026-11-20", "statutory_on": None, "days_left": None, "is_tentative": False}
PROGRESS = {
    "number": "OH-1",
    "item": "residence-permit",
    "item_name": NAME,
    "department": "civil-affairs",
    "status": "accepted",
    "decision": None,
    "submitted_at": "2026-11-01T02:03:04Z",
    "updated_at": "2026-11-01T02:03:04Z",
    "due": DUE,
    "answer_by": None,
    "awaited": "department",
    "missing": [],
    "history": [{"at": "2026-11-01T02:03:04Z", "event": "case.submitted"}],
}


def test_the_code_in_the_query_stands_in_no_log_metric_header_or_error(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for answer, status in ((PROGRESS, 200), (NotFound("progress"), 404), (TooManyAttempts(10), 429)):
        response = make_door(FakeRpc({"cases.get_progress": answer})).get(f"/api/v1/progress/OH-1?code={CODE}")
        assert response.status_code == status
        assert CODE not in response.text + str(response.headers)
    assert response.headers["retry-after"] == "10"
    too_long = make_door(FakeRpc()).get(f"/api/v1/progress/OH-1?code={CODE * 20}")
    assert too_long.status_code == 422
    assert CODE not in too_long.text
    ours = " ".join(record.getMessage() for record in caplog.records if record.name != "httpx2")
    assert CODE not in ours
    assert "/api/v1/progress/OH-1" in ours
    counted = str([sample.labels for family in metrics.requests.collect() for sample in family.samples])
    assert "/progress/{number:code}" in counted
    assert CODE not in counted


def test_the_api_needs_no_token_and_its_answer_is_not_kept() -> None:
    rpc = FakeRpc({"cases.get_progress": PROGRESS})
    response = make_door(rpc).get(f"/api/v1/progress/OH-1?code={CODE}")
    assert response.json() == PROGRESS
    assert response.headers["cache-control"] == "no-store"
    assert rpc.calls[-1] == ("cases.get_progress", ("OH-1", CODE), None)


def test_the_page_posts_the_code_and_shows_the_progress() -> None:
    rpc = FakeRpc({"cases.get_progress": PROGRESS})
    door = make_door(rpc)
    page = door.get("/progress?number=2026 0302")
    assert 'value="20260302"' in page.text
    assert 'method="post" action="/progress"' in page.text
    shown = door.post("/progress", data={"number": "2026 0302-1", "code": CODE})
    assert shown.status_code == 200
    assert rpc.of("cases.get_progress") == [("202603021", CODE)]
    assert CODE not in shown.text
    assert shown.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("answer", "status"), [(NotFound("progress"), 404), (TooManyAttempts(90), 429)])
def test_the_page_says_what_to_do_and_keeps_the_number(answer: Exception, status: int) -> None:
    page = make_door(FakeRpc({"cases.get_progress": answer})).post("/progress", data={"number": "7", "code": CODE})
    assert page.status_code == status
    assert 'value="7"' in page.text
    assert CODE not in page.text


def test_the_case_shows_its_code_to_whom_it_is_told_and_lets_them_change_it() -> None:
    file = {"case": CASE | {"progress_code": CODE}, "history": HISTORY, "item": ITEM, "actions": ["withdraw"]}
    rpc, door = signed_in(
        {"cases.get_case_file": file, "cases.renew_progress_code": {}, "cases.withdraw_progress_code": None}
    )
    page = door.get("/cases/OH-1").text
    assert CODE in page
    assert f"code={CODE}" not in page
    for wish in ("renew", "withdraw"):
        assert door.post("/cases/OH-1/progress-code", data={"wish": wish}).status_code == 303
        assert rpc.of(f"cases.{wish}_progress_code") == [("OH-1",)]
    door.post("/cases/OH-1/progress-code", data={"wish": "x"})
    assert len(rpc.of("cases.renew_progress_code")) == 1
