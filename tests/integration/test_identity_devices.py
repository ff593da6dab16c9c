"""Device authorization (RFC 8628): a kiosk asks, a phone answers, and nobody else comes in between."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from services.identity import commands
from services.identity.device import domain, tables
from services.identity.device.domain import MOST_WAITING, MOST_WRONG, MOST_WRONG_OF_ALL
from services.identity.domain import DEVICE_CODE
from tests.integration.identity_driver import BASE, claims_of, race

WRONG = "BBBB-BBBB"


@pytest.fixture
def driver(signed_in):
    with signed_in.database.transaction() as transaction:
        transaction.execute(text("DELETE FROM user_code_tries"))
        transaction.execute(text("DELETE FROM device_authorizations"))
    return signed_in


@pytest.fixture
def device(driver):
    return driver.start_device(device_name="市政务大厅 3 号机")


def error_of(reply):
    assert reply.status == 400, reply.text
    return reply.json["error"]


def test_a_device_gets_two_codes_and_an_address(device):
    assert (device["expires_in"], device["interval"]) == (600, 5)
    assert device["verification_uri"] == f"{BASE}/device"
    assert device["verification_uri_complete"] == f"{BASE}/device?user_code={device['user_code']}"
    assert set(device["user_code"].replace("-", "")) <= set(domain.ALPHABET)


def test_the_phone_sees_what_and_where_and_allows_it(driver, device):
    assert error_of(driver.poll(device["device_code"])) == "authorization_pending"
    # as it is typed: small, with other dashes or none
    page = driver.answer_device(device["user_code"].lower().replace("-", " – "))
    assert page["page"] == "confirm"
    assert (page["client"], page["device_name"]) == ("自助终端", "市政务大厅 3 号机")
    assert "cases" in page["scopes"]
    assert driver.answer_device(device["user_code"], "allow") == {
        "page": "done",
        "decision": "approved",
        "device_name": "市政务大厅 3 号机",
    }
    tokens = driver.poll(device["device_code"]).json
    claims = claims_of(tokens["access_token"])
    assert (claims["sub"], claims["channel"], claims["client_id"]) == (driver.account.subject, "kiosk", "kiosk")
    assert claims_of(tokens["id_token"])["sub"] == driver.account.subject
    assert driver.refresh("kiosk", tokens["refresh_token"]).status == 200


def test_looking_decides_nothing(driver, device):
    driver.answer_device(device["user_code"])
    assert error_of(driver.poll(device["device_code"])) == "authorization_pending"


def test_a_denied_device_hears_it(driver, device):
    driver.answer_device(device["user_code"], "deny")
    assert error_of(driver.poll(device["device_code"])) == "access_denied"
    # and nobody allows it afterwards
    assert driver.answer_device(device["user_code"], "allow") == {"page": "enter", "fault": "unknown"}


def test_nobody_decides_without_signing_in(driver, device):
    driver.session = None
    assert driver.answer_device(device["user_code"], "allow") == {"page": "login"}
    assert error_of(driver.poll(device["device_code"])) == "authorization_pending"


def test_who_polls_too_often_waits_longer_from_then_on(driver, device):
    code = device["device_code"]
    assert error_of(driver.poll(code)) == "authorization_pending"
    driver.after(seconds=2)
    assert error_of(driver.poll(code)) == "slow_down"
    driver.after(seconds=5)
    assert error_of(driver.poll(code)) == "slow_down"
    driver.after(seconds=15)
    assert error_of(driver.poll(code)) == "authorization_pending"
    driver.after(seconds=10)
    assert error_of(driver.poll(code)) == "slow_down"


def test_a_code_expires(driver, device):
    driver.after(minutes=10)
    assert driver.answer_device(device["user_code"]) == {"page": "enter", "fault": "unknown"}
    assert error_of(driver.poll(device["device_code"])) == "expired_token"


def test_an_approval_that_is_not_fetched_expires(driver, device):
    driver.answer_device(device["user_code"], "allow")
    driver.after(minutes=10)
    assert error_of(driver.poll(device["device_code"])) == "expired_token"


def test_what_is_over_is_removed(driver, device):
    driver.after(minutes=21)
    with driver.database.transaction() as transaction:
        commands.remove_expired(transaction, driver.now)
        assert transaction.execute(select(tables.device_authorizations)).first() is None
    assert error_of(driver.poll(device["device_code"])) == "invalid_grant"


# Attacks


def test_a_device_code_works_once(driver, device):
    driver.answer_device(device["user_code"], "allow")
    assert driver.poll(device["device_code"]).status == 200
    assert error_of(driver.poll(device["device_code"])) == "invalid_grant"


def test_of_two_polls_at_once_one_gets_the_tokens(driver, device):
    driver.answer_device(device["user_code"], "allow")
    replies = race(*[lambda: driver.poll(device["device_code"])] * 4)
    assert sorted(reply.status for reply in replies) == [200, 400, 400, 400]


def test_a_user_code_is_decided_once(driver, device):
    pages = race(*[lambda: driver.answer_device(device["user_code"], "allow")] * 3)
    assert sorted(page["page"] for page in pages) == ["done", "enter", "enter"]


def test_another_client_cannot_fetch_it(driver, device):
    driver.answer_device(device["user_code"], "allow")
    other = driver.add_client(secret_hash=None, auth_methods=("none",), grants=(DEVICE_CODE,))
    assert error_of(driver.poll(device["device_code"], other.id)) == "invalid_grant"
    assert driver.poll(device["device_code"]).status == 200


def test_the_code_on_the_screen_is_no_device_code(driver, device):
    driver.answer_device(device["user_code"], "allow")
    assert error_of(driver.poll(device["user_code"])) == "invalid_grant"


def test_who_guesses_codes_is_stopped_even_before_a_right_one(driver, device):
    faults = [driver.answer_device(WRONG)["fault"] for _ in range(MOST_WRONG + 1)]
    assert faults == ["unknown"] * MOST_WRONG + ["limited"]
    assert driver.answer_device(device["user_code"], "allow")["fault"] == "limited"
    # somebody else is not held up by it, and the one who was is free again later
    driver.sign_in(driver.register())
    assert driver.answer_device(device["user_code"])["page"] == "confirm"


def test_guesses_at_once_are_counted_one_by_one(driver):
    pages = race(*[lambda: driver.answer_device(WRONG)] * (MOST_WRONG + 4))
    assert sum(page["fault"] == "unknown" for page in pages) == MOST_WRONG


def test_a_right_code_does_not_make_up_for_wrong_ones(driver, device):
    for _ in range(MOST_WRONG):
        driver.answer_device(WRONG)
        own = driver.start_device()
        driver.answer_device(own["user_code"], "deny")
    assert driver.answer_device(WRONG)["fault"] == "limited"


def test_the_window_passes(driver):
    for _ in range(MOST_WRONG + 1):
        driver.answer_device(WRONG)
    driver.after(minutes=10)
    assert driver.answer_device(WRONG)["fault"] == "unknown"


def test_many_accounts_together_are_stopped_as_well(driver, device):
    row = {"subject": "*", "began_at": driver.now, "wrong": MOST_WRONG_OF_ALL - 1}
    with driver.database.transaction() as transaction:
        transaction.execute(tables.user_code_tries.insert().values(row))
    assert driver.answer_device(WRONG)["fault"] == "unknown"
    driver.sign_in(driver.register())
    assert driver.answer_device(device["user_code"])["fault"] == "limited"


@pytest.mark.parametrize("code", ["", "AEIO-UAEI", "BCDF", "BCDF-GHJK-L", "B" * 5_000, "BCDF\0GHJK", "бвгд-джзк"])
def test_what_can_be_no_code_is_as_unknown(driver, code):
    assert driver.answer_device(code) in ({"page": "enter", "fault": "unknown"}, {"page": "enter", "fault": None})


@pytest.mark.parametrize("name", ["x" * 61, "two\nlines", "‮turned"])
def test_a_device_cannot_say_more_of_itself_than_a_line(driver, name):
    reply = driver.as_client("kiosk", "device_authorization", scope="openid", device_name=name)
    assert error_of(reply) == "invalid_request"


def test_who_may_not_cannot_begin(driver):
    assert error_of(driver.as_client("web", "device_authorization", scope="openid")) == "unauthorized_client"
    assert error_of(driver.as_client("web", "token", grant_type=DEVICE_CODE, device_code="x")) == "unauthorized_client"
    assert driver.as_client("nobody", "device_authorization", scope="openid").status == 401


@pytest.mark.parametrize("scope", ["", "root", "openid contacts"])
def test_a_scope_beyond_the_client_is_refused(driver, scope):
    assert error_of(driver.as_client("kiosk", "device_authorization", scope=scope)) == "invalid_scope"


def test_devices_cannot_pile_up(driver):
    with driver.database.transaction() as transaction:
        transaction.execute(
            text(
                "INSERT INTO device_authorizations (device_code_hash, user_code_hash, client_id, scope, created_at,"
                " expires_at, interval_seconds) SELECT n, n, 'kiosk', 'openid', :now, :later, 5"
                " FROM generate_series(1, :most) n"
            ),
            {"now": driver.now, "later": driver.now + domain.LIFETIME, "most": MOST_WAITING},
        )
    reply = driver.as_client("kiosk", "device_authorization", scope="openid")
    assert (reply.status, reply.json["error"]) == (503, "temporarily_unavailable")


def test_staff_are_citizens_at_a_kiosk(driver):
    driver.sign_in(driver.register(roles=("officer",), department="civil-affairs"))
    device = driver.start_device()
    driver.answer_device(device["user_code"], "allow")
    tokens = driver.poll(device["device_code"]).json
    for token in (tokens, driver.refresh("kiosk", tokens["refresh_token"]).json):
        claims = claims_of(token["access_token"])
        assert (claims["roles"], claims["department"]) == ([], None)


def test_neither_code_is_kept(driver, device):
    with driver.database.transaction() as transaction:
        kept = str(transaction.execute(select(tables.device_authorizations)).all())
    assert device["device_code"] not in kept
    assert device["user_code"] not in kept
