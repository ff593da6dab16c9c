"""The provider's addresses. Identity answers; here requests become plain data and its answers responses or pages."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from gateway import end_session
from gateway.content_policy import policy_for_redirect
from gateway.errors import answer
from gateway.pages.visits import MAX_ADDRESS, Visit, Visited
from gateway.problems import CROSS_SITE
from gateway.security import is_from_another_site
from gateway.sessions import SESSION

router = APIRouter(include_in_schema=False)
router.add_api_route(end_session.PATH, end_session.ask_to_sign_out, methods=["GET"])
router.add_api_route(end_session.PATH, end_session.sign_out_by_post, methods=["POST"])

FRESH_SECONDS = 1.0
"""As long as identity itself goes on with the keys that it has read."""

FORWARDED = ("authorization", "content-type", "accept", "dpop")
NOT_FORWARDED_BACK = ("content-length", "connection", "transfer-encoding")
DISCOVERY = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")

DECISIONS = ("allow", "deny", "skip")

# Clients in a browser (a single-page app of another origin) need to read these; none of them looks at cookies
CROSS_ORIGIN = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "WWW-Authenticate"}
PREFLIGHT = CROSS_ORIGIN | {
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, DPoP",
    "Access-Control-Max-Age": "600",
}


def external_url(request: Request) -> str:
    """The address as the world knows it, with the query exactly as it was sent."""
    query = request.scope["query_string"].decode("latin-1")
    base = request.app.state.settings.base_url + request.url.path
    return f"{base}?{query}" if query else base


async def forward(request: Request, endpoint: str) -> Response:
    # what is sent twice becomes a list (RFC 9110, section 5.3), so that identity sees that it was
    sent = {name: request.headers.getlist(name) for name in FORWARDED}
    headers = {name.title(): ", ".join(values) for name, values in sent.items() if values}
    body = (await request.body()).decode("utf-8", "replace")
    answered = await request.app.state.rpc.call(
        "identity.answer_protocol", endpoint, request.method, external_url(request), headers, body
    )
    return _response(answered)


def _response(answered: dict[str, Any]) -> Response:
    response = Response(answered["body"], status_code=answered["status"], headers=CROSS_ORIGIN)
    for name, value in answered["headers"]:
        if name.lower() not in NOT_FORWARDED_BACK:
            response.headers[name] = value
    return response


@router.get(DISCOVERY[0])
@router.get(DISCOVERY[1])
async def answer_discovery(request: Request) -> Response:
    return await _published(request, "configuration")


@router.get("/oauth/jwks")
async def answer_jwks(request: Request) -> Response:
    return await _published(request, "jwks")


async def _published(request: Request, endpoint: str) -> Response:
    """What identity says to everybody alike, for five minutes by its `Cache-Control`; here for `FRESH_SECONDS`."""
    url = request.app.state.settings.base_url + request.url.path
    answered = await request.app.state.published.get(
        endpoint, lambda: request.app.state.rpc.call("identity.answer_protocol", endpoint, "GET", url, {}, "")
    )
    return _response(answered)


@router.post("/oauth/token")
async def answer_token(request: Request) -> Response:
    return await forward(request, "token")


@router.post("/oauth/revoke")
async def answer_revocation(request: Request) -> Response:
    return await forward(request, "revoke")


@router.post("/oauth/introspect")
async def answer_introspection(request: Request) -> Response:
    return await forward(request, "introspect")


@router.post("/oauth/par")
async def answer_pushed_request(request: Request) -> Response:
    return await forward(request, "par")


@router.post("/oauth/device_authorization")
async def answer_device_authorization(request: Request) -> Response:
    return await forward(request, "device_authorization")


@router.post("/oauth/register")
async def answer_registration(request: Request) -> Response:
    return await forward(request, "register")


@router.api_route("/oauth/register/{client_id}", methods=["GET", "PUT", "DELETE"])
async def answer_registered(request: Request) -> Response:
    return await forward(request, "registration")


@router.api_route("/oauth/userinfo", methods=["GET", "POST"])
async def answer_userinfo(request: Request) -> Response:
    return await forward(request, "userinfo")


@router.options("/oauth/token")
@router.options("/oauth/revoke")
@router.options("/oauth/par")
@router.options("/oauth/register")
@router.options("/oauth/register/{client_id}")
@router.options("/oauth/userinfo")
@router.options("/oauth/jwks")
@router.options(DISCOVERY[0])
@router.options(DISCOVERY[1])
async def answer_preflight() -> Response:
    return Response(status_code=204, headers=PREFLIGHT)


@router.get("/oauth/authorize")
async def authorize(visit: Visited) -> Response:
    return await _authorize(visit, None)


@router.post("/oauth/authorize")
async def decide(visit: Visited) -> Response:
    """The consent page's answer, posted to the same address and query."""
    form = await visit.form()
    if "decision" not in form:
        # OpenID Connect Core, section 3.1.2.1: a client may post its request. As a GET it has the visitor's cookies
        request_as_query = urlencode([*visit.request.query_params.multi_items(), *form.multi_items()])
        if len(request_as_query) > MAX_ADDRESS:
            raise HTTPException(414)
        return RedirectResponse(f"/oauth/authorize?{request_as_query}", 303)
    if is_from_another_site(visit.request, visit.request.app.state.settings.base_url):
        return answer(visit.request, CROSS_SITE)
    decision = form["decision"]
    return await _authorize(visit, str(decision) if decision in DECISIONS else None)


async def _authorize(visit: Visit, decision: str | None) -> Response:
    request = visit.request
    session = visit.cookies.read(request, SESSION)
    page = await visit.rpc.call("identity.answer_authorization", external_url(request), session, decision)
    query = request.scope["query_string"].decode("latin-1")
    visit.speak_one_of(page.get("ui_locales"))
    match page["page"]:
        case "redirect":
            # RFC 9700, section 4.12: 303 after a post, so that no client sends the form on
            return Response(status_code=302 if request.method == "GET" else 303, headers={"Location": page["location"]})
        case "login":
            return RedirectResponse(f"/login?next={quote(f'/oauth/authorize?{query}', safe='')}", 303)
        case "form_post":
            policy = {"Content-Security-Policy": policy_for_redirect(page["action"])}
            return visit.render("form_post.html", headers=policy, action=page["action"], fields=page["fields"])
        case "step_up":
            policy = {"Content-Security-Policy": policy_for_redirect(page["redirect_uri"])}
            return visit.render("step_up.html", headers=policy, step=page, query=query, ways=_ways(page, query))
        case "consent":
            policy = {"Content-Security-Policy": policy_for_redirect(page["redirect_uri"])}
            return visit.render("consent.html", headers=policy, consent=page, host=_host(page), query=query)
        case _:
            return visit.render("authorization_error.html", status=400, error=page)


def _ways(page: dict[str, Any], query: str) -> str:
    """The page that tells how a level is raised; it leads back here."""
    back = quote(f"/oauth/authorize?{query}", safe="")
    return f"/account/assurance?level={page['level']}&next={back}"


def _host(page: dict[str, Any]) -> str | None:
    """Where the person goes on to, as far as the address tells: an app's own does not."""
    address = urlsplit(page["redirect_uri"])
    return address.netloc if address.scheme in ("http", "https") else None
