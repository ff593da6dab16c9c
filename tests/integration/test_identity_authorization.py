"""The authorization endpoint: who is sent where, and with what."""

from __future__ import annotations

import pytest

from services.identity.domain import SESSION_ABSOLUTE, SESSION_IDLE
from tests.integration import identity_driver
from tests.integration.identity_driver import CHALLENGE, REDIRECTS, login_page, race, returned


def test_a_stranger_signs_in_first(driver):
    assert driver.authorize("web") == login_page("web")


def test_the_second_client_asks_no_password(signed_in):
    for client in ("web", "hall", "app"):
        answered = returned(signed_in.authorize(client))
        assert answered["state"] == "s t&ate"
        assert len(answered["code"]) >= 43


def test_a_code_goes_to_the_port_that_the_app_listens_on(signed_in):
    page = signed_in.authorize("app", redirect_uri="http://[::1]:55555/callback")
    assert page["location"].startswith("http://[::1]:55555/callback?code=")
    assert signed_in.authorize("app", redirect_uri="onehall://callback")["location"].startswith("onehall://callback?")


@pytest.mark.parametrize(
    ("client", "changes"),
    [
        ("nobody", {"redirect_uri": "https://evil.example/cb"}),
        ("web", {"client_id": None}),
        ("web", {"client_id": "web\0"}),
        ("web", {"redirect_uri": None}),
        ("web", {"redirect_uri": "https://evil.example/cb"}),
        ("web", {"redirect_uri": REDIRECTS["web"] + "/"}),
        ("web", {"redirect_uri": REDIRECTS["web"] + '?x="<script>'}),
        ("web", {"redirect_uri": REDIRECTS["hall"]}),
        ("web", {"redirect_uri": "http://127.0.0.1:8001/callback"}),
        ("web", {"redirect_uri": "https://evil.example/cb", "code_challenge": None}),
        ("web", {"redirect_uri": "https://evil.example/cb", "response_type": "token"}),
        ("nobody", {"response_type": None}),
        ("app", {"redirect_uri": "http://localhost:40123/callback"}),
    ],
)
def test_an_unknown_client_or_address_is_never_redirected_to(signed_in, client, changes):
    page = signed_in.authorize(client, **changes)
    assert page["page"] == "error"
    assert page["error"] in ("invalid_client", "invalid_request", "unsupported_response_type")
    assert page["description"] is not None


@pytest.mark.parametrize("client", ["web", "app", "rp-test"])
@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge": None},
        {"code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": "s256"},
        {"code_challenge": "short"},
    ],
)
def test_every_client_proves_itself_with_s256(signed_in, client, changes):
    assert signed_in.refused(client, **changes)["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": '"'}, "unsupported_response_type"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "openid contacts"}, "invalid_scope"),
        ({"scope": "openid events"}, "invalid_scope"),
        ({"scope": "openid root"}, "invalid_scope"),
        ({"prompt": "create"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"request": "e30."}, "request_not_supported"),
        ({"request_uri": "https://rp.example/request"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
    ],
)
def test_other_faults_are_told_to_the_client(signed_in, changes, error):
    answered = signed_in.refused("rp-test", **changes)
    assert answered["error"] == error
    assert answered["state"] == "s t&ate"


def test_faults_are_told_before_anybody_signs_in(driver):
    assert driver.refused("rp-test", scope="root")["error"] == "invalid_scope"


def test_a_repeated_parameter_is_refused(signed_in):
    page = signed_in.open(signed_in.url("web") + "&client_id=app")
    assert (page["page"], page["error"]) == ("error", "invalid_request")


def test_a_client_without_the_grant_gets_no_code(signed_in):
    page = signed_in.authorize("kiosk", redirect_uri=f"{identity_driver.BASE}/kiosk/callback")
    assert page["page"] == "error"


def test_silence_is_kept(driver):
    assert driver.refused("web", prompt="none")["error"] == "login_required"
    driver.sign_in(driver.register())
    assert "code" in returned(driver.authorize("web", prompt="none"))
    assert driver.refused("rp-test", prompt="none")["error"] == "consent_required"
    assert driver.refused("web", prompt="none", max_age="0")["error"] == "login_required"


@pytest.mark.parametrize("demand", [{"prompt": "login"}, {"prompt": "select_account"}, {"max_age": "0"}])
def test_a_demanded_login_is_shown_once_for_each_request(driver, demand):
    account = driver.register()
    driver.sign_in(account)
    driver.after(seconds=5)
    url = driver.url("web", **demand)
    assert driver.open(url) == login_page("web")
    assert driver.open(url) == login_page("web")
    driver.after(seconds=20)
    driver.sign_in(account, request=url)
    driver.after(seconds=1)
    assert "code" in returned(driver.open(url))
    assert driver.open(url) == login_page("web")


