"""What a person sees of their sessions and apps, and what ends when they end one."""

from __future__ import annotations

import pytest

from contracts.actors import Actor
from contracts.errors import NotPermitted, SessionEnded
from services.identity import commands
from services.identity.domain import SESSION_IDLE
from services.identity.sessions import own
from services.identity.web_sessions import save_web_session, use_web_session
from tests.integration.identity_driver import PASSWORD, Driver, at_once, claims_of

ONLINE = "openid cases"


@pytest.fixture
def driver(signed_in):
    return signed_in


def actor_of(driver, **more):
    return Actor(driver.account.subject, client="web", channel="web", **more)


def seen(driver, actor=None):
    with driver.database.transaction() as transaction:
        return own.list_sessions(transaction, actor or actor_of(driver), driver.session or "", driver.now)


def do(driver, function, *arguments, actor=None):
    with driver.database.transaction() as transaction:
        function(transaction, actor or actor_of(driver), driver.session or "", *arguments, driver.now)


def elsewhere(driver, browser="Safari, iPhone"):
    """The same person in another browser."""
    other = Driver(driver.database, now=driver.now, account=driver.account)
    account = (driver.account.username, PASSWORD, "web", driver.now)
    other.session = commands.sign_in(other.database, at_once, *account, browser=browser)["session"]
    return other


def apps(driver):
    return {app["client"]: app for app in seen(driver)["apps"]}


def iso(moment):
    return moment.isoformat().replace("+00:00", "Z")


def is_signed_in(driver):
    return "code=" in str(driver.authorize("web", prompt="none"))


def works(driver, tokens):
    return driver.userinfo(tokens["access_token"]).status == 200


def page_session(driver):
    tokens = driver.tokens("web")
    with driver.database.transaction() as transaction:
        return save_web_session(transaction, driver.web_sessions(transaction), "web", tokens, driver.now)


def is_page_live(driver, secret):
    with driver.database.transaction() as transaction:
        return use_web_session(transaction, driver.web_sessions(transaction), secret, driver.now) is not None


# What one sees


def test_every_browser_is_there_and_this_one_is_marked(driver):
    began = driver.now
    driver.after(minutes=5)
    other = elsewhere(driver)
    driver.after(seconds=1)
    here, there = seen(driver)["sessions"]
    assert (here["is_this"], there["is_this"]) == (True, False)
    assert (here["browser"], there["browser"]) == (None, "Safari, iPhone")
    assert here["signed_in_at"] == iso(began)
    # a name and no secret
    assert there["id"] == claims_of(other.tokens("web")["id_token"])["sid"]
    assert other.session not in str(seen(driver))


def test_what_is_over_is_not_there(driver):
    elsewhere(driver)
    driver.after(seconds=SESSION_IDLE.total_seconds() / 2)
    assert is_signed_in(driver)
    driver.after(seconds=SESSION_IDLE.total_seconds() / 2 + 1)
    assert [session["is_this"] for session in seen(driver)["sessions"]] == [True]


def test_an_app_shows_what_it_may_since_when(driver):
    began = driver.now
    driver.tokens("rp-test", scope="openid profile offline_access")
    driver.after(minutes=3)
    driver.tokens("rp-test", scope="openid offline_access")
    (app,) = seen(driver)["apps"]
    assert (app["name"], app["is_lasting"]) == ("Relying party of the tests", True)
    assert app["since"] == iso(began)
    assert app["scopes"] == ["openid", "profile", "offline_access"]


def test_an_app_of_our_own_that_nobody_agreed_to_is_there_too(driver):
    driver.tokens("app")
    assert apps(driver)["app"]["is_lasting"]


def test_our_own_pages_are_no_app(driver):
    page_session(driver)
    assert seen(driver)["apps"] == []


def test_a_kiosk_is_an_app_of_its_own(driver):
    device = driver.start_device()
    driver.answer_device(device["user_code"], "allow")
    driver.poll(device["device_code"])
    assert "kiosk" in apps(driver)


def test_what_only_works_in_the_session_goes_with_it(driver):
    client = driver.add_client(first_party=True).id
    driver.tokens(client, scope=ONLINE)
    assert not apps(driver)[client]["is_lasting"]
    other = elsewhere(driver)
    do(other, own.end_other_sessions)
    assert client not in apps(other)


def test_nobody_elses_is_there(driver):
    driver.tokens("rp-test")
    stranger = Driver(driver.database, now=driver.now)
    stranger.account = stranger.register()
    stranger.sign_in(stranger.account)
    shown = seen(stranger)
    assert ([session["is_this"] for session in shown["sessions"]], shown["apps"]) == ([True], [])


# Who may


def everything(driver, actor):
    yield lambda: seen(driver, actor)
    yield lambda: do(driver, own.end_session, "sid", actor=actor)
    yield lambda: do(driver, own.end_other_sessions, actor=actor)
    yield lambda: do(driver, own.end_app, "rp-test", actor=actor)


def test_it_takes_the_browser_where_the_person_is_signed_in(driver):
    """A token, which an app may have or lose, opens none of it."""
    driver.session = "stolen-token-only"
    for attempt in everything(driver, None):
        with pytest.raises(SessionEnded):
            attempt()


def test_a_session_of_somebody_else_is_no_way_in(driver):
    stranger = driver.register()
    for attempt in everything(driver, Actor(stranger.subject, client="web", channel="web")):
        with pytest.raises(SessionEnded):
            attempt()


def test_who_acts_for_the_person_may_not(driver):
    for attempt in everything(driver, actor_of(driver, act="somebody")):
        with pytest.raises(NotPermitted):
            attempt()


# What ends


def test_a_browser_that_is_ended_is_signed_out_everywhere(driver):
    other = elsewhere(driver)
    secret, online = page_session(other), other.tokens("rp-test", scope=ONLINE)
    mine = driver.tokens("rp-test", scope=ONLINE)
    (there,) = (session for session in seen(driver)["sessions"] if not session["is_this"])
    do(driver, own.end_session, there["id"])
    assert not is_signed_in(other)
    assert not is_page_live(other, secret)
    assert not works(other, online)
    assert driver.as_client("rp-test", "introspect", token=online["access_token"]).json == {"active": False}
    assert is_signed_in(driver)
    assert works(driver, mine)


def test_all_others_end_and_this_one_stays(driver):
    others = [elsewhere(driver) for _ in range(3)]
    do(driver, own.end_other_sessions)
    assert not any(is_signed_in(other) for other in others)
    assert is_signed_in(driver)
    assert len(seen(driver)["sessions"]) == 1


def test_an_app_that_is_ended_is_gone_and_asks_again(driver):
    lasting = driver.tokens("rp-test")
    do(driver, own.end_app, "rp-test")
    assert "rp-test" not in apps(driver)
    assert driver.refresh("rp-test", lasting["refresh_token"]).json["error"] == "invalid_grant"
    assert driver.as_client("rp-test", "introspect", token=lasting["access_token"]).json == {"active": False}
    assert driver.authorize("rp-test")["page"] == "consent"
    assert is_signed_in(driver)


def test_a_device_that_was_allowed_and_has_not_come_yet_gets_nothing(driver):
    device = driver.start_device()
    driver.answer_device(device["user_code"], "allow")
    do(driver, own.end_app, "rp-test")
    do(driver, own.end_app, "kiosk")
    assert driver.poll(device["device_code"]).status == 400


@pytest.mark.parametrize("function", [own.end_session, own.end_app])
def test_what_is_not_there_ends_nothing(driver, function):
    other = elsewhere(driver)
    do(driver, function, "nothing")
    assert is_signed_in(driver)
    assert is_signed_in(other)
