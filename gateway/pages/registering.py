"""Registering by oneself: addresses, their codes, the rest. What is under way is kept at identity, by a cookie."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from contracts.errors import Fault, InvalidInput, NotFound, TooManyAttempts, UsernameTaken
from gateway.pages.form_fields import Field, Section
from gateway.pages.forms import FilledForm
from gateway.pages.visits import Visit, Visited, text_in

router = APIRouter(prefix="/register")

REGISTRATION = "onehall_registration"
REGISTRATION_SECONDS = 1_800
_LONGEST = 300
_LONGEST_PASSWORD = 1_000

# name -> type of input, what browsers fill in (HTML, autocomplete), how long it may be
ADDRESSES = {"email": ("email", "email", 254), "phone": ("tel", "tel", 20)}
CODES = {"email": ("text", "one-time-code", 10), "phone": ("text", "one-time-code", 10)}
DETAILS = {
    "name": ("text", "name", 100),
    "id_number": ("text", "off", 25),
    "username": ("text", "username", 64),
    "password": ("password", "new-password", _LONGEST_PASSWORD),
}
Fields = dict[str, tuple[str, str, int]]


@router.get("")
async def show_addresses(visit: Visited, over: bool = False) -> Response:
    return visit.render("register.html", form=_form(visit, ADDRESSES), is_over=over)


@router.post("")
async def begin(visit: Visited) -> Response:
    said = _said(await visit.form(), ADDRESSES)
    try:
        secret = await visit.rpc.call("identity.begin_registration", said["email"], said["phone"], visit.say.language)
    except (InvalidInput, TooManyAttempts) as error:
        form = _form(visit, ADDRESSES, said).with_faults(_faults(error))
        return visit.render("register.html", status=_status(error), form=form, is_over=False)
    response = RedirectResponse("/register/codes", 303)
    visit.cookies.set(response, REGISTRATION, secret, REGISTRATION_SECONDS)
    return response


@router.get("/codes")
async def show_codes(visit: Visited, again: bool = False) -> Response:
    if _secret(visit) is None:
        return _begin_anew()
    return visit.render("register_codes.html", form=_form(visit, CODES, family="register-code"), sent_again=again)


@router.post("/codes")
async def prove(visit: Visited) -> Response:
    said = _said(await visit.form(), CODES)
    try:
        proved = await visit.rpc.call("identity.prove_registration", _secret(visit) or "", said)
    except NotFound:
        return _begin_anew()
    missing = [kind for kind in CODES if kind not in proved]
    if not missing:
        return RedirectResponse("/register/details", 303)
    faults = [Fault(pointer=f"/{kind}", rule="code", value=None) for kind in missing]
    fields = {kind: CODES[kind] for kind in missing}
    form = _form(visit, fields, family="register-code").with_faults(faults)
    return visit.render("register_codes.html", status=422, form=form, sent_again=False)


@router.post("/codes/again")
async def send_again(visit: Visited) -> Response:
    try:
        await visit.rpc.call("identity.send_registration_codes", _secret(visit) or "")
    except NotFound:
        return _begin_anew()
    except TooManyAttempts as error:
        form = _form(visit, CODES, family="register-code").with_faults(_faults(error))
        return visit.render("register_codes.html", status=429, form=form, sent_again=False)
    return RedirectResponse("/register/codes?again=1", 303)


@router.get("/details")
async def show_details(visit: Visited) -> Response:
    if _secret(visit) is None:
        return _begin_anew()
    return visit.render("register_details.html", form=_form(visit, DETAILS))


@router.post("/details")
async def finish(visit: Visited) -> Response:
    posted = await visit.form()
    # a password is taken as it was typed
    said = _said(posted, DETAILS) | {"password": str(posted.get("password", ""))[:_LONGEST_PASSWORD]}
    try:
        await visit.rpc.call("identity.register_person", _secret(visit) or "", said)
    except NotFound:
        return _begin_anew()
    except (InvalidInput, UsernameTaken) as error:
        form = _form(visit, DETAILS, said).with_faults(_faults(error))
        return visit.render("register_details.html", status=_status(error), form=form)
    response = RedirectResponse("/register/done", 303)
    visit.cookies.delete(response, REGISTRATION)
    return response


@router.get("/done")
async def show_done(visit: Visited) -> Response:
    return visit.render("register_done.html")


def _secret(visit: Visit) -> str | None:
    return visit.cookies.read(visit.request, REGISTRATION)


def _begin_anew() -> Response:
    return RedirectResponse("/register?over=1", 303)


def _said(posted: Any, fields: Fields) -> dict[str, str]:
    return {name: text_in(posted, name)[:_LONGEST] for name in fields}


def _form(
    visit: Visit, fields: Fields, said: dict[str, str] | None = None, family: str = "register-field"
) -> FilledForm:
    made = tuple(_field(visit, name, family, *how, (said or {}).get(name, "")) for name, how in fields.items())
    return FilledForm((Section("", made),), {}, visit.say)


def _field(
    visit: Visit, name: str, family: str, input_type: str, autocomplete: str, max_length: int, value: str
) -> Field:
    hint = f"{family}-hint.{name}"
    return Field(
        name=name,
        label=visit.say.word(family, name),
        hint=visit.say(hint) if hint in visit.say else "",
        control="text",
        input_type=input_type,
        is_required=True,
        max_length=max_length,
        choices=(),
        # no page ever holds a password
        value="" if input_type == "password" else value,
        autocomplete=autocomplete,
    )


def _faults(error: Exception) -> list[Fault]:
    if isinstance(error, InvalidInput):
        return error.faults
    if isinstance(error, UsernameTaken):
        return [Fault(pointer="/username", rule="taken", value=None)]
    return [Fault(pointer="", rule="too-many-attempts", value=error.args[0])]


def _status(error: Exception) -> int:
    return 429 if isinstance(error, TooManyAttempts) else 422
