"""A service item's procedure as a picture: steps in rows from the start down, drawn as SVG without any script or style.

One unit is a pixel of a phone 375 wide. What leads to the next row goes straight down; what goes back runs along the
left edge, what passes rows over along the right.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.languages import Catalogue

WIDTH: Final = 340
GAP: Final = 36
_LANE: Final = 11
_MOST_LANES: Final = 4
_PAD: Final = 11
_NAME_SIZE, _META_SIZE = 16, 14
_NAME_LINE, _META_LINE = 21, 19
_A_ROW: Final = 2
_WIDEST: Final = 250
_WIDE: Final = "WF"
_NOT_FIRST: Final = "，。、；：？！）》」』,.;:?!)"


@dataclass
class Step:
    """One step in words; `number` counts them in the order of the picture."""

    code: str
    name: str
    role: str
    is_yours: bool
    who: str
    limit: str
    following: list[str]
    number: int = 0

    @property
    def is_end(self) -> bool:
        return not self.following


@dataclass
class Box:
    step: Step
    row: int
    x: float = 0
    y: float = 0
    width: float = 0
    height: float = 0
    name_lines: list[str] = field(default_factory=list)
    meta_lines: list[str] = field(default_factory=list)

    @property
    def middle(self) -> float:
        return self.x + self.width / 2

    @property
    def centre(self) -> float:
        return self.y + self.height / 2

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def lines(self) -> list[tuple[str, float, str]]:
        """Text, its base line, and which of the two it is."""
        top = self.y + _PAD
        names = [(line, top + _NAME_LINE * at + 16, "name") for at, line in enumerate(self.name_lines)]
        top += _NAME_LINE * len(self.name_lines)
        return names + [(line, top + _META_LINE * at + 15, "meta") for at, line in enumerate(self.meta_lines)]


@dataclass(frozen=True)
class Picture:
    height: float
    boxes: list[Box]
    lines: list[str]
    """SVG paths, each with an arrow at its end."""

    @property
    def steps(self) -> list[Step]:
        return [box.step for box in self.boxes]

    def named(self, code: str) -> Step:
        return next(step for step in self.steps if step.code == code)


def limit_in_words(days: int, unit: str, say: Catalogue) -> str:
    if days == 0:
        return say("procedure.same-day")
    return say(f"days.{unit}-one") if days == 1 else say(f"days.{unit}", days=days)


def _limit(days: int | None, unit: str, say: Catalogue) -> str:
    if days is None:
        return ""
    words = limit_in_words(days, unit, say)
    return say("procedure.limit", limit=words) if days else words


def draw(item: Mapping[str, Any], say: Catalogue) -> Picture | None:
    """None if the item says nothing of its steps."""
    described: Sequence[Mapping[str, Any]] = item.get("steps") or ()
    if not described:
        return None
    steps = [_step(each, item, say) for each in described]
    rows, back = _rows(steps)
    for number, step in enumerate((step for row in rows for step in row), 1):
        step.number = number
    boxes = {step.code: Box(step, at) for at, row in enumerate(rows) for step in row}
    links = [(boxes[step.code], boxes[code]) for step in boxes_in_order(boxes) for code in step.following]
    left = _lanes(sum((start.step.code, end.step.code) in back for start, end in links))
    right = _lanes(sum(end.row > start.row + 1 for start, end in links))
    height = _place(rows, boxes, left, right, say)
    return Picture(height, list(boxes.values()), _Lines(left, right, back).of(links))


def boxes_in_order(boxes: Mapping[str, Box]) -> list[Step]:
    return [box.step for box in boxes.values()]


def _step(described: Mapping[str, Any], item: Mapping[str, Any], say: Catalogue) -> Step:
    days, role = described.get("days"), described["role"]
    department = described.get("department")
    who = say.word("department", department) if department else say.word("step-role", role)
    limit = _limit(days, item.get("day_unit", "working"), say)
    known = {each["code"] for each in item["steps"]}
    following = [code for code in described["next"] if code in known and code != described["code"]]
    return Step(described["code"], say.pick(described["name"]), role, role == "applicant", who, limit, following)


def _rows(steps: list[Step]) -> tuple[list[list[Step]], set[tuple[str, str]]]:
    """Each step under all that lead to it, but for those that lead back; and these."""
    by_code = {step.code: step for step in steps}
    order, back = _walk(by_code, steps[0].code)
    depth = dict.fromkeys(by_code, 0)
    for code in order:
        for following in by_code[code].following:
            if (code, following) not in back:
                depth[following] = max(depth[following], depth[code] + 1)
    layers: list[list[Step]] = [[] for _ in range(max(depth.values()) + 1)]
    for step in steps:
        layers[depth[step.code]].append(step)
    rows = []
    for layer in layers:
        # whose way leads back stands at the left, where it is drawn
        layer.sort(key=lambda step: not any((step.code, code) in back for code in step.following))
        rows += [layer[at : at + _A_ROW] for at in range(0, len(layer), _A_ROW)]
    return rows, back


def _walk(steps: Mapping[str, Step], start: str) -> tuple[list[str], set[tuple[str, str]]]:
    """Steps before all that they lead to, and the links that lead back to one on the way (depth first)."""
    done: list[str] = []
    back: set[tuple[str, str]] = set()
    state = {start: "open"}
    stack = [(start, iter(steps[start].following))]
    while stack:
        code, following = stack[-1]
        step = next(following, None)
        if step is None:
            state[code] = "done"
            done.append(code)
            stack.pop()
        elif state.get(step) == "open":
            back.add((code, step))
        elif step not in state:
            state[step] = "open"
            stack.append((step, iter(steps[step].following)))
    return done[::-1], back


def _lanes(count: int) -> int:
    return min(count, _MOST_LANES)


def _place(rows: list[list[Step]], boxes: dict[str, Box], left: int, right: int, say: Catalogue) -> float:
    """Give each box its place and size; give the height of all."""
    begin, end = 3.0 + _LANE * left, WIDTH - 3.0 - _LANE * right
    y = 3.0
    for row in rows:
        width = min((end - begin - 10 * (len(row) - 1)) / len(row), _WIDEST)
        x = begin + (end - begin - width * len(row) - 10 * (len(row) - 1)) / 2
        for step in row:
            box = boxes[step.code]
            box.x, box.y, box.width = x, y, width
            box.name_lines = wrap(f"{step.number}. {step.name}", (width - 2 * _PAD) / _NAME_SIZE)
            box.meta_lines = [line for part in _meta(step, say) for line in wrap(part, (width - 2 * _PAD) / _META_SIZE)]
            x += width + 10
        tallest = max(
            _NAME_LINE * len(boxes[step.code].name_lines) + _META_LINE * len(boxes[step.code].meta_lines)
            for step in row
        )
        for step in row:
            boxes[step.code].height = tallest + 2 * _PAD
        y += tallest + 2 * _PAD + GAP
    return y - GAP + 3.0


def _meta(step: Step, say: Catalogue) -> list[str]:
    who = say("procedure.your-turn") if step.is_yours else step.who
    return [who, step.limit] if step.limit else [who]


def wrap(text: str, ems: float) -> list[str]:
    """Lines of at most so many ems: broken at blanks, and between Chinese characters, as no browser does in SVG."""
    lines, line = [], ""
    for piece in _pieces(text):
        if line and _ems(line + piece.rstrip()) > ems and not piece.startswith(tuple(_NOT_FIRST)):
            lines.append(line.rstrip())
            line = ""
        line += piece
        while _ems(line.rstrip()) > ems + 1:
            fits = next(at for at in range(len(line), 0, -1) if _ems(line[:at]) <= ems or at == 1)
            lines.append(line[:fits])
            line = line[fits:]
    return [each for each in (*lines, line.rstrip()) if each]


def _pieces(text: str) -> list[str]:
    pieces, word = [], ""
    for char in text:
        if unicodedata.east_asian_width(char) in _WIDE:
            pieces += [word, char]
            word = ""
        else:
            word += char
            if char == " ":
                pieces.append(word)
                word = ""
    return [piece for piece in (*pieces, word) if piece]


def _ems(text: str) -> float:
    return sum(1.0 if unicodedata.east_asian_width(char) in _WIDE else 0.6 for char in text)


class _Lines:
    def __init__(self, left: int, right: int, back: set[tuple[str, str]]) -> None:
        self._left, self._right = left, right
        self._back = back
        self._used = {"left": 0, "right": 0}

    def of(self, links: list[tuple[Box, Box]]) -> list[str]:
        return [self._line(start, end) for start, end in links]

    def _line(self, start: Box, end: Box) -> str:
        if (start.step.code, end.step.code) in self._back or end.row <= start.row:
            return self._around(start, end, "left")
        if end.row > start.row + 1:
            return self._around(start, end, "right")
        if start.middle == end.middle:
            return f"M{start.middle:g} {start.bottom:g}V{end.y - 2:g}"
        return f"M{start.middle:g} {start.bottom:g}V{end.y - GAP / 2:g}H{end.middle:g}V{end.y - 2:g}"

    def _around(self, start: Box, end: Box, side: str) -> str:
        """Along an edge of the picture: out of the box at its side, or under it where another box is in the way."""
        lanes = max(self._left if side == "left" else self._right, 1)
        lane = 3 + _LANE * (self._used[side] % lanes)
        self._used[side] += 1
        x = lane if side == "left" else WIDTH - lane
        out = f"M{_edge(start, side):g} {start.centre:g}H{x:g}"
        if not _is_outermost(start, side):
            out = f"M{start.middle:g} {start.bottom:g}V{start.bottom + 9:g}H{x:g}"
        if _is_outermost(end, side):
            return f"{out}V{end.centre:g}H{_edge(end, side) + (-2 if side == 'left' else 2):g}"
        return f"{out}V{end.y - 9:g}H{end.middle:g}V{end.y - 2:g}"


def _edge(box: Box, side: str) -> float:
    return box.x if side == "left" else box.x + box.width


def _is_outermost(box: Box, side: str) -> bool:
    return box.middle < WIDTH / 2 + 15 if side == "left" else box.middle > WIDTH / 2 - 15
