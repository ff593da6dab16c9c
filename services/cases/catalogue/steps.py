"""The steps of one item as a graph: from the first, every step is reached; from every step, an end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from services.cases.catalogue import wording

Said = dict[str, str]


def faults_of(steps: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Said]]:
    """Every fault with its place. Codes are unique by now; a next step that there is not is passed over afterwards."""
    names = {step["code"]: step["name"] for step in steps}
    for index, step in enumerate(steps):
        for code in step["next"]:
            if code not in names:
                yield f"$.steps[{index}].next", wording.say("step-unknown", step=step["code"], next=code)
    after = {step["code"]: [code for code in step["next"] if code in names] for step in steps}
    before = {code: [other for other in after if code in after[other]] for code in after}
    ends = [step["code"] for step in steps if not step["next"]]
    ways = _ways(after, [steps[0]["code"]])
    to_an_end = _ways(before, ends)
    for index, step in enumerate(steps):
        code = step["code"]
        if code not in ways:
            path = [*_leading_to(before, code), code]
            yield f"$.steps[{index}]", wording.say("step-unreachable", path=_named(path, names, is_cut_off=True))
        elif code not in to_an_end:
            yield f"$.steps[{index}]", wording.say("step-endless", path=_named(ways[code], names))


def _ways(after: Mapping[str, Sequence[str]], starts: Sequence[str]) -> dict[str, list[str]]:
    """The shortest way from a start to each step that can be reached."""
    ways = {start: [start] for start in starts}
    queue = list(starts)
    for code in queue:
        for following in after[code]:
            if following not in ways:
                ways[following] = [*ways[code], following]
                queue.append(following)
    return ways


def _leading_to(before: Mapping[str, Sequence[str]], code: str) -> list[str]:
    """The longest chain of steps, as cut off as this one, that leads to it without going round."""
    chain: list[str] = []
    while True:
        first = chain[0] if chain else code
        earlier = next((each for each in before[first] if each != code and each not in chain), None)
        if earlier is None:
            return chain
        chain.insert(0, earlier)


def _named(path: Sequence[str], names: Mapping[str, Any], is_cut_off: bool = False) -> Said:
    parts = [wording.say("item", name=names[code], code=code) for code in path]
    return wording.say_path([wording.say("nowhere"), *parts] if is_cut_off else parts)
