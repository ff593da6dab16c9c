"""A stranger's program registers itself, pushes its requests, signs them, and is answered by a form.

All over HTTP and in a real browser, which holds the pages to their content security policy.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest
from authlib.common.security import generate_token
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from axe_playwright_python.base import AXE_SCRIPT
from joserfc import jwt
from joserfc.jwk import ECKey
from playwright.sync_api import Page, sync_playwright

from cli.demo import PASSWORD
from gateway.languages import CATALOGUES, LANGUAGES
from services.identity.oauth.client_assertion import TYPE
from tests.e2e.test_pages import ARGUMENTS, CHROMIUM, require_for_everybody, visiting
from tests.processes import wait_until

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no {CHROMIUM}")


class Callback:
    """The program's own address, on a port of its own. `answers` are the forms that browsers posted to it."""

    def __init__(self) -> None:
        self.answers: list[dict[str, str]] = []
        callback = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                callback.answers.append({name: values[0] for name, values in parse_qs(body).items()})
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"signed in")

            def log_message(self, *_: Any) -> None:
                """Stay silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/callback"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Program:
    """It registers when it is made."""

    def __init__(self, base: str, registration_token: str, callback: Callback) -> None:
        self.key = ECKey.generate_key("P-256")
        self.callback = callback
        self.endpoints = httpx2.get(f"{base}/.well-known/openid-configuration").raise_for_status().json()
        metadata = {
            "client_name": "Library of the people",
            "redirect_uris": [callback.url],
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": {"keys": [self.key.as_dict(private=False)]},
            "require_pushed_authorization_requests": True,
            "scope": "openid profile email",
        }
        headers = {"Authorization": f"Bearer {registration_token}"}
        answer = httpx2.post(self.endpoints["registration_endpoint"], json=metadata, headers=headers)
        assert answer.status_code == 201, answer.text
        self.registered = answer.json()
        self.id = self.registered["client_id"]

    def post(self, endpoint: str, **form: str) -> httpx2.Response:
        now = int(time.time())
        claims = {"iss": self.id, "sub": self.id, "aud": self.endpoints["issuer"], "exp": now + 60, "iat": now}
        assertion = jwt.encode({"alg": "ES256"}, claims | {"jti": secrets.token_hex(16)}, self.key)
        proof = {"client_id": self.id, "client_assertion_type": TYPE, "client_assertion": assertion}
        return httpx2.post(self.endpoints[f"{endpoint}_endpoint"], data=form | proof)

    def push(self, verifier: str, **more: str) -> str:
        """The address that a browser is sent to."""
        request = {
            "response_type": "code",
            "redirect_uri": self.callback.url,
            "scope": "openid profile",
            "response_mode": "form_post",
            "state": "a b&c",
            "code_challenge": create_s256_code_challenge(verifier),
            "code_challenge_method": "S256",
        }
        pushed = self.post("pushed_authorization_request", **request | more)
        assert pushed.status_code == 201, pushed.text
        query = {"client_id": self.id, "request_uri": pushed.json()["request_uri"]}
        return str(httpx2.URL(self.endpoints["authorization_endpoint"], params=query))


@pytest.fixture(scope="module")
def base(platform):
    return platform.environment["ONEHALL_BASE_URL"]


@pytest.fixture(scope="module")
def callback() -> Iterator[Callback]:
    callback = Callback()
    yield callback
    callback.close()


@pytest.fixture(scope="module")
def program(platform, base, callback) -> Program:
    command = [sys.executable, "-m", "cli", "client", "registration-token", "--until", "2999-12-31"]
    done = subprocess.run(command, env=os.environ | platform.environment, capture_output=True, check=True)
    return Program(base, json.loads(done.stdout)["initial_access_token"], callback)


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def sign_in(page: Page, address: str) -> None:
    """In the language that the client asked for, by the name that it knew."""
    say = CATALOGUES["zh-Hant"]
    page.context.clear_cookies()
    page.goto(address)
    assert page.locator("html").get_attribute("lang") == "zh-Hant"
    assert page.locator("#username").input_value() == "citizen2"
    page.locator("#password").fill(PASSWORD)
    page.locator("form:has(#password) button").click()
    page.get_by_role("heading", name=say("consent.title", client="Library of the people")).wait_for()
    page.locator("button[name=decision][value=allow]").click()


HINTS = {"login_hint": "citizen2", "ui_locales": "fr zh-TW en", "prompt": "consent"}


@pytest.mark.parametrize("scripts", [False, True], ids=["without scripts", "with scripts"])
def test_a_person_signs_in_to_a_program_that_registered_itself(browser, base, program, scripts):
    verifier, before = generate_token(48), len(program.callback.answers)
    with visiting(browser, base, scripts=scripts) as page:
        sign_in(page, program.push(verifier, **HINTS))
        if not scripts:
            page.get_by_role("button", name=CATALOGUES["zh-Hant"]("form-post.button"), exact=True).click()
        page.wait_for_url(program.callback.url)
    wait_until("the program has its answer", lambda: len(program.callback.answers) == before + 1)
    answer = program.callback.answers[-1]
    assert (answer["state"], answer["iss"]) == ("a b&c", base)
    form = {"grant_type": "authorization_code", "code": answer["code"], "redirect_uri": program.callback.url}
    tokens = program.post("token", **form, code_verifier=verifier)
    assert tokens.status_code == 200, tokens.text
    headers = {"Authorization": f"Bearer {tokens.json()['access_token']}"}
    person = httpx2.get(program.endpoints["userinfo_endpoint"], headers=headers).json()
    assert person["preferred_username"] == "citizen2"


def test_a_program_that_pushes_is_answered_nothing_otherwise(base, program):
    query = {"client_id": program.id, "redirect_uri": program.callback.url, "response_type": "code", "scope": "openid"}
    challenge = {"code_challenge": create_s256_code_challenge(generate_token(48)), "code_challenge_method": "S256"}
    answer = httpx2.get(program.endpoints["authorization_endpoint"], params=query | challenge)
    assert "error=invalid_request" in answer.headers["Location"]
    assert f"iss={httpx2.QueryParams({'iss': base})}".removeprefix("iss=") in answer.headers["Location"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_that_posts_the_answer_is_for_everybody(browser, base, program, language):
    hints = {"ui_locales": language, "prompt": "consent"}
    with visiting(browser, base, language) as page:
        page.add_init_script(AXE_SCRIPT)
        # else it is gone before it is looked at
        page.route("**/static/form-post.js", lambda route: route.abort())
        page.goto(program.push(generate_token(48), **hints))
        page.locator("#username").fill("citizen2")
        page.locator("#password").fill(PASSWORD)
        page.locator("form:has(#password) button").click()
        page.locator("button[name=decision][value=allow]").click()
        page.locator("#form-post button").wait_for()
        require_for_everybody(page, language)


def test_a_program_reads_and_ends_what_it_registered(base, program):
    registered = program.registered
    headers = {"Authorization": f"Bearer {registered['registration_access_token']}"}
    assert httpx2.get(registered["registration_client_uri"], headers=headers).json()["client_name"]
    assert httpx2.delete(registered["registration_client_uri"], headers=headers).status_code == 204
    assert program.post("token", grant_type="authorization_code", code="x").status_code == 401
