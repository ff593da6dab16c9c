"""A citizen's visit at the counter, and a kiosk's session: both end by themselves."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from contracts.errors import SessionEnded
from services.identity import queries
from services.identity.oauth import store as oauth_store
from services.identity.oauth.server import Provider
from services.identity.oauth.tokens import family_of
from services.identity.persons.tables import assurance_changes
from services.identity.presence import visits
from services.identity.web_sessions import save_web_session, use_web_session
from tests.integration.identity_driver import claims_of
from tests.integration.test_identity_exchange import citizen, clerk, presence  # noqa: F401 (fixtures)


@pytest.fixture
def act(driver):
    def act(function, *arguments):
        with driver.database.transaction() as transaction:
            return function(Provider(transaction, driver.issuer(transaction), driver.now), *arguments)

    return act


@pytest.fixture
def visit(driver, presence, act):  # noqa: F811
    return act(visits.open_visit, driver.token, presence)


def test_a_visit_has_short_tokens_for_the_citizen_and_a_masked_name(driver, citizen, clerk, visit, act):  # noqa: F811
    shown = act(visits.get_visit, visit)
    claims = claims_of(shown["access_token"])
    assert (claims["sub"], claims["act"]) == (citizen.subject, {"sub": clerk.subject})
    assert claims["exp"] - claims["iat"] <= 300
    assert shown["name"] != citizen.name
    assert driver.as_client("hall", "introspect", token=shown["access_token"]).json["active"]


def test_its_tokens_say_how_it_was_seen_who_stands_there(driver, citizen, clerk, act):  # noqa: F811
    raised = {"subject": citizen.subject, "level": 2, "method": "registry", "at": driver.now}
    with driver.database.transaction() as transaction:
        transaction.execute(insert(assurance_changes).values(raised))
        transaction.execute(insert(assurance_changes).values(raised | {"method": "demo"}))
    proof = driver.read_card(clerk, driver.id_number)["presence_token"]
    visit = act(visits.open_visit, driver.token, proof)
    assert claims_of(act(visits.get_visit, visit)["access_token"])["checks"] == ["id-number", "registry"]
    assert "checks" not in claims_of(driver.token), "nobody looked at the clerk"


def test_a_visit_ends_by_itself(driver, visit, act):
    driver.after(minutes=19)
    assert act(visits.get_visit, visit)
    driver.after(minutes=1)
    with pytest.raises(SessionEnded):
        act(visits.get_visit, visit)


def test_a_visit_ends_with_the_clerks_session(driver, visit, act):
    with driver.database.transaction() as transaction:
        oauth_store.revoke_family(transaction, family_of(claims_of(driver.token)), driver.now)
    with pytest.raises(SessionEnded):
        act(visits.get_visit, visit)


def test_a_visit_that_was_ended(driver, visit, act):
    token, again = (act(visits.get_visit, visit)["access_token"] for _ in range(2))
    assert act(queries.get_subject, token) == claims_of(token)["sub"]
    with driver.database.transaction() as transaction:
        visits.end_visit(transaction, visit)
    with pytest.raises(SessionEnded):
        act(visits.get_visit, visit)
    for ended in (token, again):
        assert not driver.as_client("hall", "introspect", token=ended).json["active"], "at once, not when it expires"
        assert driver.userinfo(ended).status == 401
        with pytest.raises(SessionEnded):
            act(queries.get_subject, ended)


def test_the_end_of_one_visit_is_of_no_other(driver, visit, presence, act):  # noqa: F811
    token = act(visits.get_visit, visit)["access_token"]
    with driver.database.transaction() as transaction:
        visits.end_visit(transaction, "another")
    assert driver.as_client("hall", "introspect", token=token).json["active"]
    assert driver.as_client("hall", "introspect", token=driver.token).json["active"], "nor is the clerk's own token"


def test_without_a_good_proof_there_is_no_visit(driver, presence, visit, act):  # noqa: F811
    assert act(visits.open_visit, driver.token, presence) is None
    assert act(visits.open_visit, "x", "y") is None


def test_a_kiosks_session_is_over_soon_after_its_last_use(driver, citizen):  # noqa: F811
    driver.sign_in(citizen)
    device = driver.start_device()
    driver.answer_device(device["user_code"], "allow")
    tokens = driver.poll(device["device_code"]).json
    with driver.database.transaction() as transaction:
        kept = driver.web_sessions(transaction)
        secret = save_web_session(transaction, kept, "kiosk", tokens, driver.now)
    for _ in range(5):
        driver.after(minutes=5)
        assert use(driver, secret) is not None
    driver.after(minutes=5)
    assert use(driver, secret) is None, "after half an hour, however much it is used"


def use(driver, secret):
    with driver.database.transaction() as transaction:
        return use_web_session(transaction, driver.web_sessions(transaction), secret, driver.now)
