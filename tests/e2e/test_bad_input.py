"""Bad input gets a clear answer that says what to do, and changes nothing."""

import uuid

import httpx2
import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import ECKey

from cli.oidc import authorize
from tests.people import APP

VERIFIER = "v" * 43


@pytest.fixture
def base(platform):
    return platform.environment["ONEHALL_BASE_URL"]


@pytest.fixture
def browser(base):
    with httpx2.Client(base_url=base) as browser:
        yield browser


def authorization(**changes):
    parameters = {
        "client_id": "app",
        "response_type": "code",
        "redirect_uri": APP.redirect_uri,
        "scope": "openid cases",
        "state": "s",
        "code_challenge": create_s256_code_challenge(VERIFIER),
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in (parameters | changes).items() if value is not None}


def problem_of(response, status):
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == status
    assert problem["title"]
    return problem


@pytest.mark.parametrize(("username", "password"), [("citizen", "wrong"), ("nobody", "onehall-demo")])
def test_a_refused_sign_in_says_the_same_whatever_the_reason(browser, username, password):
    page = browser.get("/oauth/authorize", params=authorization(), follow_redirects=True)
    assert page.status_code == httpx2.codes.OK
    refused = browser.post(page.url, data={"username": username, "password": password})
    assert refused.status_code == httpx2.codes.UNAUTHORIZED
    assert username not in refused.text.replace(f'value="{username}"', "")
    assert (
        browser.get("/oauth/authorize", params=authorization(prompt="none")).headers["Location"].count("login_required")
    )


@pytest.mark.parametrize(
    "change",
    [{"client_id": "nobody"}, {"redirect_uri": "https://evil.example/callback"}, {"redirect_uri": None}],
    ids=str,
)
def test_an_unknown_client_or_address_is_never_redirected_to(browser, change):
    response = browser.get("/oauth/authorize", params=authorization(**change))
    if change == {"redirect_uri": None}:
        # the only registered one may stand in for it (RFC 6749, section 3.1.2.3); `app` has several
        assert "evil" not in response.headers.get("Location", "")
    assert response.status_code == httpx2.codes.BAD_REQUEST
    assert "Location" not in response.headers


@pytest.mark.parametrize("change", [{"code_challenge": None}, {"code_challenge_method": "plain"}], ids=str)
def test_without_pkce_s256_no_code_is_given(browser, change):
    response = browser.get("/oauth/authorize", params=authorization(**change))
    assert response.headers["Location"].startswith(APP.redirect_uri)
    assert "error=invalid_request" in response.headers["Location"]
    assert "code=" not in response.headers["Location"]


def test_a_code_works_once(browser, base):
    url = httpx2.URL(f"{base}/oauth/authorize", params=authorization())
    answer = httpx2.URL(authorize(browser, str(url), APP.redirect_uri, "citizen", "onehall-demo"))
    exchange = {
        "grant_type": "authorization_code",
        "code": answer.params["code"],
        "redirect_uri": APP.redirect_uri,
        "client_id": "app",
        "code_verifier": VERIFIER,
    }
    assert browser.post("/oauth/token", data=exchange).status_code == httpx2.codes.OK
    replayed = browser.post("/oauth/token", data=exchange)
    assert replayed.status_code == httpx2.codes.BAD_REQUEST
    assert replayed.json()["error"] == "invalid_grant"


def test_a_form_that_breaks_its_schema_is_told_every_wrong_field(people):
    form = people.example("residence-permit")
    wrong = dict.fromkeys(list(form)[:2], 7)
    body = {"item": "residence-permit", "form": form | wrong}
    problem = problem_of(people.sign_in("citizen").post("/api/v1/cases", json=body), 422)
    assert {error["pointer"] for error in problem["errors"]} >= {f"/form/{name}" for name in wrong}


def test_another_citizens_case_is_not_there(people):
    number = people.file("citizen").json()["number"]
    stranger = people.sign_in("citizen2")
    problem_of(stranger.get(f"/api/v1/cases/{number}"), 404)
    problem_of(stranger.get(f"/api/v1/cases/{number}/history"), 404)
    problem_of(people.act("citizen2", number, "withdraw"), 404)
    assert number not in stranger.get("/api/v1/cases").text


def test_another_departments_officer_does_not_see_the_case(people):
    number = people.file("citizen").json()["number"]
    problem_of(people.sign_in("officer2").get(f"/api/v1/cases/{number}"), 404)
    assert people.sign_in("officer").get(f"/api/v1/cases/{number}").status_code == httpx2.codes.OK


def test_an_action_that_the_status_forbids_is_409_and_one_that_the_person_may_not_do_403(people):
    number = people.file("citizen").json()["number"]
    problem_of(people.act("officer", number, "approve"), 409)
    problem_of(people.act("citizen", number, "approve"), 403)
    problem_of(people.act("clerk", number, "approve"), 403)
    assert [entry["event"] for entry in people.history(number)] == ["case.submitted"]


def test_a_rating_is_given_once_by_the_applicant_after_the_end(people):
    number = people.file("citizen").json()["number"]
    problem_of(people.rate(number), 409)
    people.close(number)
    problem_of(people.rate(number, score=6), 422)
    assert people.rate(number).is_success
    problem_of(people.rate(number), 409)


def test_the_same_idempotency_key_gives_the_same_case_and_another_body_is_refused(people):
    key = str(uuid.uuid4())
    first, again = people.file(key=key), people.file(key=key)
    assert first.json()["number"] == again.json()["number"]
    problem_of(people.file(item="elderly-card", key=key), 422)


def test_a_body_over_a_megabyte_is_413_with_or_without_its_length(base, people):
    token = people.sign_in("citizen").token["access_token"]
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    large = b'{"item": "' + b"x" * 1_100_000 + b'"}'
    for content in (large, iter([large[:600_000], large[600_000:]])):
        problem_of(httpx2.post(f"{base}/api/v1/cases", content=content, headers=headers), 413)


def test_broken_json_is_400(people):
    headers = {"Content-Type": "application/json"}
    problem_of(people.sign_in("citizen").post("/api/v1/cases", content=b'{"item":', headers=headers), 400)


def test_an_unknown_item_is_refused(people):
    problem_of(people.sign_in("citizen").post("/api/v1/cases", json={"item": "no-such-item", "form": {}}), 404)


def foreign_token(base):
    key = ECKey.generate_key("P-256", {"kid": "foreign"})
    claims = {"iss": base, "sub": "x", "aud": "urn:onehall:api", "client_id": "app", "scope": "cases", "exp": 2**31}
    return jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": "foreign"}, claims, key)


@pytest.mark.parametrize("kind", ["none", "garbage", "foreign", "id token"])
def test_without_a_token_of_ours_for_this_api_the_answer_is_401(base, people, kind):
    tokens = {
        "none": lambda: None,
        "garbage": lambda: "abc.def.ghi",
        "foreign": lambda: foreign_token(base),
        "id token": lambda: people.sign_in("citizen").token["id_token"],
    }
    token = tokens[kind]()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    response = httpx2.get(f"{base}/api/v1/cases", headers=headers)
    problem_of(response, 401)
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
