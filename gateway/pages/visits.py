"""A visit: one request of a page, in the visitor's language, by whoever is signed in."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

from fastapi import Depends, HTTPException, Request
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData
from starlette.responses import HTMLResponse, Response

from contracts.actors import Actor
from contracts.errors import NotFound, SessionEnded
from gateway import browsers
from gateway.catalogue import Items
from gateway.languages import CATALOGUES, LANGUAGES, first_spoken, is_language, preferred
from gateway.pages.templates import TEMPLATES
from gateway.places import KIOSK_PLACE, VISIT_PLACE, WEB_PLACE, place_of
from gateway.rpc.client import Rpc
from gateway.sessions import ACTING, LANGUAGE, LANGUAGE_SECONDS, Acting, Cookies, Visitor

MAX_ADDRESS = 8_000
KIOSK_SECONDS, KIOSK_FORM_SECONDS = 90, 240
FORM_PATHS = ("/apply", "/correct")
UTF_8 = (b"utf-8", b"utf8")
LOCAL_PATHS = (
    *(
        "/items",
        "/cases",
        "/joint",
        "/drafts",
        "/documents/",
        "/inbox",
        "/account",
        "/certificates",
        "/department",
        "/work",
        "/device",
        "/hall/",
        "/operator/",
        "/auditor/",
    ),
    *("/oauth/authorize?", "/login/start"),
)


class ActingOver(Exception):
    """The visitor does not act for whom the page thinks. Args: `over` or `changed`."""


class SignInNeeded(Exception):
    """The page is somebody's own: sign in and come back. Args: where to come back to."""


def local_path(address: str | None) -> str:
    """Where to go next, if it is one of our own pages; else home. Never another site's address (open redirect)."""
    if not address or not address.isprintable() or "\\" in address:
        return "/"
    is_ours = address.startswith(LOCAL_PATHS) and not address.startswith("//")
    return address if is_ours else "/"


def text_in(posted: FormData, name: str) -> str:
    """What was typed. Browsers send CR LF for a line's end and count one character for it (HTML, maxlength)."""
    return str(posted.get(name, "")).replace("\r\n", "\n").replace("\x00", "").strip()


class FreshSignInNeeded(SignInNeeded):
    """The same, and who is signed in already must do so again, with all factors that they have."""


