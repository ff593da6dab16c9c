"""Discovery says what is true: each claim is tried, and what is served is not left out."""

from __future__ import annotations

import pytest

from services.identity.domain import GRANTS
from tests.integration import identity_driver
from tests.integration.identity_driver import BASE, Driver


@pytest.fixture(scope="module")
def seeded(identity_database):
    identity_driver.seed(identity_database)
    return identity_database


@pytest.fixture
def driver(seeded):
    driver = Driver(seeded)
    driver.sign_in(driver.register())
    return driver


@pytest.fixture
def document(driver):
    return driver.call("configuration", "", "GET").json


def test_the_issuer_is_the_base_address(document):
    assert document["issuer"] == BASE
    assert set(document["grant_types_supported"]) <= set(GRANTS)
