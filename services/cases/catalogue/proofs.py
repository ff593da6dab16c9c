"""The proofs that items ask for, as a graph: strange ones, and circles (`docs/adr`).

A document is an *or*: any one of its papers serves. An item is an *and*: it needs every required document. A paper is
to be had if somebody outside the catalogue gives it, or an item that can be obtained itself. What can be obtained is
the least set that is closed under these rules (as Horn clauses are solved, in time linear in their length: Dowling and
Gallier, 1984); what is left out stands in a circle or behind one.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from services.cases.catalogue import wording
from services.cases.catalogue.circles import shortest_circle
from services.cases.catalogue.faults import Fault
from services.cases.catalogue.papers import Papers

Description = Mapping[str, Any]
Node = tuple[str, str]
ITEM: Final = "item"
PAPER: Final = "paper"


@dataclass
class ProofGraph:
    items: dict[str, Description]
    papers: Papers
    issuers: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, descriptions: Iterable[Description], papers: Papers) -> ProofGraph:
        graph = cls({each["code"]: each for each in descriptions}, papers)
        for code, item in sorted(graph.items.items()):
            if "result" in item:
                graph.issuers[item["result"]["code"]].append(code)
        return graph

    def is_known(self, paper: str) -> bool:
        return paper in self.papers or paper in self.issuers

    def needs(self, item: Description) -> Iterator[tuple[int, Sequence[str]]]:
        """Documents without which the item is never obtained and that nobody outside gives, with their papers."""
        for index, document in enumerate(item.get("documents", ())):
            papers = document["proofs"]
            is_free = any(paper in self.papers or paper not in self.issuers for paper in papers)
            if document["required"] and not is_free and not _may_be_declared(item, document):
                yield index, papers

    def blocked(self) -> set[str]:
        """The items that nobody can ever obtain. Papers that are not known count as given: they are faults already."""
        waiting: dict[str, list[tuple[str, int]]] = defaultdict(list)
        unmet: dict[str, set[int]] = {}
        for code, item in self.items.items():
            needs = list(self.needs(item))
            unmet[code] = {index for index, _ in needs}
            for index, papers in needs:
                for paper in papers:
                    waiting[paper].append((code, index))
        ready = deque(code for code, documents in unmet.items() if not documents)
        while ready:
            result = self.items[ready.popleft()].get("result")
            for code, index in waiting.pop(result["code"], ()) if result else ():
                if index in unmet[code]:
                    unmet[code].remove(index)
                    if not unmet[code]:
                        ready.append(code)
        return {code for code, documents in unmet.items() if documents}

    def circles(self) -> Iterator[list[Node]]:
        """The shortest circle of every knot, as item, paper, item, paper, ... without its end, which is its start."""
        blocked = self.blocked()
        if not blocked:
            return
        # only a broken catalogue needs it, and loading it takes longer than the whole check
        import networkx

        graph = networkx.DiGraph(self._edges(blocked))
        # items never lead to items nor papers to papers, so that a node alone is no circle
        knots = (sorted(knot) for knot in networkx.strongly_connected_components(graph) if len(knot) > 1)
        for knot in sorted(knots):
            inside = set(knot)
            if circle := shortest_circle({node: [each for each in graph[node] if each in inside] for node in knot}):
                yield circle

    def _edges(self, blocked: set[str]) -> Iterator[tuple[Node, Node]]:
        asked = set()
        for code in sorted(blocked):
            for _, papers in self.needs(self.items[code]):
                for paper in papers:
                    asked.add(paper)
                    yield (ITEM, code), (PAPER, paper)
        for paper in sorted(asked):
            yield from (((PAPER, paper), (ITEM, code)) for code in self.issuers[paper] if code in blocked)


def faults_of(graph: ProofGraph, first: frozenset[str] = frozenset()) -> Iterator[Fault]:
    """Every strange proof, and the shortest circle of every knot; a circle is named from an item of `first` on."""
    for item in graph.items.values():
        for index, document in enumerate(item.get("documents", ())):
            yield from _strange(graph, item, index, document)
    for circle in graph.circles():
        yield _circular(graph, circle, first)


def _may_be_declared(item: Description, document: Description) -> bool:
    """Whoever may declare instead of proving does not wait for the proof: this way out of a circle is one."""
    return bool(document.get("may_be_declared") and item.get("commitment", {}).get("open"))


def _strange(graph: ProofGraph, item: Description, index: int, document: Description) -> Iterator[Fault]:
    papers = document["proofs"]
    for paper in papers:
        if not graph.is_known(paper):
            yield _fault(item, index, "strange", paper, wording.say("nobody-gives"))
    if not all(graph.is_known(paper) for paper in papers):
        return
    source, first = document["source"], papers[0]
    if source == "applicant" and all(_is_held(graph, paper) for paper in papers):
        yield _fault(item, index, "strange", first, _why_held(graph, first))
    if source == "platform" and not any(_is_held(graph, paper) for paper in papers):
        yield _fault(item, index, "source", first, wording.say("not-held"))
    if source == "department" and not any(_is_given(graph, paper) for paper in papers):
        yield _fault(item, index, "source", first, wording.say("no-department"))


def _is_held(graph: ProofGraph, paper: str) -> bool:
    if paper in graph.papers:
        return bool(graph.papers[paper].get("held"))
    return all(graph.items[code]["result"]["electronic"] for code in graph.issuers[paper])


def _is_given(graph: ProofGraph, paper: str) -> bool:
    return paper in graph.issuers or "issuer" in graph.papers[paper]


def _why_held(graph: ProofGraph, paper: str) -> dict[str, str]:
    if paper in graph.papers:
        return wording.say("held")
    code = graph.issuers[paper][0]
    return wording.say("issued-here", item=graph.items[code]["name"], code=code)


def _fault(item: Description, index: int, key: str, paper: str, end: dict[str, str]) -> Fault:
    path = [_item(item), _document(item["documents"][index]), wording.say("paper", paper=paper), end]
    return wording.fault(item["code"], f"$.documents[{index}]", key, path=wording.say_path(path))


def _circular(graph: ProofGraph, circle: list[Node], first: frozenset[str]) -> Fault:
    codes = [code for kind, code in circle if kind == ITEM]
    start = circle.index((ITEM, min(codes, key=lambda code: (code not in first, code))))
    turned = circle[start:] + circle[:start]
    path, place = [], ""
    for (_, code), (_, paper) in zip(turned[::2], turned[1::2], strict=True):
        item = graph.items[code]
        index = next(index for index, papers in graph.needs(item) if paper in papers)
        place = place or f"$.documents[{index}]"
        path += [_item(item), _document(item["documents"][index])]
    path.append(_item(graph.items[turned[0][1]]))
    return wording.fault(turned[0][1], place, "circular", path=wording.say_path(path))


def _item(item: Description) -> dict[str, str]:
    return wording.say("item", name=item["name"], code=item["code"])


def _document(document: Description) -> dict[str, str]:
    return wording.say("document", name=document["name"])
