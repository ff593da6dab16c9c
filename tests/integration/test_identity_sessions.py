"""One session over all clients: how it is called, what goes on with it, and what ends with it."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from services.identity.domain import SESSION_IDLE
from services.identity.sessions import commands as sessions
from services.identity.sessions.domain import Reason
from services.identity.sessions.tables import client_sessions, logout_notices
from services.identity.web_sessions import save_web_session, use_web_session
from tests.integration.identity_driver import Driver, claims_of, race

ONLINE = "openid cases"


@pytest.fixture
def driver(signed_in):
    return signed_in


def sid_of(driver, client="web", **changes):
    return claims_of(driver.tokens(client, **changes)["id_token"])["sid"]


def sign_out(driver):
    with driver.database.transaction() as transaction:
        sessions.sign_out(transaction, driver.session, driver.now)


def end_sessions(driver, reason, except_for=None):
    with driver.database.transaction() as transaction:
        sessions.end_sessions(transaction, driver.account.subject, driver.now, except_for=except_for, reason=reason)


def web_session(driver):
    tokens = driver.tokens("web")
    with driver.database.transaction() as transaction:
        return save_web_session(transaction, driver.web_sessions(transaction), "web", tokens, driver.now)


def is_web_session_live(driver, secret):
    with driver.database.transaction() as transaction:
        return use_web_session(transaction, driver.web_sessions(transaction), secret, driver.now) is not None


def is_signed_in(driver):
    return driver.authorize("web", prompt="none")["page"] == "redirect" and "code=" in str(
        driver.authorize("web", prompt="none")
    )


def works(driver, tokens):
    return driver.userinfo(tokens["access_token"]).status == 200


def rows(driver, table):
    with driver.database.transaction() as transaction:
        return transaction.execute(select(table).where(table.c.subject == driver.account.subject)).all()


# How it is called


def test_a_session_has_one_name_at_every_client_that_is_not_its_secret(driver):
    assert sid_of(driver, "web") == sid_of(driver, "app") == sid_of(driver, "rp-test")
    assert sid_of(driver) != driver.session


def test_each_session_has_a_name_of_its_own(driver):
    first, secret = sid_of(driver), driver.session
    driver.session = None
    driver.sign_in(driver.account)
    assert sid_of(driver) != first
    driver.session = secret
    assert sid_of(driver) == first


def test_two_sectors_cannot_put_a_session_together(driver):
    clients = [driver.add_client(subject_type="pairwise", redirect_uris=(f"https://{x}.example/",)) for x in "ab"]
    names = {sid_of(driver, client.id) for client in clients}
    assert len(names | {sid_of(driver, "web")}) == 3
    # to each of them it is one session all the same
    assert names == {sid_of(driver, client.id) for client in clients}


def test_a_refreshed_id_token_names_the_session(driver):
    tokens = driver.tokens("rp-test")
    refreshed = driver.refresh("rp-test", tokens["refresh_token"]).json
    assert claims_of(refreshed["id_token"])["sid"] == claims_of(tokens["id_token"])["sid"]


# Signing in again


def test_who_signs_in_again_goes_on_in_the_same_session_under_another_secret(driver):
    kept, sid, before = web_session(driver), sid_of(driver), driver.session
    online = driver.tokens("rp-test", scope=ONLINE)
    driver.sign_in(driver.account)
    assert driver.session != before
    assert sid_of(driver) == sid
    assert is_web_session_live(driver, kept)
    assert works(driver, online)
    assert rows(driver, logout_notices) == []


def test_the_secret_from_before_a_sign_in_opens_nothing(driver):
    """Session fixation: whoever planted or read it has nothing."""
    before = driver.session
    driver.sign_in(driver.account)
    driver.session = before
    assert not is_signed_in(driver)


def test_a_planted_secret_becomes_nobodys_session(driver):
    driver.session = "planted"
    driver.sign_in(driver.account)
    assert driver.session != "planted"
    driver.session = "planted"
    assert not is_signed_in(driver)


def test_another_account_in_the_same_browser_ends_the_session_before(driver):
    secret, sid = web_session(driver), sid_of(driver)
    online = driver.tokens("rp-test", scope=ONLINE)
    driver.sign_in(driver.register())
    assert sid_of(driver) != sid
    assert not is_web_session_live(driver, secret)
    assert not works(driver, online)
    assert rows(driver, client_sessions) == []


def test_a_session_that_was_idle_for_too_long_does_not_go_on(driver):
    sid = sid_of(driver)
    driver.now += SESSION_IDLE
    driver.sign_in(driver.account)
    assert sid_of(driver) != sid


# Ending


def test_a_sign_out_ends_the_session_at_every_client(driver):
    secret, online = web_session(driver), driver.tokens("rp-test", scope=ONLINE)
    code = driver.code("rp-test")
    sign_out(driver)
    assert not is_signed_in(driver)
    assert not is_web_session_live(driver, secret)
    assert not works(driver, online)
    assert driver.as_client("rp-test", "introspect", token=online["access_token"]).json.get("active") in (None, False)
    assert driver.exchange("rp-test", code).json["error"] == "invalid_grant"


def test_a_sign_out_leaves_what_is_for_while_nobody_is_signed_in(driver):
    """OpenID Connect Core, section 11; Back-Channel Logout, section 2.7."""
    offline = driver.tokens("rp-test")
    sign_out(driver)
    assert driver.refresh("rp-test", offline["refresh_token"]).status == 200
    assert works(driver, offline)


@pytest.mark.parametrize("reason", [Reason.NOT_ME, Reason.CREDENTIALS_CHANGED, Reason.CLOSED])
def test_where_somebody_else_may_have_been_nothing_is_left(driver, reason):
    offline = driver.tokens("rp-test")
    device = driver.start_device()
    driver.answer_device(device["user_code"], "allow")
    kiosk = driver.poll(device["device_code"]).json
    waiting = driver.start_device()
    driver.answer_device(waiting["user_code"], "allow")
    end_sessions(driver, reason)
    assert not is_signed_in(driver)
    assert driver.refresh("rp-test", offline["refresh_token"]).json["error"] == "invalid_grant"
    assert not works(driver, offline)
    assert not works(driver, kiosk)
    assert driver.poll(waiting["device_code"]).status == 400


def test_all_other_sessions_end_and_this_one_stays(driver):
    other, secret = driver.session, web_session(driver)
    driver.session = None
    driver.sign_in(driver.account)
    mine, tokens = web_session(driver), driver.tokens("rp-test")
    end_sessions(driver, Reason.CREDENTIALS_CHANGED, except_for=driver.session)
    assert is_signed_in(driver)
    assert is_web_session_live(driver, mine)
    assert works(driver, tokens)
    assert not is_web_session_live(driver, secret)
    driver.session = other
    assert not is_signed_in(driver)


def test_nobody_elses_session_ends(driver):
    sid = sid_of(driver)
    stranger = driver.register()
    with driver.database.transaction() as transaction:
        assert not sessions.end_session(transaction, stranger.subject, sid, driver.now)
        sessions.end_sessions(transaction, stranger.subject, driver.now, reason=Reason.NOT_ME)
    assert is_signed_in(driver)


def test_an_app_that_is_ended_has_nothing_left(driver):
    offline, mine = driver.tokens("rp-test"), driver.tokens("app")
    assert driver.authorize("rp-test")["page"] == "redirect"
    with driver.database.transaction() as transaction:
        sessions.end_app(transaction, driver.account.subject, "rp-test", driver.now)
    assert driver.refresh("rp-test", offline["refresh_token"]).json["error"] == "invalid_grant"
    assert not works(driver, offline)
    assert driver.authorize("rp-test")["page"] == "consent"
    assert works(driver, mine)
    assert is_signed_in(driver)


def test_our_own_pages_end_with_the_browsers_session_even_before_the_timer_comes(driver):
    secret = web_session(driver)
    driver.now += SESSION_IDLE
    assert not is_web_session_live(driver, secret)


def test_who_uses_our_pages_uses_the_session(driver):
    secret = web_session(driver)
    for _ in range(3):
        driver.now += SESSION_IDLE * 0.6
        assert is_web_session_live(driver, secret)
    assert is_signed_in(driver)


def test_a_session_that_is_over_ends_everywhere(driver):
    client = driver.add_client(backchannel_logout_uri="https://rp.example/out")
    online = driver.tokens(client.id, scope=ONLINE)
    with driver.database.transaction() as transaction:
        while sessions.end_expired(transaction, driver.now + SESSION_IDLE):
            pass
    assert not works(driver, online)
    assert [notice.client_id for notice in rows(driver, logout_notices)] == [client.id]
    assert rows(driver, client_sessions) == []


def test_a_notice_that_nobody_took_in_a_day_is_removed(driver):
    driver.tokens(driver.add_client(backchannel_logout_uri="https://rp.example/out").id)
    sign_out(driver)
    for hours, left in ((23, 1), (2, 0)):
        driver.after(hours=hours)
        with driver.database.transaction() as transaction:
            sessions.remove_old_notices(transaction, driver.now)
        assert len(rows(driver, logout_notices)) == left


def test_only_who_wants_to_know_is_told(driver):
    told = driver.add_client(backchannel_logout_uri="https://rp.example/out")
    for client in ("web", "rp-test", told.id):
        driver.tokens(client)
    sign_out(driver)
    assert [notice.client_id for notice in rows(driver, logout_notices)] == [told.id]


def test_a_client_that_comes_while_the_session_ends_gets_nothing_or_is_told(driver):
    client = driver.add_client(backchannel_logout_uri="https://rp.example/out")
    for _ in range(10):
        code = driver.code(client.id)
        other = Driver(driver.database, driver.session, now=driver.now, account=driver.account)
        replies = race(lambda code=code: driver.exchange(client.id, code), lambda other=other: sign_out(other))
        status = next(reply.status for reply in replies if reply is not None)
        assert len(rows(driver, logout_notices)) == (status == 200)
        with driver.database.transaction() as transaction:
            transaction.execute(logout_notices.delete())
        driver.session = None
        driver.sign_in(driver.account)
