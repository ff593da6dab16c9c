import pytest

from contracts.actors import Actor
from contracts.errors import CaseNotClosed, InvalidInput, NotFound, NotPermitted
from services.rating import domain

ALICE = Actor(subject="alice", client="web")


def create_case(**fields):
    return {
        "number": "202603020000000018",
        "item": "elderly-card",
        "item_name": {"en": "Elderly concession card"},
        "department": "civil-affairs",
        "region": "511602",
        "kind": "public-service",
        "applicant": "alice",
        "status": "closed",
    } | fields


def test_what_a_rating_keeps_of_its_case():
    assert domain.require_ratable(create_case(), ALICE) == domain.RatedCase(
        "202603020000000018", "elderly-card", "civil-affairs", "511602", "public-service", "alice"
    )


@pytest.mark.parametrize("actor", [Actor(subject="bob", client="web"), Actor(subject="", client="")])
def test_only_the_applicant_rates(actor):
    with pytest.raises(NotFound):
        domain.require_ratable(create_case(), actor)


def test_nobody_rates_for_the_applicant():
    with pytest.raises(NotPermitted):
        domain.require_ratable(create_case(), Actor("alice", "hall", "hall", act="clerk-1"))


def test_a_case_without_an_applicant_is_nobodys():
    with pytest.raises(NotFound):
        domain.require_ratable(create_case(applicant=""), Actor(subject="", client=""))


@pytest.mark.parametrize("status", ["submitted", "accepted", "correction_requested", "withdrawn"])
def test_only_a_closed_case_is_rated(status):
    with pytest.raises(CaseNotClosed):
        domain.require_ratable(create_case(status=status), ALICE)


@pytest.mark.parametrize("score", [1, 2, 3, 4, 5])
def test_a_score(score):
    assert domain.require_score(score) == score


@pytest.mark.parametrize("score", [0, 6, -1, True, 5.0, "5", None, [5]], ids=repr)
def test_no_score(score):
    with pytest.raises(InvalidInput) as refusal:
        domain.require_score(score)
    assert refusal.value.faults[0]["pointer"] == "/score"


@pytest.mark.parametrize(
    ("comment", "kept"), [(None, None), (" \n", None), (" 很好 ", "很好"), ("x" * 1000, "x" * 1000)]
)
def test_a_comment(comment, kept):
    assert domain.require_comment(comment) == kept


@pytest.mark.parametrize("comment", ["x" * 1001, 5, "a\0", "\ud800"], ids=["long", "number", "NUL", "surrogate"])
def test_no_comment(comment):
    with pytest.raises(InvalidInput) as refusal:
        domain.require_comment(comment)
    assert refusal.value.faults[0]["pointer"] == "/comment"


@pytest.mark.parametrize(
    ("actor", "sees"),
    [
        (ALICE, True),
        (Actor(subject="bob", client="web"), False),
        (Actor(subject="carol", client="hall", roles=("clerk",)), True),
        (Actor(subject="dan", client="web", roles=("officer",), department="civil-affairs"), True),
        (Actor(subject="eve", client="web", roles=("officer",), department="market-regulation"), False),
        (Actor(subject="p", client="p", department="civil-affairs", scopes=("cases",)), True),
        (Actor(subject="p", client="p", department="civil-affairs"), False),
        (Actor(subject="", client=""), False),
    ],
)
def test_may_see(actor, sees):
    assert domain.may_see(actor, "civil-affairs", "alice") is sees


def test_figures():
    counts = [("card", "civil", 1, 1), ("card", "civil", 5, 3), ("permit", "civil", 2, 2), ("permit", "civil", 3, 1)]
    card, permit = domain.figures(counts)
    assert (card.item, card.department, card.count, card.average, card.good_rate) == ("card", "civil", 4, 4.0, 0.75)
    assert card.scores == {1: 1, 2: 0, 3: 0, 4: 0, 5: 3}
    assert (permit.count, permit.average, permit.good_rate) == (3, 2.33, 0.3333)


def test_no_ratings_no_figures():
    assert domain.figures([]) == []
