"""Getting back into an account: who one is, what one can prove, a wait if that is little, and a new password.

What is under way is kept at identity, by a cookie. Until a code has come back nobody hears whether there is an account.
"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from contracts.errors import Fault, InvalidInput, NotFound, TooManyAttempts
from gateway.pages.visits import Visit, Visited, text_in
from gateway.problems import sentence
from gateway.sessions import DEVICE, DEVICE_SECONDS

router = APIRouter(prefix="/recover")

RECOVERY, RECOVERY_SECONDS = "onehall_recovery", 1_800
MAX_NAME, MAX_CODE, MAX_PASSWORD = 300, 100, 1_000
FURTHER = ("totp", "recovery", "mail", "sms")


@router.get("")
async def show_begin(visit: Visited, over: bool = False) -> Response:
    return _begin_page(visit, is_over=over)


def _begin_page(
    visit: Visit, status: int = 200, fault: str = "", *, said: str = "", way: str = "mail", is_over: bool = False
) -> Response:
    return visit.render("recover.html", status, fault=fault, said=said, way=way, is_over=is_over)


@router.post("")
async def begin(visit: Visited) -> Response:
    posted = await visit.form()
    said, way = text_in(posted, "name")[:MAX_NAME], text_in(posted, "way")[:10] or "mail"
    device = visit.cookies.read(visit.request, DEVICE)
    try:
        secret = await visit.rpc.call("identity.begin_recovery", said, way, visit.say.language, device)
    except (InvalidInput, TooManyAttempts) as error:
        return _begin_page(visit, _status(error), _said(visit, error), said=said, way=way)
    response = RedirectResponse(f"/recover/code?way={'sms' if way == 'sms' else 'mail'}", 303)
    visit.cookies.set(response, RECOVERY, secret, RECOVERY_SECONDS)
    return response


@router.get("/code")
async def show_code(visit: Visited, way: str = "mail") -> Response:
    return _code_page(visit, way) if _secret(visit) else _begin_anew()


def _code_page(visit: Visit, way: str, status: int = 200, fault: str = "") -> Response:
    return visit.render("recover_code.html", status, fault=fault, way="sms" if way == "sms" else "mail")


@router.post("/code")
async def prove(visit: Visited, way: str = "mail") -> Response:
    code = _code(await visit.form())
    try:
        await visit.rpc.call("identity.prove_recovery", _secret(visit), code)
    except NotFound:
        return _begin_anew()
    except (InvalidInput, TooManyAttempts) as error:
        return _code_page(visit, way, _status(error), _said(visit, error))
    return RedirectResponse("/recover/proofs", 303)


@router.get("/proofs")
async def show_proofs(visit: Visited) -> Response:
    return await _proofs_page(visit)


async def _proofs_page(visit: Visit, status: int = 200, fault: str = "", at: str = "") -> Response:
    try:
        known = await visit.rpc.call("identity.get_recovery", _secret(visit))
    except NotFound:
        return _begin_anew()
    if not known["wait_seconds"]:
        return RedirectResponse("/recover/password", 303)
    hours = -(-known["wait_seconds"] // 3_600)
    return visit.render("recover_proofs.html", status, known=known, hours=hours, fault=fault, at=at)


@router.post("/proofs/code")
async def send_other_code(visit: Visited) -> Response:
    try:
        await visit.rpc.call("identity.send_other_recovery_code", _secret(visit))
    except NotFound:
        return _begin_anew()
    except TooManyAttempts as error:
        return await _proofs_page(visit, 429, _said(visit, error), "other")
    return RedirectResponse("/recover/proofs", 303)


@router.post("/proofs")
async def prove_further(visit: Visited) -> Response:
    posted = await visit.form()
    kind = text_in(posted, "kind")
    try:
        known = await visit.rpc.call("identity.prove_recovery_further", _secret(visit), kind[:20], _code(posted))
    except NotFound:
        return _begin_anew()
    except (InvalidInput, TooManyAttempts) as error:
        return await _proofs_page(visit, _status(error), _said(visit, error), kind if kind in FURTHER else "")
    return RedirectResponse("/recover/proofs" if known["wait_seconds"] else "/recover/password", 303)


@router.post("/wait")
async def wait(visit: Visited) -> Response:
    try:
        waits = await visit.rpc.call("identity.wait_for_recovery", _secret(visit))
    except NotFound:
        return _begin_anew()
    if waits["ready_at"] is None:
        return RedirectResponse("/recover/password", 303)
    response = visit.render("recover_waiting.html", ready_at=waits["ready_at"], way=waits["way"])
    visit.cookies.delete(response, RECOVERY)
    return response


@router.get("/wait")
async def return_from_wait() -> Response:
    """Where the page that answered the post lands when it is loaded again or read in another language."""
    return RedirectResponse("/recover", 303)


@router.get("/password")
async def show_password(visit: Visited) -> Response:
    return _password_page(visit, "/recover/password") if _secret(visit) else _begin_anew()


def _password_page(visit: Visit, action: str, code: str = "", faults: dict[str, str] | None = None) -> Response:
    status = 422 if faults else 200
    return visit.render("recover_password.html", status, action=action, code=code, faults=faults or {})


@router.post("/password")
async def set_password(visit: Visited) -> Response:
    return await _set_password(visit, "/recover/password", "finish_recovery", _secret(visit))


@router.get("/link")
async def show_link(visit: Visited) -> Response:
    return _link_page(visit)


def _link_page(visit: Visit, status: int = 200, fault: str = "") -> Response:
    return visit.render("recover_link.html", status, fault=fault)


@router.post("/link")
async def take_code(visit: Visited) -> Response:
    """A code that came by short message, or from a clerk."""
    return await _open_link(visit, _code(await visit.form()))


@router.get("/link/{code}")
async def open_link(visit: Visited, code: str) -> Response:
    return await _open_link(visit, code[:MAX_CODE])


async def _open_link(visit: Visit, code: str) -> Response:
    try:
        await visit.rpc.call("identity.get_recovery_link", code)
    except NotFound:
        return _link_page(visit, 404, visit.say("recover.no-link"))
    except TooManyAttempts as error:
        return _link_page(visit, 429, _said(visit, error))
    # from here on the code is in the form, which is posted, and not in an address
    return _password_page(visit, "/recover/link/password", code)


@router.post("/link/password")
async def set_password_by_link(visit: Visited) -> Response:
    code = _code(await visit.form())
    return await _set_password(visit, "/recover/link/password", "finish_recovery_by_link", code)


async def _set_password(visit: Visit, action: str, call: str, proof: str) -> Response:
    posted = await visit.form()
    # neither stripped nor shortened: a password is what was typed
    new, again = (str(posted.get(name, "")) for name in ("password", "again"))
    code = proof if call == "finish_recovery_by_link" else ""
    try:
        _require_possible(new, again)
        device = await visit.rpc.call(f"identity.{call}", proof, new, visit.cookies.read(visit.request, DEVICE))
    except NotFound:
        return _link_page(visit, 404, visit.say("recover.no-link")) if code else _begin_anew()
    except TooManyAttempts as error:
        return _link_page(visit, 429, _said(visit, error))
    except InvalidInput as invalid:
        faults = {fault["pointer"].strip("/"): sentence(fault, visit.say) for fault in invalid.faults}
        return _password_page(visit, action, code, faults)
    response = RedirectResponse("/recover/done", 303)
    visit.cookies.delete(response, RECOVERY)
    visit.cookies.set(response, DEVICE, device, DEVICE_SECONDS)
    return response


def _require_possible(new: str, again: str) -> None:
    if len(new) > MAX_PASSWORD or "\x00" in new:
        raise InvalidInput([Fault(pointer="/password", rule="maxLength", value=MAX_PASSWORD)])
    if new != again:
        raise InvalidInput([Fault(pointer="/again", rule="password", value="again")])


@router.get("/done")
async def show_done(visit: Visited) -> Response:
    return visit.render("recover_done.html")


def _secret(visit: Visit) -> str:
    return visit.cookies.read(visit.request, RECOVERY) or ""


def _code(posted: FormData) -> str:
    return text_in(posted, "code")[:MAX_CODE]


def _begin_anew() -> Response:
    return RedirectResponse("/recover?over=1", 303)


def _said(visit: Visit, error: InvalidInput | TooManyAttempts) -> str:
    if isinstance(error, TooManyAttempts):
        return visit.say("recover.too-many", minutes=-(-int(error.args[0]) // 60))
    return sentence(error.faults[0], visit.say)


def _status(error: Exception) -> int:
    return 429 if isinstance(error, TooManyAttempts) else 422
