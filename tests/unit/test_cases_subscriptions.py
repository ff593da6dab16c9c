"""Who may subscribe, to what, and under which agreement."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.actors import Actor
from contracts.errors import InvalidInput, NotPermitted
from contracts.filters import ANY, TYPES, EventFilter, matches
from services.cases.domain import applicant_of, parts_of
from services.cases.subscriptions import domain, filters
from services.cases.subscriptions.domain import Agreement, Owner
from tests.unit.test_cases_domain import create_case

NOW = datetime(2026, 11, 24, 7, 15, tzinfo=UTC)
CIVIL = Owner("civil-affairs", is_department=True)
HOSPITAL = Owner("hospital", is_department=False)


@dataclass(frozen=True)
class Item:
    code: str
    department: str
    region: str = "511602"
    kind: str = "confirmation"
    takers: frozenset[str] = frozenset()

    @property
    def departments(self):
        return self.takers | {self.department}


OFFERS = [
    Item("residence-permit", "civil-affairs"),
    Item("elderly-card", "civil-affairs", kind="benefit"),
    Item("sole-trader", "market-regulation", region="511603", kind="licence"),
]


def program(**more):
    return Actor(subject="p", client="p", **{"scopes": ("events",), **more})


def officer(**more):
    return Actor(subject="dan", client="web", **{"roles": ("officer",), "scopes": ("cases",), **more})


@pytest.mark.parametrize(
    ("actor", "owner"),
    [
        (program(department="civil-affairs"), CIVIL),
        (program(organisation="hospital"), HOSPITAL),
        (officer(department="civil-affairs"), CIVIL),
    ],
)
def test_a_program_or_an_officer_subscribes_for_whom_they_work(actor, owner):
    assert domain.owner_of(actor, OFFERS) == owner


@pytest.mark.parametrize(
    "actor",
    [
        Actor(subject="", client=""),
        program(),
        program(department="civil-affairs", scopes=("cases",)),
        program(department="civil-affairs", organisation="hospital"),
        program(organisation="civil-affairs"),
        program(organisation="a.b"),
        program(organisation="*"),
        program(organisation="Hospital"),
        officer(),
        officer(department="civil-affairs", scopes=("openid",)),
        officer(department="civil-affairs", roles=("clerk",)),
        officer(department="civil-affairs", roles=()),
        officer(organisation="hospital"),
        Actor(subject="x", client="app", scopes=("events",), department="civil-affairs"),
    ],
    ids=repr,
)
def test_nobody_else_subscribes(actor):
    with pytest.raises(NotPermitted):
        domain.owner_of(actor, OFFERS)


def test_an_organisation_has_no_part_in_any_case():
    """Not even one by the name of the department that is competent."""
    case = create_case()
    actor = program(organisation=case.department, scopes=("cases", "events"))
    assert parts_of(actor, case) == ()
    with pytest.raises(NotPermitted):
        applicant_of(actor)


@pytest.mark.parametrize("name", ["a", "7", "a-b", "a" * 40])
def test_a_name(name):
    assert domain.require_name(name) == name


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a.dead", "a b", "a" * 41, "a\n", "*", "#", "申请"])
def test_no_name(name):
    assert refused(domain.require_name, name) == [("/name", "subscriptionName")]


def test_a_filter_of_nothing_is_all_of_ones_own():
    assert filters.require_filter({}, OFFERS, "civil-affairs") == EventFilter(departments=("civil-affairs",))
    assert filters.require_filter({}, OFFERS) == EventFilter()


def test_the_same_filter_is_one_however_it_is_written():
    wanted = filters.require_filter({"items": ["sole-trader", "elderly-card", "sole-trader"]}, OFFERS)
    assert wanted.items == ("elderly-card", "sole-trader")
    assert filters.require_filter({"items": ["sole-trader", ANY]}, OFFERS).items == (ANY,)


def test_what_is_named_instead_can_be_subscribed_to():
    assert set(filters.INSTEAD.values()) <= set(TYPES)
    assert set(filters.INSTEAD).isdisjoint(TYPES)


@pytest.mark.parametrize(
    ("parts", "faults"),
    [
        ({"types": ["case.opened"]}, [("/filter/types/0", "known", list(TYPES))]),
        ({"types": [ANY, "case"]}, [("/filter/types/1", "known", list(TYPES))]),
        ({"types": ["rating.given"]}, [("/filter/types/0", "notSubscribable", ["case.rated"])]),
        ({"types": ["account.registered"]}, [("/filter/types/0", "notSubscribable", list(TYPES))]),
        ({"departments": ["tax"]}, [("/filter/departments/0", "known", ["civil-affairs", "market-regulation"])]),
        ({"regions": ["511602", "1"]}, [("/filter/regions/1", "known", ["511602", "511603"])]),
        ({"kinds": ["ruling"]}, [("/filter/kinds/0", "known", ["benefit", "confirmation", "licence"])]),
        ({"items": ["dog", "#"]}, [(f"/filter/items/{n}", "known", sorted(o.code for o in OFFERS)) for n in (0, 1)]),
        ({"items": []}, [("/filter/items", "minItems", 1)]),
        ({"kinds": ["x"] * 51}, [("/filter/kinds", "maxItems", 50)]),
        ({"items": ["sole-trader"], "kinds": ["benefit"]}, [("/filter", "matchesNothing", None)]),
        ({"items": ["a"], "regions": ["b"]}, [("/filter/items/0", "known"), ("/filter/regions/0", "known")]),
    ],
)
def test_a_filter_that_hears_nothing_is_refused_with_every_wrong_place(parts, faults):
    with pytest.raises(InvalidInput) as refusal:
        filters.require_filter(parts, OFFERS)
    found = [(fault["pointer"], fault["rule"], fault["value"]) for fault in refusal.value.faults]
    assert [fault[: len(wanted)] for fault, wanted in zip(found, faults, strict=True)] == faults


def test_a_department_without_an_item_is_told_so():
    assert refused(filters.require_filter, {}, OFFERS, "tax") == [("/filter/departments/0", "known")]


def test_a_department_that_cases_of_another_s_item_are_passed_to_may_name_that_item():
    passed = [*OFFERS, Item("school-place", "civil-affairs", takers=frozenset({"education"}))]
    assert filters.require_filter({"items": ["school-place"]}, passed, "education").departments == ("education",)
    assert refused(filters.require_filter, {"items": ["elderly-card"]}, passed, "education") == [
        ("/filter", "matchesNothing")
    ]


def test_a_filter_of_too_many_combinations():
    many = [Item(f"i{n}", f"d{n}") for n in range(50)]
    parts = {"items": [item.code for item in many], "departments": [item.department for item in many]}
    assert refused(filters.require_filter, parts, many) == [("/filter", "maxPatterns")]


@given(st.data())
def test_what_passes_the_filter_in_the_catalogue_is_what_the_broker_routes(data):
    """The two readings of a filter, ours and the topic exchange's, are one."""
    values = {"departments": "department", "regions": "region", "kinds": "kind", "items": "code"}
    parts = {
        part: data.draw(st.lists(st.sampled_from([ANY, *(getattr(o, name) for o in OFFERS)]), min_size=1, max_size=3))
        for part, name in values.items()
    }
    routed = [
        offer
        for offer in OFFERS
        if matches(
            EventFilter(**{part: tuple(given) for part, given in parts.items()}).patterns,
            f"case.closed.{offer.department}.{offer.region}.{offer.kind}.{offer.code}",
        )
    ]
    if routed:
        filters.require_filter(parts, OFFERS)
    else:
        assert refused(filters.require_filter, parts, OFFERS) == [("/filter", "matchesNothing")]


