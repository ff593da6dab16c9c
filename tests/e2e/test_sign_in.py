"""One login: signed in once, a second client asks no password; strangers' clients ask consent."""

from contextlib import closing

import httpx2
import pytest
from authlib.common.security import generate_token
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from cli.oidc import Client, authorize, sign_in

RP_TEST = Client(
    "rp-test",
    "http://127.0.0.1:9555/callback",
    "onehall-demo-secret",
    "openid profile email offline_access cases",
)


@pytest.fixture
def base(platform):
    return platform.environment["ONEHALL_BASE_URL"]


def authorization_url(base, client, **more):
    verifier = generate_token(48)
    parameters = {
        "client_id": client.client_id,
        "response_type": "code",
        "redirect_uri": client.redirect_uri,
        "scope": "openid",
        "code_challenge": create_s256_code_challenge(verifier),
        "code_challenge_method": "S256",
    }
    return str(httpx2.URL(f"{base}/oauth/authorize", params=parameters | more))


def test_the_second_client_asks_no_password(base):
    app = Client("app", "http://127.0.0.1:9777/callback")
    web = Client("web", f"{base}/callback")
    with httpx2.Client() as browser:
        authorize(browser, authorization_url(base, app), app.redirect_uri, "citizen", "onehall-demo")
        answer = browser.get(authorization_url(base, web))
    assert answer.headers["Location"].startswith(web.redirect_uri)
    assert "code=" in answer.headers["Location"]


def test_a_client_that_asks_for_a_new_sign_in_gets_one_each_time(base):
    app = Client("app", "http://127.0.0.1:9777/callback")
    with httpx2.Client() as browser:
        authorize(browser, authorization_url(base, app), app.redirect_uri, "citizen", "onehall-demo")
        url = authorization_url(base, app, prompt="login", state="one")
        assert "/login" in browser.get(url).headers["Location"], "the session that is there does not do"
        assert "code=" in authorize(browser, url, app.redirect_uri, "citizen", "onehall-demo")
        assert "/login" in browser.get(url).headers["Location"], "nor the sign-in of an earlier answer"


def test_a_client_that_is_not_ours_asks_consent_and_no_means_no(base):
    with httpx2.Client() as browser:
        page = browser.get(authorization_url(base, RP_TEST, scope="openid email"), follow_redirects=True)
        signed_in = browser.post(page.url, data={"username": "citizen2", "password": "onehall-demo"})
        consent = browser.get(httpx2.URL(base).join(signed_in.headers["Location"]))
        assert 'name="decision"' in consent.text
        refused = browser.post(consent.url, data={"decision": "deny"})
    assert refused.headers["Location"].startswith(RP_TEST.redirect_uri)
    assert "error=access_denied" in refused.headers["Location"]


def test_a_strangers_client_signs_in_refreshes_reads_userinfo_and_revokes(base):
    endpoints = httpx2.get(f"{base}/.well-known/openid-configuration").json()
    with closing(sign_in(base, RP_TEST, "citizen", "onehall-demo")) as session:
        person = session.get(endpoints["userinfo_endpoint"]).json()
        assert person["email"] == "citizen@example.org"
        first = session.token
        renewed = session.refresh_token(endpoints["token_endpoint"])
        assert renewed["refresh_token"] != first["refresh_token"]
        assert session.get(endpoints["userinfo_endpoint"]).json()["sub"] == person["sub"]
        session.revoke_token(endpoints["revocation_endpoint"], renewed["refresh_token"], "refresh_token")
    answer = httpx2.post(
        endpoints["token_endpoint"],
        data={"grant_type": "refresh_token", "refresh_token": renewed["refresh_token"]},
        auth=(RP_TEST.client_id, RP_TEST.secret),
    )
    assert answer.json()["error"] == "invalid_grant"


def test_a_department_gets_a_token_for_itself(base):
    endpoints = httpx2.get(f"{base}/.well-known/openid-configuration").json()
    answer = httpx2.post(
        endpoints["token_endpoint"],
        data={"grant_type": "client_credentials"},
        auth=("dept-civil-affairs", "onehall-demo-secret"),
    )
    assert answer.status_code == httpx2.codes.OK
    assert "refresh_token" not in answer.json()


def test_the_issuer_is_the_base_address(base):
    assert httpx2.get(f"{base}/.well-known/openid-configuration").json()["issuer"] == base
