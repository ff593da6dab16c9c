"""The proof graph: circles of every length are named whole, strange proofs found, right catalogues not blamed."""

import copy
import sys
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.cases.catalogue import proofs, steps
from services.cases.catalogue.circles import shortest_circle
from services.cases.catalogue.faults import BrokenCatalogue
from services.cases.catalogue.files import shipped
from services.cases.catalogue.papers import papers_of
from services.cases.catalogue.proofs import ProofGraph
from services.cases.catalogue.publishing import require_right
from tests.proof_graphs import chain, crossed, item, ring

LANGUAGES = ("zh-Hans", "zh-Hant", "en")


def faults_of(items, first=()):
    return list(proofs.faults_of(ProofGraph.of(items, papers_of(items)), frozenset(first)))


def path_of(fault, language="en"):
    return fault.translations[language].partition(": " if language == "en" else "：")[2].split(" → ")


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 6, 60])
def test_a_circle_is_named_whole_in_three_languages(length):
    (fault,) = faults_of([*chain(20), *ring(length)])
    assert fault.place == "$.documents[0]"
    path = path_of(fault)
    assert path[0] == path[-1] == "RING-0 (ring-0)"
    assert path[:-1:2] == [f"RING-{number} (ring-{number})" for number in range(length)]
    assert path[1::2] == ["needs document 0"] * length
    for language, word in (("zh-Hans", "循环证明"), ("zh-Hant", "循環證明")):
        assert fault.translations[language].startswith(word)
        assert len(path_of(fault, language)) == 2 * length + 1
    assert "「简RING-0」（ring-0）" in path_of(fault, "zh-Hans")


def test_the_shortest_circle_of_a_knot_is_named():
    knot = ring(6)
    knot[2]["documents"][0]["proofs"].append("paper-of-ring-1")
    (fault,) = faults_of(knot)
    assert path_of(fault)[::2] == ["RING-1 (ring-1)", "RING-2 (ring-2)", "RING-1 (ring-1)"]


def test_a_circle_is_named_from_the_new_item_on():
    (fault,) = faults_of(ring(4), first={"ring-2"})
    assert (fault.item, path_of(fault)[0]) == ("ring-2", "RING-2 (ring-2)")


def test_every_knot_is_named_once():
    assert [fault.item for fault in faults_of([*ring(3, "a"), *ring(2, "b"), *chain(5)])] == ["a-0", "b-0"]


def test_who_only_waits_for_a_circle_is_not_blamed():
    waiting = item("waiting", [["paper-of-ring-0"]])
    assert [fault.item for fault in faults_of([waiting, *ring(2)])] == ["ring-0"]


@pytest.mark.parametrize("way", ["another paper", "another item", "a paper outside", "not required", "declared"])
def test_a_way_out_of_a_circle_is_one(way):
    items = ring(4)
    document = items[2]["documents"][0]
    if way == "another paper":
        document["proofs"].append("photograph")
    elif way == "another item":
        items.append(item("second-issuer", gives="paper-of-ring-3"))
    elif way == "a paper outside":
        items[0]["papers"] = {"paper-of-ring-3": {"name": {}, "issuer": {}}}
    elif way == "not required":
        document["required"] = False
    else:
        document["may_be_declared"] = True
        assert [fault.item for fault in faults_of(items)] == ["ring-0"]
        items[2]["commitment"] = {"open": True}
    assert faults_of(items) == []


def test_two_ways_that_both_lead_back_are_a_circle():
    """No document has one issuer only, and still nobody can begin."""
    items = [item("a", [["p", "q"]], "r"), item("b", [["r"]], "p"), item("c", [["r"]], "q")]
    (fault,) = faults_of(items)
    assert fault.item == "a"


def test_a_paper_that_nobody_gives():
    (fault,) = faults_of([item("a", [["photograph", "no-such-paper"]])])
    assert (
        str(fault)
        == "a: $.documents[0]: strange proof: A (a) → needs document 0 → that is no-such-paper → nobody gives it"
    )
    assert "没有任何单位出具" in fault.said_in("zh-Hans")
    assert "沒有任何單位出具" in fault.said_in("zh-Hant")


def test_a_paper_that_the_platform_holds():
    (fault,) = faults_of([item("a", [["registration-application"]])])
    assert "the platform holds it" in str(fault)


def test_a_paper_that_the_platform_issued():
    issuer = item("b", gives="pass", electronic=True)
    (fault,) = faults_of([item("a", [["pass"]]), issuer])
    assert "B (b)" in str(fault)
    assert faults_of([item("a", [["pass"]]), item("b", gives="pass")]) == []
    assert faults_of([item("a", [["pass", "photograph"]]), issuer]) == [], "whoever has no pass brings the other"
    fetched = item("a", [["pass"]])
    fetched["documents"][0]["source"] = "platform"
    assert faults_of([fetched, issuer]) == []


@pytest.mark.parametrize(("source", "paper"), [("platform", "photograph"), ("department", "photograph")])
def test_a_source_that_does_not_have_it(source, paper):
    asked = item("a", [[paper]])
    asked["documents"][0]["source"] = source
    (fault,) = faults_of([asked])
    assert "wrong source" in str(fault)


