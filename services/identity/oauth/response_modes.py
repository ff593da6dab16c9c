"""How an answer gets from the browser to the client: in the address, or in a form that the browser posts.

OAuth 2.0 Multiple Response Type Encoding Practices, section 2.1, and OAuth 2.0 Form Post Response Mode.
"""

from __future__ import annotations

from typing import Any

from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Payload

QUERY, FORM_POST = "query", "form_post"
MODES = (QUERY, FORM_POST)
MAX_HINT = 200

Page = dict[str, Any]


def require_served(parameters: OAuth2Payload) -> None:
    """Raise `InvalidRequestError`, which then goes by the query."""
    if parameters.data.get("response_mode", QUERY) not in MODES:
        raise InvalidRequestError(f"The 'response_mode' must be one of: {' '.join(MODES)}.")
    if _is_form_post(parameters) and not str(parameters.redirect_uri).startswith(("https:", "http:")):
        raise InvalidRequestError("An app's own address takes no 'response_mode' form_post.")


def answer(parameters: OAuth2Payload, redirect_uri: str, answered: list[tuple[str, str]]) -> Page:
    """The page `redirect` with its `location`, or `form_post` with its `action`, `fields` and perhaps `ui_locales`."""
    if _is_form_post(parameters):
        fields = [list(pair) for pair in answered]
        return {"page": FORM_POST, "action": redirect_uri, "fields": fields} | page_hints(parameters, "ui_locales")
    return {"page": "redirect", "location": add_params_to_uri(redirect_uri, answered)}


def page_hints(parameters: OAuth2Payload, *names: str) -> dict[str, str]:
    """Those of the parameters that a page can make use of; one that is too long for any use is as if not there."""
    given = parameters.data
    return {name: given[name] for name in names if 0 < len(given.get(name, "")) <= MAX_HINT}


def _is_form_post(parameters: OAuth2Payload) -> bool:
    return parameters.data.get("response_mode") == FORM_POST
