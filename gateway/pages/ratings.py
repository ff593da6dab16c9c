"""Rating a closed case: five faces, a comment, once."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from contracts.errors import CaseAlreadyRated, CaseNotClosed, InvalidInput
from gateway.limits import MAX_COMMENT
from gateway.pages.visits import Visited, text_in

router = APIRouter(prefix="/cases")

SCORES = ("5", "4", "3", "2", "1")


@router.get("/{number:code}/rating")
async def show_rating(visit: Visited, number: str) -> Response:
    case = await visit.call("cases.get_case", number)
    return visit.render("rating.html", case=case, scores=SCORES, score="", comment="", fault="", fault_at="score-5")


@router.post("/{number:code}/rating")
async def rate_case(visit: Visited, number: str) -> Response:
    posted = await visit.form()
    score, comment = text_in(posted, "score"), text_in(posted, "comment")
    case = await visit.call("cases.get_case", number)
    fault, fault_at = "", "score-5"
    if score not in SCORES:
        fault = visit.say("rating.score-needed")
    elif len(comment) > MAX_COMMENT:
        fault, fault_at = visit.say("rule.maxLength", value=MAX_COMMENT), "comment"
    if not fault:
        try:
            await visit.call("rating.rate_case", case, int(score), comment or None)
        except InvalidInput:
            fault = visit.say("rule.other")
        except CaseNotClosed:
            fault = visit.say("rating.not-closed")
        except CaseAlreadyRated:
            # sent twice: the first one counts, and the case shows it
            return RedirectResponse(f"{visit.place.base}/cases/{number}", 303)
    if fault:
        return visit.render(
            "rating.html",
            status=422,
            case=case,
            scores=SCORES,
            score=score,
            comment=comment,
            fault=fault,
            fault_at=fault_at,
        )
    return RedirectResponse(f"{visit.place.base}/cases/{number}#rating", 303)
