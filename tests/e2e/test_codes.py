"""A one-time code from the commit to the phone and the mailbox, through every process between."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest

from chassis.database import Database
from services.identity.codes.commands import check_code, issue_code
from services.identity.codes.domain import Recipient
from services.identity.codes.secrecy import CodeKeys
from tests.processes import wait_until


@pytest.fixture
def identity(platform):
    database = Database(platform.environment["ONEHALL_IDENTITY_DATABASE_URL"])
    yield database
    database.dispose()


@pytest.mark.parametrize("kind", ["sms", "mail"])
def test_a_code_reaches_the_person_and_comes_back_once(platform, identity, kind):
    keys = CodeKeys(platform.environment["ONEHALL_COOKIE_KEY"])
    address = f"+861{uuid.uuid4().int % 10**9 + 3 * 10**9}" if kind == "sms" else f"{uuid.uuid4().hex}@example.org"
    with identity.transaction() as session:
        challenge = issue_code(session, keys, Recipient(address, kind, locale="en"), "test", datetime.now(UTC))

    received = _texts if kind == "sms" else _subjects
    texts = wait_until(f"the {kind} is there", lambda: received(platform.state, address))

    assert len(texts) == 1
    code = next(word for word in texts[0].replace(",", " ").split() if word.isdigit() and len(word) == 6)
    with identity.transaction() as session:
        assert check_code(session, keys, challenge, "test", code, datetime.now(UTC)).address == address
    with identity.transaction() as session:
        assert check_code(session, keys, challenge, "test", code, datetime.now(UTC)) is None


def _texts(state, number):
    messages = [json.loads(path.read_text()) for path in state.sms.glob("[!.]*.json")]
    return [message["text"] for message in messages if message["to"] == number]


def _subjects(state, address):
    mails = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in (state.mail / "new").iterdir()]
    return [str(mail["Subject"]) for mail in mails if str(mail["To"]) == address]
