"""`mod_auth_openidc`: a department's web server lets in whom the platform signs in, without a line of code."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from urllib.parse import quote

import httpx2
import pytest

from cli.demo import SECRET
from tests.apache import Apache, free_port, guarding, require_installed
from tests.processes import wait_until
from tests.strangers import Person


@pytest.fixture(scope="module")
def apache(issuer: str, onehall: Callable[..., str]) -> Iterator[Apache]:
    require_installed()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    relying_party = json.loads(
        onehall(
            *("client", "add", f"apache-{port}", "--name", "Apache", "--scope", "openid profile email"),
            *("--redirect-uri", f"{url}/callback", "--post-logout-uri", f"{url}/out"),
            *("--backchannel-logout-uri", f"{url}/callback?logout=backchannel"),
        )
    )
    resource_server = json.loads(
        onehall("client", "add", f"api-{port}", "--grant", "client_credentials", "--scope", "introspect")
    )
    with guarding(port, issuer, relying_party, resource_server) as apache:
        yield apache


@pytest.fixture
def person(apache: Apache) -> Iterator[Person]:
    person = Person("citizen2", apache.redirect_uri)
    yield person
    person.close()


def sign_in(person: Person, apache: Apache) -> httpx2.Response:
    """To a page that is for the signed in, and by what the provider answers back to it."""
    asked = person.browser.get(f"{apache.url}/index.html")
    assert asked.status_code == 302, apache.log.read_text()
    return person.browser.get(person.open(asked.headers["Location"]), follow_redirects=True)


def test_apache_signs_people_in(apache: Apache, person: Person) -> None:
    page = sign_in(person, apache)
    assert page.status_code == 200, apache.log.read_text()
    assert page.url.path == "/index.html"
    assert page.headers["Person"] == "citizen2"
    assert person.browser.get(page.url).status_code == 200, "and they stay signed in"


def test_apache_hears_that_somebody_signed_out_elsewhere(apache: Apache, person: Person, issuer: str) -> None:
    page = sign_in(person, apache)
    assert person.browser.post(f"{issuer}/logout").status_code == 303
    wait_until("Apache asks to sign in", lambda: person.browser.get(page.url).status_code == 302)


def test_apache_signs_people_out_everywhere(apache: Apache, person: Person, issuer: str) -> None:
    sign_in(person, apache)
    out = person.browser.get(
        f"{apache.redirect_uri}?logout={quote(f'{apache.url}/out', safe='')}", follow_redirects=True
    )
    # it shows the ID token, so that nobody is asked; and comes back to where it wanted
    assert (out.status_code, str(out.url)) == (200, f"{apache.url}/out"), apache.log.read_text()
    assert person.browser.get(f"{issuer}/account/").status_code == 303


def test_apache_believes_no_answer_that_it_did_not_ask_for(apache: Apache, person: Person) -> None:
    asked = person.browser.get(f"{apache.url}/index.html")
    answer = person.open(asked.headers["Location"])
    with httpx2.Client() as other:
        assert other.get(answer, follow_redirects=True).status_code != 200


def test_apache_lets_programs_in_by_introspection(apache: Apache, issuer: str) -> None:
    grant = {"grant_type": "client_credentials"}
    answer = httpx2.post(f"{issuer}/oauth/token", auth=("dept-civil-affairs", SECRET), data=grant)
    token = answer.raise_for_status().json()["access_token"]

    def ask(token: str) -> int:
        return httpx2.get(f"{apache.url}/programs", headers={"Authorization": f"Bearer {token}"}).status_code

    assert ask(token) == 200, apache.log.read_text()
    assert ask(token[:-8] + "AAAAAAAA") == 401