@pytest.mark.parametrize(
    ("delivery", "url", "faults"),
    [
        ("amqp", "https://a.example", [("/url", "webhookOnly")]),
        ("webhook", None, [("/url", "required")]),
        ("mqtt", None, [("/delivery", "oneOf")]),
    ],
)
def test_a_delivery_that_does_not_fit(delivery, url, faults):
    assert refused(domain.require_delivery, delivery, url) == faults


@pytest.mark.parametrize(
    ("start", "saved"),
    [
        ("now", "now"),
        ("beginning", "beginning"),
        ("2026-11-24T07:15:00Z", "2026-11-24T07:15:00+00:00"),
        ("2026-11-24t15:15:00.5+08:00", "2026-11-24T07:15:00.500000+00:00"),
    ],
)
def test_a_start(start, saved):
    assert domain.require_start(start, NOW + timedelta(minutes=1)) == saved


@pytest.mark.parametrize(
    ("start", "rule"),
    [
        ("", "time"),
        ("yesterday", "time"),
        ("2026-11-24", "time"),
        ("2026-11-24T07:15:00", "time"),
        ("2026-W48-2T07:15:00Z", "time"),
        ("2026-13-01T00:00:00Z", "time"),
        ("0001-01-01T00:00:00+23:00", "time"),
        ("２０２６-11-24T07:15:00Z", "time"),
        ("2026-11-24T07:15:00Z\n", "time"),
        ("2026-11-24T07:15:01Z", "past"),
    ],
)
def test_no_start(start, rule):
    assert refused(domain.require_start, start, NOW) == [("/start", rule)]


