"""The second step of a sign-in: a code, a passkey, or setting up what staff must have."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query
from starlette.responses import RedirectResponse, Response

from contracts.errors import InvalidInput, SessionEnded, SignInRefused, TooManyAttempts
from gateway.content_policy import policy_for_redirect
from gateway.pages.passkeys import MAX_CREDENTIAL, ceremony_response, has_host_name
from gateway.pages.sign_in import Next, client_request
from gateway.pages.signed_in import set_session
from gateway.pages.visits import Visit, Visited, local_path, text_in
from gateway.problems import sentence
from gateway.sessions import CEREMONY, DEVICE, PENDING, SESSION

router = APIRouter(prefix="/login/second")

By = Annotated[str | None, Query(max_length=20)]
MAX_CODE = 100


@router.get("")
async def show_second_step(visit: Visited, next: Next = None, by: By = None) -> Response:  # noqa: A002
    return await _page(visit, next, by)


@router.post("")
async def answer(visit: Visited, next: Next = None) -> Response:  # noqa: A002
    posted = await visit.form()
    kind, code = str(posted.get("kind", ""))[:20], str(posted.get("code", ""))[:MAX_CODE]
    try:
        session = await visit.rpc.call("identity.answer_second_factor", _pending(visit), kind, code, *_browser(visit))
    except SignInRefused:
        return await _page(visit, next, kind, fault=visit.say("second.wrong"))
    except SessionEnded:
        return _begin_anew(next)
    return _go_on(visit, session, RedirectResponse(_target(next), 303))


@router.post("/send")
async def send_code(visit: Visited, next: Next = None) -> Response:  # noqa: A002
    kind = str((await visit.form()).get("kind", ""))[:20]
    try:
        await visit.rpc.call("identity.send_sign_in_code", _pending(visit), kind)
    except SessionEnded:
        return _begin_anew(next)
    except TooManyAttempts as error:
        return await _page(visit, next, kind, fault=visit.say("second.wait", seconds=error.args[0]))
    return RedirectResponse(f"/login/second?next={quote(local_path(next), safe='')}&by={quote(kind)}", 303)


@router.get("/set-up")
async def show_set_up(visit: Visited, next: Next = None) -> Response:  # noqa: A002
    return await _set_up_page(visit, next)


@router.post("/set-up")
async def set_up(visit: Visited, next: Next = None) -> Response:  # noqa: A002
    posted = await visit.form()
    sealed, code = str(posted.get("sealed", ""))[:1_000], str(posted.get("code", ""))[:MAX_CODE]
    try:
        session = await visit.rpc.call(
            "identity.finish_required_factor", _pending(visit), sealed, code, *_browser(visit)
        )
    except InvalidInput as invalid:
        return await _set_up_page(visit, next, fault=sentence(invalid.faults[0], visit.say))
    except SessionEnded:
        return _begin_anew(next)
    page = visit.render("recovery_codes.html", codes=session["recovery_codes"], onward=_target(next))
    return _go_on(visit, session, page)


@router.post("/set-up/passkey/options")
async def begin_passkey(visit: Visited) -> Response:
    return ceremony_response(visit, await visit.rpc.call("identity.begin_required_passkey", _pending(visit)))


@router.post("/set-up/passkey")
async def set_up_passkey(visit: Visited, next: Next = None) -> Response:  # noqa: A002
    posted = await visit.form()
    ceremony = visit.cookies.read(visit.request, CEREMONY) or ""
    credential, name = str(posted.get("credential", ""))[: MAX_CREDENTIAL + 1], text_in(posted, "name")[:MAX_CODE]
    try:
        made = (_pending(visit), ceremony, credential, name)
        session = await visit.rpc.call("identity.finish_required_passkey", *made, *_browser(visit))
    except InvalidInput as invalid:
        return await _set_up_page(visit, next, fault=sentence(invalid.faults[0], visit.say), at="passkey-name")
    except SessionEnded:
        return _begin_anew(next)
    page = visit.render("recovery_codes.html", codes=session["recovery_codes"], onward=_target(next))
    visit.cookies.delete(page, CEREMONY)
    return _go_on(visit, session, page)


async def _page(visit: Visit, address: str | None, by: str | None, *, fault: str | None = None) -> Response:
    target = local_path(address)
    try:
        asked = await visit.rpc.call("identity.get_pending_sign_in", _pending(visit))
    except SessionEnded:
        return _begin_anew(address)
    if asked["must_enrol"]:
        return RedirectResponse(f"/login/second/set-up?next={quote(target, safe='')}", 303)
    kinds = asked["kinds"]
    # what needs no script comes first; a passkey's button shows itself where it works
    first = next((kind for kind in kinds if kind != "passkey"), kinds[0])
    client = await client_request(visit, target)
    return visit.render(
        "second_step.html",
        status=401 if fault else 200,
        headers={"Content-Security-Policy": policy_for_redirect(client.get("redirect_uri"))},
        kinds=kinds,
        by=by if by in kinds else first,
        sent_to=asked["sent_to"],
        is_sent=asked["is_sent"],
        next=quote(target, safe=""),
        fault=fault,
    )


async def _set_up_page(visit: Visit, address: str | None, *, fault: str | None = None, at: str = "code") -> Response:
    try:
        offer = await visit.rpc.call("identity.begin_required_factor", _pending(visit))
    except SessionEnded:
        return _begin_anew(address)
    target = quote(local_path(address), safe="")
    return visit.render(
        "set_up_app.html",
        422 if fault else 200,
        offer=offer,
        action=f"/login/second/set-up?next={target}",
        passkey=f"/login/second/set-up/passkey?next={target}",
        can_have_passkeys=has_host_name(visit.request.app.state.settings.base_url),
        fault=fault,
        at=at,
        is_required=True,
    )


def _pending(visit: Visit) -> str:
    return visit.cookies.read(visit.request, PENDING) or ""


def _browser(visit: Visit) -> tuple[str | None, str | None, str | None]:
    """Its session until now, which goes on or ends, its name, and the cookie by which it is known."""
    return visit.cookies.read(visit.request, SESSION), visit.browser, visit.cookies.read(visit.request, DEVICE)


def _target(address: str | None) -> str:
    target = local_path(address)
    return target if target != "/" else "/login/start"


def _begin_anew(address: str | None) -> Response:
    """Too late, or too many wrong answers: the password again."""
    return RedirectResponse(f"/login?next={quote(local_path(address), safe='')}", 303)


def _go_on(visit: Visit, session: dict[str, Any], response: Response) -> Response:
    set_session(visit, response, session)
    visit.cookies.delete(response, PENDING)
    return response
