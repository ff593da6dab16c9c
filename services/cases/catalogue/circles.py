"""The shortest circle of a directed graph."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Mapping, Sequence
from typing import Final, Generic, TypeVar

N = TypeVar("N", bound=Hashable)

MOST_LOOKS: Final = 500_000
"""Edges looked at for one graph; past that, the shortest circle found so far is given."""


def shortest_circle(graph: Mapping[N, Sequence[N]]) -> list[N]:
    """Nodes in their order, without the first again at the end; empty if there is no circle.

    From each node the shortest way back to it, then the node is taken out with all that no longer lies on a circle: so
    one long ring costs one search, not as many as it has nodes.
    """
    core = _Core(graph)
    best: list[N] = []
    for start in graph:
        if start not in core.after or (best and core.looks > MOST_LOOKS):
            continue
        found = core.way_back(start, len(best) - 1 if best else len(graph))
        best = found or best
        core.remove(start)
    return best


class _Core(Generic[N]):
    """What of a graph may still lie on a circle: every node has one before and one after it."""

    def __init__(self, graph: Mapping[N, Sequence[N]]) -> None:
        self.after = {node: dict.fromkeys(following) for node, following in graph.items()}
        self.before: dict[N, dict[N, None]] = {node: {} for node in graph}
        self.looks = 0
        for node, following in self.after.items():
            for each in following:
                self.before[each][node] = None
        for node in list(graph):
            if node in self.after and not (self.after[node] and self.before[node]):
                self.remove(node)

    def remove(self, node: N) -> None:
        """Take a node out, and whatever then ends or begins nowhere."""
        loose = [node]
        while loose:
            gone = loose.pop()
            if gone not in self.after:
                continue
            for following in self.after.pop(gone):
                if following != gone:
                    self.before[following].pop(gone, None)
                    loose += [] if self.before[following] else [following]
            for earlier in self.before.pop(gone):
                if earlier != gone:
                    self.after[earlier].pop(gone, None)
                    loose += [] if self.after[earlier] else [earlier]

    def way_back(self, start: N, longest: int) -> list[N]:
        """The shortest way from a node to itself of at most so many steps, or nothing."""
        came_from: dict[N, N] = {}
        queue = deque([(start, 0)])
        while queue:
            node, steps = queue.popleft()
            if steps >= longest:
                break
            for following in self.after[node]:
                self.looks += 1
                if following == start:
                    return _way(came_from, start, node)
                if following not in came_from:
                    came_from[following] = node
                    queue.append((following, steps + 1))
        return []


def _way(came_from: Mapping[N, N], start: N, end: N) -> list[N]:
    way = [end]
    while way[-1] != start:
        way.append(came_from[way[-1]])
    return way[::-1]
