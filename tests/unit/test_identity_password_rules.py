"""Which passwords are refused (NIST SP 800-63B-4, section 3.1.1.2)."""

import pytest

from contracts.errors import InvalidInput
from services.identity.password_rules import require_acceptable

OWN = ("li.lei", "李雷", "lilei1990@mail.example", "13812345678", "110101199003074477")


@pytest.mark.parametrize(
    "password",
    [
        "correct horse",
        "民政局的小明今天上班啦",
        "x7#kQ!93mp",
        "a sentence with spaces in it",
        "onehall-demo",
        "🐼🎋🐼🎋🐼🎋 bamboo",
    ],
)
def test_no_composition_is_demanded(password):
    require_acceptable(password, OWN)


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("short", ("minLength", 8)),
        ("x" * 1_025, ("maxLength", 1_024)),
        ("password1234", ("password", "common")),
        ("P@ssw0rd2026", ("password", "common")),
        ("qwertyuiop12", ("password", "common")),
        ("11111111111111111111", ("password", "common")),
        ("abcdefghijkl", ("password", "common")),
        ("lilei1990!!!", ("password", "own")),
        ("LiLei1990-Li", ("password", "own")),
        ("a13812345678", ("password", "own")),
        ("19900307abcd", ("password", "own")),
        ("李雷李雷李雷李雷12", ("password", "own")),
    ],
)
def test_what_is_short_common_or_about_the_person_is_refused(password, rule):
    with pytest.raises(InvalidInput) as refused:
        require_acceptable(password, OWN, "/new")
    fault = refused.value.faults[0]
    assert (fault["rule"], fault["value"]) == rule
    assert fault["pointer"] == "/new"


def test_a_name_in_a_long_sentence_is_allowed():
    require_acceptable("lilei goes fishing on tuesdays", OWN)