@pytest.mark.parametrize("demand", [{"prompt": "login"}, {"prompt": "select_account"}, {"max_age": "0"}])
def test_a_request_that_was_seen_before_takes_no_sign_in_for_another(driver, demand):
    url = driver.url("web", **demand)
    # whoever has the address can open it, without any session, as often as they like
    assert driver.open(url) == login_page("web")
    driver.after(seconds=20)
    account = driver.register()
    for request in (None, driver.url("web"), driver.url("web", **demand)):
        driver.sign_in(account, request=request)
        driver.after(seconds=1)
        assert driver.open(url) == login_page("web")


def test_a_demanded_login_may_be_the_first(driver):
    url = driver.url("web", prompt="login")
    assert driver.open(url) == login_page("web")
    driver.sign_in(driver.register(), request=url)
    assert "code" in returned(driver.open(url))


def test_of_two_requests_with_one_sign_in_one_is_answered(driver):
    account = driver.register()
    for _ in range(5):
        url = driver.url("web", prompt="login")
        driver.sign_in(account, request=url)
        pages = race(*(lambda url=url: driver.open(url) for _ in range(3)))
        assert sorted(page["page"] for page in pages) == ["login", "login", "redirect"]


def test_a_login_and_a_consent_may_be_demanded_together(driver):
    url = driver.url("rp-test", prompt="login consent")
    assert driver.open(url) == login_page("rp-test")
    driver.sign_in(driver.register(), request=url)
    assert driver.open(url)["page"] == "consent"
    assert "code" in returned(driver.open(url, decision="allow"))
    assert driver.open(url) == login_page("rp-test")


def test_who_says_no_has_answered_the_demanded_login(driver):
    url = driver.url("rp-test", prompt="login")
    driver.sign_in(driver.register(), request=url)
    assert returned(driver.open(url, decision="deny"))["error"] == "access_denied"
    assert driver.open(url) == login_page("rp-test")


def test_another_spelling_of_the_same_request_demands_no_second_login(driver):
    url = driver.url("web", prompt="login")
    driver.sign_in(driver.register(), request=url)
    assert "code" in returned(driver.open(url.replace("+", "%20").replace("%2F", "/")))


def test_max_age_asks_who_signed_in_too_long_ago(driver):
    account = driver.register()
    driver.sign_in(account)
    driver.after(seconds=60)
    assert "code" in returned(driver.authorize("web", max_age="60"))
    driver.after(seconds=1)
    url = driver.url("web", max_age="60")
    assert driver.open(url) == login_page("web")
    driver.sign_in(account)
    driver.after(seconds=61)
    assert driver.open(url) == login_page("web")
    driver.sign_in(account, request=url)
    driver.after(seconds=61)
    assert "code" in returned(driver.open(url))


def test_a_session_ends_by_idleness_and_by_age(driver):
    driver.sign_in(driver.register())
    idle = SESSION_IDLE.total_seconds() - 60
    for _ in range(int(SESSION_ABSOLUTE.total_seconds() // idle)):
        driver.after(seconds=idle)
        assert "code" in returned(driver.authorize("web"))
    driver.after(seconds=idle)
    assert driver.authorize("web") == login_page("web")


def test_an_idle_session_ends(driver):
    driver.sign_in(driver.register())
    driver.after(seconds=SESSION_IDLE.total_seconds())
    assert driver.authorize("web") == login_page("web")


def test_strangers_among_clients_ask_for_consent_once(signed_in):
    page = signed_in.authorize("rp-test", scope="openid cases")
    assert page["page"] == "consent"
    assert page["client"] == "Relying party of the tests"
    assert page["scopes"] == ["openid", "cases"]
    assert page["username"].startswith("test-")
    assert "code" in returned(signed_in.authorize("rp-test", scope="openid cases", decision="allow"))
    assert "code" in returned(signed_in.authorize("rp-test", scope="openid"))
    assert signed_in.authorize("rp-test", scope="openid email")["page"] == "consent"
    assert "code" in returned(signed_in.authorize("rp-test", scope="openid email", decision="allow"))
    assert "code" in returned(signed_in.authorize("rp-test", scope="openid email cases"))
    assert signed_in.authorize("rp-test", scope="openid", prompt="consent")["page"] == "consent"


def test_who_says_no_is_asked_again_next_time(signed_in):
    assert signed_in.refused("rp-test", decision="deny")["error"] == "access_denied"
    assert signed_in.authorize("rp-test")["page"] == "consent"


def test_consent_needs_somebody_who_is_signed_in(driver):
    assert driver.authorize("rp-test", decision="allow") == login_page("rp-test")
    assert driver.authorize("rp-test", decision="deny") == login_page("rp-test")


def test_the_nonce_and_the_challenge_of_the_request_bind_the_code(signed_in):
    tokens = signed_in.tokens("web", nonce="n-1", code_challenge=CHALLENGE)
    assert identity_driver.claims_of(tokens["id_token"])["nonce"] == "n-1"
