"""`onehall demo play`: one citizen's story across the channels, told from a running platform's own answers."""

from __future__ import annotations

import json
import mailbox
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from email.header import decode_header, make_header
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx2

from cli.oidc import Client, sign_in

T = TypeVar("T")

ITEM = "residence-permit"
DEPARTMENT = "civil-affairs"
PASSWORD = "onehall-demo"  # noqa: S105  the demo accounts exist in local runs only
SECRET = "onehall-demo-secret"  # noqa: S105
EXPECTED = [
    ("case.submitted", "web", "citizen"),
    ("case.accepted", "hall", "clerk"),
    ("case.correction-requested", "web", "officer"),
    ("case.corrected", "app", "citizen"),
    ("case.approved", "web", "officer"),
    ("case.closed", "web", "officer"),
    ("case.rated", "app", "citizen"),
]
_LONGEST_WAIT_SECONDS = 30
_MAILS = 5


class StoryBroken(Exception):
    """Something that the story promises did not happen. Args: what."""


@dataclass(frozen=True)
class Story:
    """What became of the one case, from every side that hears of it."""

    number: str
    history: list[dict[str, Any]]
    inbox: list[dict[str, Any]]
    mails: list[str]
    rating: dict[str, Any]
    received: list[dict[str, Any]]


def play() -> None:
    """Play the story and print it; end with an error if anything is missing."""
    base = os.environ["ONEHALL_BASE_URL"]
    try:
        story = play_story(base)
    except (StoryBroken, httpx2.HTTPError) as error:
        sys.exit(f"the story broke: {error}")
    tell(story)


def play_story(base: str) -> Story:
    web = Client("web", f"{base}/callback", SECRET)
    hall = Client("hall", f"{base}/hall/callback", SECRET)
    app = Client("app", "http://127.0.0.1:9777/callback")
    with (
        closing(sign_in(base, web, "citizen", PASSWORD)) as citizen_at_home,
        closing(sign_in(base, app, "citizen", PASSWORD)) as citizen_on_the_phone,
        closing(sign_in(base, hall, "clerk", PASSWORD)) as clerk,
        closing(sign_in(base, web, "officer", PASSWORD)) as officer,
    ):
        number, rating = _live_through(citizen_at_home, citizen_on_the_phone, clerk, officer)
        return Story(
            number=number,
            rating=rating,
            history=_wait("the whole history", lambda: _whole_history(citizen_on_the_phone, number)),
            inbox=_wait("inbox entries", lambda: _inbox_of(citizen_on_the_phone, number)),
            mails=_wait("mails", lambda: _mails_about(number)),
            received=list(_received_by_department(base, number)),
        )


def _live_through(
    citizen_at_home: httpx2.Client, citizen_on_the_phone: httpx2.Client, clerk: httpx2.Client, officer: httpx2.Client
) -> tuple[str, dict[str, Any]]:
    """From the filing to the rating; the case's number and the rating."""
    form = citizen_at_home.get(f"/api/v1/items/{ITEM}").raise_for_status().json()["example"]
    filed = citizen_at_home.post("/api/v1/cases", json={"item": ITEM, "form": form}).raise_for_status()
    number = filed.json()["number"]

    def act(person: httpx2.Client, action: str, **more: object) -> None:
        person.post(f"/api/v1/cases/{number}/actions", json={"action": action, **more}).raise_for_status()

    act(clerk, "accept")
    act(officer, "request_correction", note="The copy of the lease cannot be read; please send it once more.")
    act(citizen_on_the_phone, "correct", form=form)
    act(officer, "approve", note="The permit is ready.")
    rating = citizen_on_the_phone.post(f"/api/v1/cases/{number}/rating", json={"score": 5, "comment": "No queue!"})
    return number, rating.raise_for_status().json()


def _whole_history(person: httpx2.Client, number: str) -> list[dict[str, Any]] | None:
    history = person.get(f"/api/v1/cases/{number}/history").raise_for_status().json()["items"]
    told = [(entry["event"], entry["channel"], entry["actor"]) for entry in history]
    return history if told == EXPECTED else None


def _inbox_of(person: httpx2.Client, number: str) -> list[dict[str, Any]] | None:
    entries = person.get("/api/v1/inbox").raise_for_status().json()["items"]
    mine = [entry for entry in entries if entry["number"] == number]
    return mine if "case.approved" in {entry["event"] for entry in mine} else None


def _mails_about(number: str) -> list[str] | None:
    """The subjects of the mails about this case; filed, accepted, to be corrected, corrected and approved are five."""
    folder = mailbox.Maildir(Path(os.environ.get("ONEHALL_STATE", "var")) / "mail", create=False)
    subjects = [str(make_header(decode_header(mail["Subject"]))) for mail in folder]
    mine = [subject for subject in subjects if number in subject]
    return mine if len(mine) >= _MAILS else None


def _received_by_department(base: str, number: str) -> Iterator[dict[str, Any]]:
    """Run the department's own program, signed in as its own client, until it has heard of every step."""
    uri = os.environ["ONEHALL_SUBSCRIBER_AMQP_URI"]
    command = [sys.executable, "-m", "departments", "--department", DEPARTMENT]
    client = {"ISSUER": base, "CLIENT_ID": f"dept-{DEPARTMENT}", "CLIENT_SECRET": SECRET}
    # a broker of one's own that has one account for all may take no tokens
    credentials = {} if urlsplit(uri).username else {f"ONEHALL_{name}": value for name, value in client.items()}
    environment = os.environ | credentials | {"ONEHALL_AMQP_URI": uri}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as subscriber:
        limit = threading.Timer(_LONGEST_WAIT_SECONDS, subscriber.terminate)
        limit.start()
        try:
            for line in subscriber.stdout or ():
                event = json.loads(line)
                if event["subject"] == number:
                    yield event
                if (event["subject"], event["type"]) == (number, "case.rated"):
                    return
        finally:
            limit.cancel()
            subscriber.terminate()


def _wait(what: str, look: Callable[[], T | None]) -> T:
    deadline = time.monotonic() + _LONGEST_WAIT_SECONDS
    while time.monotonic() < deadline:
        found = look()
        if found is not None:
            return found
        time.sleep(0.1)
    raise StoryBroken(f"{what} did not come within {_LONGEST_WAIT_SECONDS} s")


def tell(story: Story) -> None:
    print(f"\nCase {story.number}: one history over every channel\n")
    for entry in story.history:
        print(
            f"  {entry['sequence']}  {entry['event']:<28}{entry['channel']:<7}{entry['actor']:<9}{entry['note'] or ''}"
        )
    print("\nMails to the citizen")
    for subject in story.mails:
        print(f"  {subject}")
    print(f"\nInbox entries: {len(story.inbox)}")
    print(f"Rating: {story.rating['score']} of 5")
    print(f"\nWhat {DEPARTMENT}'s own program received")
    for event in story.received:
        print(f"  {event['sequence']}  {event['type']}")
    if [event["type"] for event in story.received] != [event for event, _, _ in EXPECTED]:
        sys.exit("the department did not hear of every step")
