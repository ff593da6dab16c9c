"""`onehall demo play`: stories told from a running platform's own answers; first a citizen's across the four channels.

It begins at the counter, where a clerk files for the citizen whose card was read, goes on over the officer's desk and
the citizen's app, and ends at a kiosk that the citizen's phone signed in. At home in the browser they read who looked.
Then a joint case (`demo_joint`) and one that two regions share (`demo_crossing`).
"""

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
from authlib.integrations.httpx_client import OAuth2Client

from cli import demo_crossing, demo_joint
from cli.demo_crossing import CrossingStory
from cli.demo_joint import JointStory
from cli.oidc import Client, exchange, introspect, sign_in, sign_in_device
from services.identity.demo import PARTICULARS

T = TypeVar("T")

ITEM = "residence-permit"
DEPARTMENT = "civil-affairs"
PASSWORD = "onehall-demo"  # noqa: S105  the demo accounts exist in local runs only
SECRET = "onehall-demo-secret"  # noqa: S105
EXPECTED = [
    ("case.submitted", "hall", "clerk"),
    ("case.accepted", "hall", "clerk"),
    ("case.correction-requested", "web", "officer"),
    ("case.corrected", "app", "citizen"),
    ("case.approved", "web", "officer"),
    ("case.closed", "web", "officer"),
    ("case.rated", "kiosk", "citizen"),
]
LOOKS = {("clerk", "hall", "look-up", "counter"), ("clerk", "hall", "identity", "counter")}
"""Of the clerk at the citizen's data before there was a case: the card that was read, and the token that came of it."""
KIOSK = "One-stop hall, kiosk 3"
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
    exchanged: dict[str, Any]
    looks: list[dict[str, Any]]


@dataclass(frozen=True)
class Cast:
    """Who takes part, each signed in over their channel; `hall` is the client of the counter's program."""

    base: str
    hall: Client
    clerk: OAuth2Client
    officer: OAuth2Client
    at_home: OAuth2Client
    app: OAuth2Client
    phone: httpx2.Client


def play() -> None:
    """Play the story and print it; end with an error if anything is missing."""
    base = os.environ["ONEHALL_BASE_URL"]
    try:
        story = play_story(base)
        birth, abroad = play_departments(base)
    except (StoryBroken, httpx2.HTTPError) as error:
        sys.exit(f"the story broke: {error}")
    tell(story)
    demo_joint.tell(birth)
    demo_crossing.tell(abroad)


def play_story(base: str) -> Story:
    web = Client("web", f"{base}/callback", SECRET)
    hall = Client("hall", f"{base}/hall/callback", SECRET)
    app = Client("app", "http://127.0.0.1:9777/callback")
    with (
        httpx2.Client() as phone,
        closing(sign_in(base, hall, "clerk", PASSWORD)) as clerk,
        closing(sign_in(base, web, "officer", PASSWORD)) as officer,
        closing(sign_in(base, web, "citizen", PASSWORD)) as at_home,
        closing(sign_in(base, app, "citizen", PASSWORD, phone)) as on_the_phone,
    ):
        return _live_through(Cast(base, hall, clerk, officer, at_home, on_the_phone, phone))


def play_departments(base: str) -> tuple[JointStory, CrossingStory]:
    """What several departments do together, and two regions."""
    web = Client("web", f"{base}/callback", SECRET)
    hall = Client("hall", f"{base}/hall/callback", SECRET)
    with (
        closing(sign_in(base, web, "officer", PASSWORD)) as officer,
        closing(sign_in(base, web, "citizen", PASSWORD)) as citizen,
    ):
        birth = demo_joint.play(base, web, citizen, officer, PASSWORD)
        return birth, demo_crossing.play(base, web, hall, officer, PASSWORD)


def _live_through(cast: Cast) -> Story:
    """From the filing at the counter to the rating at a kiosk, and what became of it."""
    form = cast.at_home.get(f"/api/v1/items/{ITEM}").raise_for_status().json()["example"]
    number, exchanged = _file_at_the_counter(cast, form)

    def act(person: httpx2.Client, action: str, **more: object) -> None:
        person.post(f"/api/v1/cases/{number}/actions", json={"action": action, **more}).raise_for_status()

    act(cast.clerk, "accept")
    act(cast.officer, "request_correction", note="The copy of the lease cannot be read; please send it once more.")
    act(cast.app, "correct", form=form)
    act(cast.officer, "approve", note="The permit is ready.")
    return Story(
        number=number,
        exchanged=exchanged,
        rating=_rate_at_a_kiosk(cast, number),
        history=_wait("the whole history", lambda: _whole_history(cast.app, number)),
        inbox=_wait("inbox entries", lambda: _inbox_of(cast.app, number)),
        mails=_wait("mails", lambda: _mails_about(number)),
        received=list(_received_by_department(cast.base, number)),
        looks=_wait("the access log", lambda: _looks_of(cast.at_home)),
    )


def _file_at_the_counter(cast: Cast, form: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The clerk reads the citizen's card, and files in the citizen's name by a token that says so.

    The case's number, and what the provider tells of that token.
    """
    card = {"id_number": PARTICULARS["citizen"].id_number}
    proof = cast.clerk.post("/api/v1/presence", json=card).raise_for_status().json()
    with closing(exchange(cast.base, cast.hall, cast.clerk, proof["presence_token"])) as for_the_citizen:
        filed = for_the_citizen.post("/api/v1/cases", json={"item": ITEM, "form": form}).raise_for_status()
        return filed.json()["number"], introspect(cast.base, cast.hall, for_the_citizen.token["access_token"])


def _rate_at_a_kiosk(cast: Cast, number: str) -> dict[str, Any]:
    """The kiosk shows a code, the citizen's phone allows it, and the kiosk speaks for the citizen."""
    with closing(sign_in_device(cast.base, Client("kiosk"), KIOSK, cast.phone)) as kiosk:
        rating = kiosk.post(f"/api/v1/cases/{number}/rating", json={"score": 5, "comment": "No queue!"})
        return dict(rating.raise_for_status().json())


def _looks_of(person: httpx2.Client) -> list[dict[str, Any]] | None:
    """The newest looks at the person's data, when those of the counter are among them."""
    items = person.get("/api/v1/access-log").raise_for_status().json()["items"]
    seen = {(look["role"], look["channel"], look["what"], look["purpose"]) for look in items}
    return items if seen >= LOOKS else None


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
    acting = "the clerk" if story.exchanged.get("act") else "nobody"
    print(f"\nThe counter's token: for the citizen, by {acting}, over {story.exchanged['channel']}")
    print("Who looked at the citizen's data last, as they read it at home")
    for look in story.looks[:5]:
        print(f"  {look['role']:<9}{look['channel'] or '':<7}{look['what']:<12}{look['purpose']}")
    print(f"\nInbox entries: {len(story.inbox)}")
    print(f"Rating: {story.rating['score']} of 5")
    print(f"\nWhat {DEPARTMENT}'s own program received")
    for event in story.received:
        print(f"  {event['sequence']}  {event['type']}")
    if [event["type"] for event in story.received] != [event for event, _, _ in EXPECTED]:
        sys.exit("the department did not hear of every step")