@given(
    st.lists(
        st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=3, unique=True), max_size=3), min_size=1, max_size=10
    )
)
@settings(max_examples=80, deadline=None)
def test_what_is_blamed_is_what_nobody_can_obtain(needs):
    """Against the plainest way to find out: go on obtaining what can be obtained until nothing more comes."""
    count = len(needs)
    items = [
        item(f"i{number}", [[f"paper-of-i{other % count}" for other in papers] for papers in documents])
        for number, documents in enumerate(needs)
    ]
    had: set[str] = set()
    for _ in items:
        had |= {
            each["result"]["code"]
            for each in items
            if all(had.intersection(document["proofs"]) for document in each["documents"])
        }
    blocked = {each["code"] for each in items if each["result"]["code"] not in had}
    faults = faults_of(items)
    assert bool(faults) == bool(blocked)
    for fault in faults:
        codes = [part.partition("(")[2].rstrip(")") for part in path_of(fault)[::2]]
        assert set(codes) <= blocked
        assert len(codes) == len(set(codes)) + 1
        for code, following in pairwise(codes):
            documents = next(each["documents"] for each in items if each["code"] == code)
            assert any(f"paper-of-{following}" in document["proofs"] for document in documents)


@given(st.integers(1, 6), st.integers(0, 29), st.randoms())
@settings(max_examples=40, deadline=None)
def test_a_planted_circle_is_always_found(length, at, random):
    """Into a right catalogue, in front of any item and behind those before it, whatever the order."""
    items, planted = chain(30), ring(length)
    for number, each in enumerate(planted):
        each["documents"] += copy.deepcopy(items[max(0, at - number)]["documents"])
    items[at]["documents"] += item("x", [["paper-of-ring-0"]])["documents"]
    catalogue = [*items, *planted]
    random.shuffle(catalogue)
    (fault,) = faults_of(catalogue)
    assert fault.item == "ring-0"
    assert len(path_of(fault)) == 2 * length + 1


@given(st.integers(1, 40), st.data())
@settings(max_examples=30, deadline=None)
def test_a_catalogue_without_a_circle_is_never_blamed(count, data):
    earlier = st.integers(0, count - 1)
    items = []
    for number in range(count):
        papers = data.draw(st.lists(earlier, max_size=3)) if number else []
        needs = [[f"paper-of-i{paper % number}"] for paper in papers]
        items.append(item(f"i{number}", needs))
    assert faults_of(data.draw(st.permutations(items))) == []


def looks_of(items):
    """How many calls the check makes: a measure that no busy machine changes."""
    calls = 0

    def count(_frame, event, _argument):
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        faults_of(items)
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize("make", [crossed, ring])
def test_ten_thousand_items_take_less_than_two_seconds(make):
    """Of this process's own time, which a busy machine lengthens little; `make bench` says how long it takes alone."""
    items = make(10_000)
    list(ProofGraph.of(ring(2), {}).circles())  # what is loaded once is not counted
    begin = time.process_time()
    faults_of(items)
    assert time.process_time() - begin < 2


def test_circles_of_two_to_six_are_named_whole_among_ten_thousand_items():
    rings = [each for length in range(2, 7) for each in ring(length, f"ring{length}")]
    found = {fault.item: path_of(fault)[::2] for fault in faults_of([*rings, *crossed(10_000 - len(rings))])}
    assert found == {
        f"ring{length}-0": [
            f"RING{length}-{number % length} (ring{length}-{number % length})" for number in range(length + 1)
        ]
        for length in range(2, 7)
    }


@pytest.mark.parametrize("make", [crossed, chain, ring, lambda count: [*ring(count // 2), *crossed(count // 2)]])
def test_ten_times_the_items_are_ten_times_the_work(make):
    """So it stays, whatever a catalogue grows to."""
    faults_of(make(10))  # what is loaded once is not counted
    assert looks_of(make(1_500)) < 12 * looks_of(make(150))


def test_no_circle_no_answer():
    assert shortest_circle({"a": ["b"], "b": ["c"], "c": []}) == []


def test_the_shortest_of_many_circles():
    graph = {number: [(number + 1) % 50, (number + 7) % 50] for number in range(50)}
    graph[20].append(17)
    assert sorted(shortest_circle(graph)) == [17, 18, 19, 20]


def test_what_is_published_stands_without_a_fault():
    items = [each.description for each in shipped().all()]
    assert faults_of(items) == []


def test_a_new_item_is_checked_with_all_that_is_published():
    """Its own faults, and those that it makes: here the residence permit begins to need what only needs it."""
    others = [each.description for each in shipped().all()]
    changed = copy.deepcopy(next(each for each in others if each["code"] == "residence-permit"))
    others.remove(next(each for each in others if each["code"] == "residence-permit"))
    card = next(each for each in others if each["code"] == "elderly-card")
    card["documents"][2] |= {"required": True}
    changed["documents"].append(
        changed["documents"][0] | {"code": "card", "source": "platform", "proofs": ["elderly-concession-card"]}
    )
    try:
        with pytest.raises(BrokenCatalogue, match=r"circular proof: Residence permit .* → Elderly concession card"):
            require_right([changed], others)
    finally:
        card["documents"][2] |= {"required": False}


def step(code, *following):
    return {"code": code, "name": {"en": code, "zh-Hans": code, "zh-Hant": code}, "next": list(following)}


@pytest.mark.parametrize(
    ("drawn", "said"),
    [
        ([step("a", "b"), step("b", "a", "c"), step("c")], []),
        ([step("a", "b", "z"), step("b")], ["a leads to z, which is no step"]),
        (
            [step("a", "d"), step("b", "c"), step("c", "d"), step("d")],
            [
                "no way leads from the start to this step: (no step leads here) → b (b)",
                "no way leads from the start to this step: (no step leads here) → b (b) → c (c)",
            ],
        ),
        (
            [step("a", "b", "c"), step("b", "d"), step("c"), step("d", "b")],
            [
                "no way leads from this step to an end: a (a) → b (b)",
                "no way leads from this step to an end: a (a) → b (b) → d (d)",
            ],
        ),
        ([step("a", "a")], ["no way leads from this step to an end: a (a)"]),
    ],
)
def test_steps_are_reached_and_lead_to_an_end(drawn, said):
    assert [words["en"] for _, words in steps.faults_of(drawn)] == said
