from __future__ import annotations

import base64
import os
from unittest.mock import Mock

import pytest

from services.identity import passwords, sealing
from services.identity.sealing import Seal, SealedOtherwise, SealingKeyUnusable

KEY = base64.urlsafe_b64encode(os.urandom(32)).decode()


def test_what_is_sealed_opens_for_its_purpose_only():
    sealed = Seal(KEY, "one").close(b"secret")
    assert Seal(KEY, "one").open(sealed) == b"secret"
    with pytest.raises(SealedOtherwise):
        Seal(KEY, "two").open(sealed)


def test_while_the_key_changes_each_process_reads_what_any_other_wrote():
    new = base64.urlsafe_b64encode(os.urandom(32)).decode()
    before, after = Seal(KEY, "one", new), Seal(new, "one", KEY)
    assert before.open(after.close(b"x")) == after.open(before.close(b"x")) == b"x"
    assert Seal(new, "one").open(after.close(b"x")) == b"x", "and the other key only reads"
    with pytest.raises(SealedOtherwise):
        after.open(Seal(base64.urlsafe_b64encode(os.urandom(32)).decode(), "one").close(b"x"))


def test_one_wrong_bit_is_noticed():
    sealed = bytearray(Seal(KEY, "one").close(b"secret"))
    sealed[-1] ^= 1
    with pytest.raises(SealedOtherwise):
        Seal(KEY, "one").open(bytes(sealed))


def test_padding_of_the_key_may_be_left_out():
    assert Seal(KEY.rstrip("="), "one").open(Seal(KEY, "one").close(b"x")) == b"x"


@pytest.mark.parametrize("key", ["", "c2hvcnQ", "not base64 at all", "\u00e9"])
def test_a_key_of_another_size_is_refused(key):
    with pytest.raises(SealingKeyUnusable):
        Seal(key, "one")


def test_secrets_are_compared_by_hash():
    assert sealing.is_secret("a", sealing.hash_secret("a"))
    assert not sealing.is_secret("b", sealing.hash_secret("a"))
    assert len({sealing.new_secret() for _ in range(10)}) == 10


def test_a_password_is_verified():
    password_hash = passwords.hash_password("correct")
    assert password_hash.startswith("$argon2id$")
    assert passwords.is_password(password_hash, "correct")
    assert not passwords.is_password(password_hash, "wrong")
    assert not passwords.is_password(None, "correct")


def test_nobody_costs_what_somebody_costs(monkeypatch):
    assert not passwords.is_outdated(passwords.NOBODY)
    hasher = Mock(wraps=passwords._hasher)
    monkeypatch.setattr(passwords, "_hasher", hasher)
    for password_hash in (None, passwords.hash_password("another")):
        hasher.verify.reset_mock()
        assert not passwords.is_password(password_hash, "wrong")
        assert hasher.verify.call_count == 1


def test_a_very_long_password_is_no_password():
    long = "x" * 1024
    password_hash = passwords.hash_password(long)
    assert passwords.is_password(password_hash, long)
    assert not passwords.is_password(password_hash, long + "y")
