"""Identifiers: one spelling, a mask that hides, a seal that changes its key, an index that tells nothing."""

from __future__ import annotations

import base64
import os
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.demo import PARTICULARS
from services.identity.persons.identifiers import (
    EMAIL,
    ID_NUMBER,
    PHONE,
    Particulars,
    birth_date,
    mask,
    normalize,
    spelled,
    with_check_digit,
)
from services.identity.persons.vault import Vault
from services.identity.sealing import SealedOtherwise

KEY, NEW, THIRD = (base64.urlsafe_b64encode(os.urandom(32)).decode() for _ in range(3))

days = st.dates(date(1990, 1, 1), date(2020, 1, 1))
numbers = st.builds(lambda day, serial: with_check_digit(f"110101{day:%Y%m%d}{serial:03}"), days, st.integers(0, 999))
phones = st.from_regex(r"\+861[3-9][0-9]{9}", fullmatch=True)
mails = st.from_regex(r"[a-z]{1,20}(\.[a-z]{1,9})?@[a-z]{1,9}\.example", fullmatch=True)
values = st.one_of(
    st.tuples(st.just(ID_NUMBER), numbers), st.tuples(st.just(PHONE), phones), st.tuples(st.just(EMAIL), mails)
)


@given(numbers)
def test_a_number_with_its_check_is_one_in_every_spelling(number):
    spaced = f" {number[:6]} {number[6:14]} {number[14:]} ".lower()
    full_width = "".join(chr(ord(character) + 0xFEE0) for character in number)
    assert normalize(ID_NUMBER, number) == normalize(ID_NUMBER, spaced) == normalize(ID_NUMBER, full_width) == number
    assert f"{birth_date(number):%Y%m%d}" == number[6:14]


@given(numbers, st.integers(0, 17), st.sampled_from("0123456789X"))
def test_one_wrong_character_is_noticed(number, place, character):
    wrong = number[:place] + character + number[place + 1 :]
    assert wrong == number or normalize(ID_NUMBER, wrong) is None


@given(numbers, st.integers(0, 16))
def test_two_neighbours_that_changed_places_are_noticed(number, place):
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    assert swapped == number or normalize(ID_NUMBER, swapped) is None


@given(st.text(max_size=400))
def test_any_text_is_an_identifier_or_none(text):
    for kind in (ID_NUMBER, PHONE, EMAIL):
        known = normalize(kind, text)
        assert known is None or normalize(kind, known) == known


@pytest.mark.parametrize(
    "number", ["990101199001010011", "110101199002300012", "11010119900101001", "1" * 18, "", "²" * 18]
)
def test_what_no_person_has_is_no_number(number):
    assert normalize(ID_NUMBER, number) is None


@pytest.mark.parametrize("phone", ["13812345678", "+86 138 1234 5678", "138-1234-5678", "+8613812345678"])
def test_a_phone_has_one_spelling(phone):
    assert normalize(PHONE, phone) == "+8613812345678"


@pytest.mark.parametrize(
    "phone", ["12012345678", "1381234567", "+86 12012345678", "+", "+0123456789", "tel:1", "١" * 11]
)
def test_this_is_no_phone(phone):
    assert normalize(PHONE, phone) is None


def test_a_phone_of_another_region_keeps_its_code():
    assert normalize(PHONE, "+852 9123 4567") == "+85291234567"
    assert mask(PHONE, "+85291234567") == "+85*****4567"


def test_masks_are_the_ones_that_people_know():
    assert mask(ID_NUMBER, "11010119900101123X") == "1101**********123X"
    assert mask(PHONE, "+8613812345678") == "138****5678"
    assert mask(EMAIL, "citizen@example.org") == "c***@example.org"


@given(values)
def test_a_mask_hides_enough_and_no_length_of_a_name(pair):
    kind, value = pair
    masked = mask(kind, value)
    if kind == EMAIL:
        assert masked == f"{value[0]}***@{value.partition('@')[2]}"
        return
    value = value.removeprefix("+86")
    assert len(masked) == len(value)
    shown = [(a, b) for a, b in zip(masked, value, strict=True) if a != "*"]
    assert all(a == b for a, b in shown)
    assert len(value) - len(shown) >= 4
    if kind == ID_NUMBER:
        assert value[6:14] not in masked
        assert "*" * 8 in masked, "the day of birth is hidden"


@given(st.text(st.characters(exclude_characters="*"), max_size=12))
def test_no_mask_of_a_short_text_shows_all_of_it(text):
    assert not text or mask(PHONE, text) != text
    assert not text or mask(ID_NUMBER, text) != text


def test_everything_wrong_is_said_and_nothing_is_repeated():
    _, faults = spelled(Particulars("123", "456", "789"))
    assert [fault["pointer"] for fault in faults] == ["/id_number", "/phone", "/email"]
    assert not any(text in str(faults) for text in ("123", "456", "789"))


@given(values)
def test_what_is_sealed_opens_in_its_own_place_only(pair):
    kind, value = pair
    vault = Vault(KEY)
    closed = vault.close("anna", kind, value)
    assert vault.open("anna", kind, closed.sealed, closed.key_id) == value
    assert value.encode() not in closed.sealed + closed.index
    for subject, other in (("berta", kind), ("anna", "name")):
        with pytest.raises(SealedOtherwise):
            vault.open(subject, other, closed.sealed, closed.key_id)


@given(values)
def test_while_the_key_changes_both_open_and_find(pair):
    kind, value = pair
    before, after = Vault(KEY, NEW), Vault(NEW, KEY)
    old, new = before.close("anna", kind, value), after.close("anna", kind, value)
    assert (
        before.open("anna", kind, new.sealed, new.key_id) == after.open("anna", kind, old.sealed, old.key_id) == value
    )
    assert {old.index, new.index} == set(before.indexes(kind, value)) == set(after.indexes(kind, value))
    assert old.index != new.index
    assert old.key_id != new.key_id
    with pytest.raises(SealedOtherwise):
        Vault(THIRD).open("anna", kind, old.sealed, old.key_id)


def test_the_index_is_the_same_for_one_mail_in_two_spellings_and_differs_for_two_kinds():
    vault = Vault(KEY)
    assert vault.indexes(EMAIL, "Anna@Example.org") == vault.indexes(EMAIL, "anna@example.org")
    assert vault.indexes(EMAIL, "+8613812345678") != vault.indexes(PHONE, "+8613812345678")


def test_the_demo_has_numbers_that_pass_and_that_nobody_alive_has():
    for particulars in PARTICULARS.values():
        assert spelled(particulars) == (particulars, [])
        assert birth_date(particulars.id_number) < date(1891, 1, 1)
