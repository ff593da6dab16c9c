"""What identifies a person or reaches one: ID number, phone, mail. One spelling of each, and what is shown of it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from contracts.errors import Fault, InvalidInput
from services.identity.domain import is_mail_address

ID_NUMBER = "id_number"
PHONE = "phone"
EMAIL = "email"
KINDS = (ID_NUMBER, PHONE, EMAIL)

_ID_NUMBER = re.compile(r"[0-9]{17}[0-9X]")
_MAINLAND_PHONE = re.compile(r"1[3-9][0-9]{9}")
# ITU-T E.164, section 6.2.1: fifteen digits at most with the country code, which begins with no zero
_MAINLAND = "+86"
_PHONE_ABROAD = re.compile(r"\+[1-9][0-9]{6,14}")
_BETWEEN_DIGITS = re.compile(r"[\s\-().]")
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Particulars:
    """What a person says of themselves, in the clear: only on its way to the seal, or opened for a reason."""

    id_number: str | None = None
    phone: str | None = None
    email: str | None = None

    def items(self) -> list[tuple[str, str]]:
        """(kind, value) of what is there."""
        pairs = ((ID_NUMBER, self.id_number), (PHONE, self.phone), (EMAIL, self.email))
        return [(kind, value) for kind, value in pairs if value]


def normalize(kind: str, text: str) -> str | None:
    """The one spelling of it that is kept, or `None` if it cannot be one."""
    if len(text) > _LONGEST:
        return None
    return _NORMALIZE[kind](unicodedata.normalize("NFKC", text).strip())


def _id_number(text: str) -> str | None:
    """GB 11643-1999: the area and the day exist, and the last character is the check of the others."""
    number = text.upper().replace(" ", "")
    if _ID_NUMBER.fullmatch(number) is None:
        return None
    try:
        ric.validate(number)
    except ValidationError:
        return None
    return number


def _phone(text: str) -> str | None:
    """As E.164 writes it, with the code of the country: whoever sends there needs no more."""
    number = _BETWEEN_DIGITS.sub("", text)
    at_home = number.removeprefix(_MAINLAND)
    if _MAINLAND_PHONE.fullmatch(at_home):
        return _MAINLAND + at_home
    return number if _PHONE_ABROAD.fullmatch(number) and not number.startswith(_MAINLAND) else None


def _email(text: str) -> str | None:
    return text if is_mail_address(text) else None


_NORMALIZE = {ID_NUMBER: _id_number, PHONE: _phone, EMAIL: _email}


def index_key(kind: str, value: str) -> str:
    """What two spellings of one have in common. Mail is sent to the spelling that was given (RFC 5321, section 2.4)."""
    return value.casefold() if kind == EMAIL else value


def with_check_digit(first_seventeen: str) -> str:
    return first_seventeen + str(ric.calc_check_digit(f"{first_seventeen}0"))


def birth_date(id_number: str) -> date:
    return ric.get_birth_date(id_number)


def mask(kind: str, value: str) -> str:
    """Enough to know one's own by, and too little to use: `1101**********1234`, `138****5678`, `c***@example.org`."""
    if kind == EMAIL:
        local, _, domain = value.rpartition("@")
        return f"{local[:1]}***@{domain}"
    # at home nobody says the country
    value = value.removeprefix(_MAINLAND) if kind == PHONE else value
    ends = 3 if kind == PHONE else 4
    hidden = len(value) - ends - 4
    return f"{value[:ends]}{'*' * hidden}{value[-4:]}" if hidden >= 3 else "*" * len(value)


def spelled(particulars: Particulars) -> tuple[Particulars, list[Fault]]:
    """In the spelling that is kept, and what cannot be. A fault does not repeat what was said: errors are logged."""
    values = {kind: normalize(kind, value) for kind, value in particulars.items()}
    faults = [Fault(pointer=f"/{kind}", rule="format", value=kind) for kind, value in values.items() if value is None]
    return Particulars(**values), faults


def require_spelled(kind: str, said: str | None) -> str:
    """One of them, in the spelling that is kept. Raise `InvalidInput`."""
    particulars, faults = spelled(Particulars(**{kind: said}))
    value = dict(particulars.items()).get(kind)
    if faults or value is None:
        raise InvalidInput(faults or [Fault(pointer=f"/{kind}", rule="required", value=None)])
    return value
