"""Staff as operators manage it: the same as `onehall user`, for who has just signed in (docs/staff.md).

An account is called by its subject in addresses: those end in logs.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from contracts.actors import STAFF_ROLES
from contracts.errors import Fault, InvalidInput, NotFound, TooManyAttempts, UsernameTaken
from gateway.catalogue import ItemSearch
from gateway.pages.security import ask
from gateway.pages.visits import Visit, Visited, text_in
from gateway.problems import sentence

router = APIRouter(prefix="/operator")

STAFF = "/operator/staff"
MAX_FIELD = 300
MOST_ITEMS = 100
PLAIN = {"disable": "disable_account", "enable": "enable_account", "reset-factors": "reset_factors"}
"""Changes that take nothing but the account."""


@router.get("")
@router.get("/")
async def to_staff() -> Response:
    return RedirectResponse(STAFF, 303)


@router.get("/staff")
async def show_staff(
    visit: Visited,
    role: Annotated[str, Query(max_length=20)] = "",
    department: Annotated[str, Query(max_length=64)] = "",
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    return await _list_page(visit, role, department, cursor)


async def _list_page(
    visit: Visit, role: str = "", department: str = "", cursor: str | None = None, fault: str = ""
) -> Response:
    chosen = role if role in STAFF_ROLES else None
    at = department.replace("\x00", "").strip() or None
    staff = await ask(visit, "list_staff", chosen, at, cursor, back=STAFF)
    said: dict[str, Any] = {
        "role": chosen,
        "department": at,
        "roles": STAFF_ROLES,
        "departments": await _departments(visit),
    }
    return visit.render("operator_staff.html", 404 if fault else 200, staff=staff, fault=fault, **said)


@router.post("/staff/find")
async def find_member(visit: Visited) -> Response:
    """The name is posted: an address would be in logs."""
    try:
        username = text_in(await visit.form(), "username")[:MAX_FIELD]
        subject = await ask(visit, "find_staff_member", username, back=STAFF)
    except NotFound:
        return await _list_page(visit, fault=visit.say("operator.unknown"))
    return RedirectResponse(f"{STAFF}/{subject}", 303)


@router.get("/staff/new")
async def show_new(visit: Visited) -> Response:
    await ask(visit, "get_operator", back=f"{STAFF}/new")
    return await _new_page(visit, {}, {})


@router.post("/staff/new")
async def add_member(visit: Visited) -> Response:
    posted = await visit.form()
    said: dict[str, Any] = {name: _field(posted, name) for name in ("username", "name", "email", "department", "hall")}
    said["roles"] = _roles(posted)
    try:
        code = await ask(visit, "add_staff_member", said, back=f"{STAFF}/new")
    except InvalidInput as invalid:
        return await _new_page(visit, said, _faults(visit, invalid), 422)
    except UsernameTaken:
        return await _new_page(visit, said, {"username": visit.say("problem.username-taken.detail")}, 409)
    except TooManyAttempts as error:
        return await _new_page(visit, said, {"username": visit.say("second.wait", seconds=error.args[0])}, 429)
    link = f"{visit.request.app.state.settings.base_url}/recover/link/{code}"
    return visit.render("operator_added.html", username=said["username"], link=link)


async def _new_page(visit: Visit, said: dict[str, Any], faults: dict[str, str], status: int = 200) -> Response:
    empty = {"username": "", "name": "", "email": "", "department": "", "hall": "", "roles": []}
    places: dict[str, Any] = {"all_roles": STAFF_ROLES, "departments": await _departments(visit)}
    return visit.render("operator_new.html", status, said=empty | said, faults=faults, **places)


@router.get("/staff/{subject:uuid}")
async def show_member(visit: Visited, subject: UUID) -> Response:
    return await _member_page(visit, subject)


@router.post("/staff/{subject:uuid}/grant")
async def grant(visit: Visited, subject: UUID) -> Response:
    posted = await visit.form()
    where = [_field(posted, name) or None for name in ("department", "hall")]
    return await _change(visit, subject, "grant", "grant_role", _roles(posted), *where)


@router.post("/staff/{subject:uuid}/revoke")
async def revoke(visit: Visited, subject: UUID) -> Response:
    return await _change(visit, subject, "revoke", "revoke_role", _roles(await visit.form()))


@router.post("/staff/{subject:uuid}/{change}")
async def change_plainly(visit: Visited, subject: UUID, change: str) -> Response:
    if change not in PLAIN:
        raise NotFound("page", "")
    return await _change(visit, subject, change, PLAIN[change])


async def _change(visit: Visit, subject: UUID, form: str, name: str, *arguments: Any) -> Response:
    here = f"{STAFF}/{subject}"
    try:
        await ask(visit, name, str(subject), *arguments, back=here)
    except InvalidInput as invalid:
        return await _member_page(visit, subject, _faults(visit, invalid, form), 422)
    except TooManyAttempts as error:
        return await _member_page(visit, subject, {"": visit.say("second.wait", seconds=error.args[0])}, 429)
    return RedirectResponse(f"{here}?done=1", 303)


async def _member_page(
    visit: Visit, subject: UUID, faults: dict[str, str] | None = None, status: int = 200
) -> Response:
    member = await ask(visit, "get_staff_member", str(subject), back=f"{STAFF}/{subject}")
    done = "done" in visit.request.query_params and not faults
    said: dict[str, Any] = {"done": done, "faults": faults or {}, "all_roles": STAFF_ROLES}
    departments = await _departments(visit)
    return visit.render("operator_member.html", status, member=member, departments=departments, **said)


def _faults(visit: Visit, invalid: InvalidInput, form: str = "") -> dict[str, str]:
    """By the id of the field, of several forms on a page."""
    prefix = f"{form}-" if form else ""
    faults: dict[str, str] = {}
    for fault in invalid.faults:
        faults.setdefault(prefix + fault["pointer"].strip("/"), sentence(_in_words(fault, visit), visit.say))
    return faults


async def _departments(visit: Visit) -> list[str]:
    """Those of the catalogue, to choose from; any other may be typed."""
    items = await visit.items.search(ItemSearch(limit=MOST_ITEMS))
    return sorted({item["department"] for item in items["items"]})


def _roles(posted: FormData) -> list[str]:
    return [str(role)[:MAX_FIELD] for role in posted.getlist("roles")][: len(STAFF_ROLES)]


def _field(posted: FormData, name: str) -> str:
    return text_in(posted, name)[:MAX_FIELD]


def _in_words(fault: Fault, visit: Visit) -> Fault:
    """Roles by their names, where a fault says which are meant."""
    if fault["rule"] != "needsRole" or not isinstance(fault["value"], list):
        return fault
    return Fault(
        pointer=fault["pointer"], rule=fault["rule"], value=[visit.say.word("actor", role) for role in fault["value"]]
    )
