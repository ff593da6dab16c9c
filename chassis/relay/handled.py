"""How far a queue has surely been handled, from looks at how much of it waits.

The broker tells how many events wait, not which. This says up to which position they cannot be, so that a queue that
is lost can be filled again from there: rather too many events again, which subscribers drop by their ids, than one too
few.

Two things are known of an event that waits:

1. It is in its queue, in hand, in a retry queue or among the dead letters at every moment, and may be missed by a look
   only while it goes from one to the other: the broker's counts are up to 5 s old. It cannot do that for long. Every
   stay of 10 s is seen, and between a first delivery and the stay of 30 s in the third retry queue there are at most
   five shorter ones. So if a minute and a half of looks saw nothing at all, whatever was published before them is done.
   This is what a queue that keeps up shows sooner or later.
2. If it was never handed out, everything behind it waits too, so that counting the waiting ones back from the last
   event finds it. If it was handed out, it is in hand, or was given back and is the first to be handed out again. The
   broker takes an event back after half an hour in hand. So what waits after an hour in which the queue was at work was
   not handed out an hour ago, and counting back from then finds it. Events that come back from retry queues or dead
   letters stand behind younger ones: with those about, only the first rule holds.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

LOOK_SECONDS = 5
QUIET_LOOKS = 18
LAG_LOOKS = 6
"""The counts of this many looks together are no older than the first of them, and not from before a restart."""

WORK_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Waiting:
    """What one look saw of a queue and all that belongs to it."""

    ready: int = 0
    in_hand: int = 0
    retrying: int = 0
    dead: int = 0

    @property
    def total(self) -> int:
        return self.ready + self.in_hand + self.retrying + self.dead


@dataclass(frozen=True, slots=True)
class Mark:
    """Handled is what the queue heard up to `position`, but for the `except_last` last of it."""

    position: int
    except_last: int


class Handled:
    """Of one queue, since somebody began to look."""

    def __init__(self) -> None:
        self._looks: deque[tuple[int, Waiting]] = deque(maxlen=QUIET_LOOKS + 1)
        self._marks: deque[tuple[int, Mark]] = deque()
        self._worked = 0
        self._is_in_order = False

    def look(self, position: int, waiting: Waiting) -> Mark | None:
        """`position` is that of the last event published before the look. A mark, when there is a later one."""
        self._looks.append((position, waiting))
        if waiting.dead or waiting.retrying:
            self._is_in_order = False
            self._marks.clear()
        if waiting.in_hand:
            self._worked += LOOK_SECONDS
        if len(self._looks) > QUIET_LOOKS and not any(seen.total for _, seen in self._looks):
            self._is_in_order = True
            self._marks.clear()
            return Mark(self._looks[0][0], 0)
        return self._by_order()

    def lose_sight(self) -> None:
        """A look told nothing, or the queue is being filled again: begin anew."""
        self._looks.clear()
        self._marks.clear()
        self._is_in_order = False

    def _by_order(self) -> Mark | None:
        if not self._is_in_order or len(self._looks) <= LAG_LOOKS:
            return None
        recent = list(self._looks)[-LAG_LOOKS - 1 :]
        newest = Mark(recent[0][0], max(seen.total for _, seen in recent))
        self._marks.append((self._worked, newest))
        old = None
        while self._marks and self._worked - self._marks[0][0] >= WORK_SECONDS:
            old = self._marks.popleft()[1]
        return old