class Visit:
    def __init__(self, request: Request, visitor: Visitor | None, acting: Acting | None = None) -> None:
        self.request = request
        self.visitor = visitor
        self.place = place_of(request.url.path)
        self.acting = acting
        self.rpc: Rpc = request.app.state.rpc
        self.items: Items = request.app.state.items
        self.cookies: Cookies = request.app.state.cookies
        self.say = CATALOGUES[self._language()]

    def speak_one_of(self, ui_locales: str | None) -> None:
        """The language that a client asks for, unless this person has chosen one here by themselves."""
        language = first_spoken(ui_locales or "")
        if language and self._chosen() is None:
            self.say = CATALOGUES[language]

    @property
    def signed_in(self) -> Visitor:
        """The visitor. Raise `SignInNeeded` when there is none."""
        if self.visitor is None:
            # a post cannot be repeated after the sign-in; its page can
            address = self.address if self.request.method == "GET" else self.request.url.path.rpartition("/")[0]
            raise SignInNeeded(address)
        return self.visitor

    @property
    def browser(self) -> str | None:
        """What the visitor may know it by again."""
        return browsers.name_of(self.request.headers.get("user-agent"))

    @property
    def address(self) -> str:
        return self.request.url.path + (f"?{self.request.url.query}" if self.request.url.query else "")

    @property
    def actor(self) -> Actor:
        """Who the visitor is to cases: themselves, or somebody for whom they act."""
        return self.acting.actor if self.acting else self.signed_in.actor

    async def call(self, name: str, *args: Any) -> Any:
        """A call of a service, as the visitor who is signed in; about cases, as the one for whom they act."""
        if not name.startswith(("cases.", "rating.")):
            return await self.call_as_oneself(name, *args)
        _ = self.signed_in
        return await self.rpc.call(name, *args, actor=self.actor)

    async def call_as_oneself(self, name: str, *args: Any) -> Any:
        return await self.rpc.call(name, *args, actor=self.signed_in.actor)

    async def form(self) -> FormData:
        _, options = parse_options_header(self.request.headers.get("content-type"))
        if options.get(b"charset", b"utf-8").lower() not in UTF_8:
            # decoded otherwise, a form can hold text that is none
            raise HTTPException(415)
        posted = await self.request.form(max_files=0, max_fields=200)
        # a form says for whom it was opened: what is meant for one must not be filed for another
        if "acting" in posted and posted["acting"] != (self.acting.mandate if self.acting else ""):
            raise ActingOver("changed")
        return posted

    def render(
        self, template: str, status: int = 200, headers: dict[str, str] | None = None, **values: Any
    ) -> Response:
        zone: ZoneInfo = self.request.app.state.zone
        html = TEMPLATES.get_template(template).render(
            say=self.say,
            pick=self.say.pick,
            word=self.say.word,
            day=self.say.day,
            moment=partial(self.say.moment, zone=zone),
            visitor=self.visitor,
            place=self.place.name,
            base=self.place.base,
            acting=self.acting,
            acting_item=self.say.pick(self.acting.item_name) if self.acting else "",
            path=self.request.url.path,
            languages=[(tag, name, self._address_in(tag)) for tag, name in LANGUAGES.items()],
            **values,
        )
        named = {"Content-Language": self.say.language, **self._timeout(), **(headers or {})}
        response = HTMLResponse(html, status, named)
        if is_language(self.request.query_params.get("lang")):
            self.cookies.set(response, LANGUAGE, self.say.language, LANGUAGE_SECONDS)
        return response

    def _timeout(self) -> dict[str, str]:
        """Nobody can be expected to sign out at a kiosk: whoever walks away is asked, and then signed out.

        A header, since it works without scripts. While a form is filled in nobody is hurried.
        """
        if self.place is not KIOSK_PLACE or self.visitor is None:
            return {}
        path = self.request.url.path
        is_form = path.endswith(FORM_PATHS) or "/drafts/" in path
        return {"Refresh": f"{KIOSK_FORM_SECONDS if is_form else KIOSK_SECONDS}; url=/kiosk/idle"}

    def _language(self) -> str:
        account = self.visitor.locale if self.visitor else None
        own = account if account and is_language(account) else None
        return self._chosen() or own or preferred(self.request.headers.get("accept-language", ""))

    def _chosen(self) -> str | None:
        asked = (self.request.query_params.get("lang"), self.cookies.read(self.request, LANGUAGE))
        return next((tag for tag in asked if tag and is_language(tag)), None)

    def _address_in(self, language: str) -> str:
        """This page in another language; the page that a post answered has the address of its form."""
        query = [pair for pair in parse_qsl(self.request.url.query) if pair[0] != "lang"]
        return f"?{urlencode([*query, ('lang', language)])}"


async def get_visit(request: Request) -> Visit:
    state, place = request.app.state, place_of(request.url.path)
    secret = state.cookies.read(request, place.cookie)
    if not secret:
        return Visit(request, None)
    if place is VISIT_PLACE:
        return Visit(request, await state.visits.visitor(secret))
    visitor = await state.web_sessions.visitor(secret, place.client)
    mandate = state.cookies.read(request, ACTING) if place is WEB_PLACE else None
    acting = await _acting(request, visitor, mandate) if visitor and mandate else None
    return Visit(request, visitor, acting)


async def _acting(request: Request, visitor: Visitor, mandate: str) -> Acting | None:
    """Never silently nobody: whoever thinks that they act for somebody must not do it for themselves instead."""
    try:
        acting: Acting = await request.app.state.web_sessions.acting(visitor.secret, mandate)
        if acting.item is not None:
            item = await request.app.state.items.get(acting.item)
            acting = replace(acting, item_name=item["name"])
    except (NotFound, SessionEnded):
        raise ActingOver("over") from None
    return acting


Visited = Annotated[Visit, Depends(get_visit)]
