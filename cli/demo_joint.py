"""The demo's joint case: a child is born, three departments work side by side, and one of them refuses."""

from __future__ import annotations

import base64
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import httpx2

from cli.oidc import Client, sign_in

ITEM = "birth"
REGISTRATION, INSURANCE, CARD = "birth-registration", "newborn-insurance", "newborn-social-card"
CARDS = "parents-identity-cards"
OFFICERS = {REGISTRATION: "officer", INSURANCE: "officer3", CARD: "officer4"}
REASON = "The child is insured already, with the father's employer."
_SCAN = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
"""One grey pixel stands for the cards."""


@dataclass(frozen=True)
class JointStory:
    """The joint case as its applicant reads it at the end; of a document that two parts ask for, the one file of each.

    `before` are the states of the parts when it was filed.
    """

    number: str
    before: dict[str, str]
    whole: dict[str, Any]
    files: dict[str, list[str]]


def play(base: str, web: Client, citizen: httpx2.Client, officer: httpx2.Client, password: str) -> JointStory:
    """One form and one file; the insurance is refused, the registration approved, and the card begins by itself."""
    filed = _file(citizen)
    number = filed["number"]
    with (
        closing(sign_in(base, web, OFFICERS[INSURANCE], password)) as insurer,
        closing(sign_in(base, web, OFFICERS[CARD], password)) as maker,
    ):
        numbers = _numbers(filed)
        files = {
            item: _files(reader, numbers[item]) for item, reader in ((REGISTRATION, officer), (INSURANCE, insurer))
        }
        _decide(insurer, numbers[INSURANCE], "refuse", REASON)
        _decide(officer, numbers[REGISTRATION], "approve", "Registered.")
        _decide(maker, _numbers(_read(citizen, number))[CARD], "approve", "The card is made.")
    return JointStory(number, _states(filed), _read(citizen, number), files)


def _file(citizen: httpx2.Client) -> dict[str, Any]:
    """A draft, the scan handed in once, and the filing of both."""
    form = citizen.get(f"/api/v1/items/{ITEM}").raise_for_status().json()["example"]
    draft = citizen.post("/api/v1/drafts", json={"item": ITEM, "form": form}).raise_for_status().json()["id"]
    scan = {"file": ("cards.png", _SCAN, "image/png")}
    citizen.post(f"/api/v1/drafts/{draft}/documents?document={CARDS}", files=scan).raise_for_status()
    filing = citizen.post(
        "/api/v1/joint-cases", json={"item": ITEM, "form": form}, headers={"Idempotency-Key": draft}
    ).raise_for_status()
    return dict(filing.json())


def _decide(officer: httpx2.Client, number: str, action: str, note: str) -> None:
    for said in ({"action": "accept"}, {"action": action, "note": note}):
        officer.post(f"/api/v1/cases/{number}/actions", json=said).raise_for_status()


def _read(citizen: httpx2.Client, number: str) -> dict[str, Any]:
    return dict(citizen.get(f"/api/v1/joint-cases/{number}").raise_for_status().json())


def _files(reader: httpx2.Client, number: str) -> list[str]:
    """Of the parents' cards, as the department of the part reads them."""
    documents = reader.get(f"/api/v1/cases/{number}/documents").raise_for_status().json()["asked"]
    return [file["id"] for document in documents if document["code"] == CARDS for file in document["files"]]


def _numbers(whole: dict[str, Any]) -> dict[str, str]:
    return {part["item"]: part["number"] for part in whole["parts"]}


def _states(whole: dict[str, Any]) -> dict[str, str]:
    return {part["item"]: part["state"] for part in whole["parts"]}


def tell(story: JointStory) -> None:
    """The one result page, in words."""
    print(f"\nJoint case {story.number}: one form, three departments\n")
    notes = {entry["item"]: entry["note"] for entry in story.whole["history"] if entry["note"]}
    for part in story.whole["parts"]:
        way = f"{story.before[part['item']]} -> {part['state']}"
        print(f"  {part['item_name']['en']:<40}{part['department']:<20}{way:<24}{notes.get(part['item'], '')}")
    parts, files = len(story.files), {file for each in story.files.values() for file in each}
    print(
        f"\n  The parents' identity cards were handed in once: {parts} parts read {len(files)} file."
        f" All of it on one page: /joint/{story.number}"
    )