def test_a_range_has_an_order():
    day, next_day = "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"
    assert domain.require_range("beginning", None, NOW) == (None, None)
    assert domain.require_range(day, next_day, NOW) == (
        datetime(2026, 11, 1, tzinfo=UTC),
        datetime(2026, 11, 2, tzinfo=UTC),
    )
    assert refused(domain.require_range, next_day, day, NOW) == [("/until", "afterFrom")]
    assert refused(domain.require_range, day, day, NOW) == [("/until", "afterFrom")]
    assert refused(domain.require_range, "now", None, NOW) == [("/from", "time")]
    assert refused(domain.require_range, "beginning", "2027-01-01T00:00:00Z", NOW) == [("/until", "past")]


@pytest.mark.parametrize(
    ("owner", "departments", "needed"),
    [
        (CIVIL, ("civil-affairs",), None),
        (CIVIL, ("market-regulation",), ("market-regulation",)),
        (CIVIL, ("civil-affairs", "market-regulation"), ("market-regulation",)),
        (CIVIL, (ANY,), (ANY,)),
        (HOSPITAL, ("civil-affairs",), ("civil-affairs",)),
        (HOSPITAL, (ANY,), (ANY,)),
        (Owner("civil-affairs", is_department=False), ("civil-affairs",), ("civil-affairs",)),
    ],
)
def test_only_a_departments_own_events_need_no_agreement(owner, departments, needed):
    beyond = domain.beyond_own(EventFilter(departments=departments, items=("a",)), owner)
    assert beyond == (needed and EventFilter(departments=needed, items=("a",)))


def agreement(agreed=EventFilter(), *, days=1, **more):  # noqa: B008 (frozen)
    terms = {"id": str(days), "grantee": "hospital", "reference": "R", "ended_at": None, **more}
    return Agreement(filter=agreed, ends_at=NOW + timedelta(days=days), **terms)


def test_the_agreement_that_allows_all_of_it_and_holds_longest():
    narrow, wide, ended, past = (
        agreement(EventFilter(items=("a",)), days=3),
        agreement(days=2),
        agreement(days=9, ended_at=NOW),
        agreement(days=0),
    )
    all_of_them = [narrow, wide, ended, past]
    assert domain.covering(all_of_them, EventFilter(items=("a",)), NOW) == narrow
    assert domain.covering(all_of_them, EventFilter(), NOW) == wide
    assert domain.covering([narrow, ended, past], EventFilter(items=("a", "b")), NOW) is None


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"grantee": "a.b"}, ("/grantee", "owner")),
        ({"reference": ""}, ("/reference", "maxLength")),
        ({"reference": "r" * 201}, ("/reference", "maxLength")),
        ({"ends_at": NOW}, ("/until", "future")),
        ({"parts": {"items": ["dog"]}}, ("/filter/items/0", "known")),
    ],
)
def test_no_agreement_of_nothing(change, fault):
    terms = {"grantee": "hospital", "reference": "R", "parts": {}, "ends_at": NOW + timedelta(days=1)} | change
    assert refused(domain.require_agreement, **terms, offers=OFFERS, now=NOW) == [fault]


def refused(rule, *arguments, **keywords):
    """Where and by which rule."""
    with pytest.raises(InvalidInput) as refusal:
        rule(*arguments, **keywords)
    return [(fault["pointer"], fault["rule"]) for fault in refusal.value.faults]
