"""The demo's cross-region case: filed at a hall in Chengdu, decided in Guang'an, the result collected in Chengdu."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import Any

import httpx2

from cli.oidc import Client, exchange, sign_in
from services.identity.demo import PARTICULARS

ITEM = "birth-registration"
CLERK, STRANGER = "clerk2", "officer5"
"""Both work at the hall in Chengdu: one takes in there, the other may not decide it."""
PAPERS = [
    {"document": "parents-identity-cards", "form": "copy", "copies": 2},
    {"document": "household-register", "form": "original"},
]


@dataclass(frozen=True)
class CrossingStory:
    """`trail` is who passed what to whom, of the case's own history; `refused` what the officer in Chengdu was told."""

    number: str
    trail: list[dict[str, Any]]
    refused: int
    case: dict[str, Any]


def play(base: str, web: Client, hall: Client, officer: httpx2.Client, password: str) -> CrossingStory:
    with (
        closing(sign_in(base, hall, CLERK, password)) as clerk,
        closing(sign_in(base, web, STRANGER, password)) as stranger,
    ):
        number = _file(base, hall, clerk)

        def act(person: httpx2.Client, action: str, **more: object) -> httpx2.Response:
            said = {"action": action, **more}
            return person.post(f"/api/v1/cases/{number}/actions", json=said, headers={"If-Match": "*"})

        act(clerk, "pass_on", papers=PAPERS, note="By courier.").raise_for_status()
        refused = act(stranger, "receive_papers").status_code
        for action in ("receive_papers", "accept", "approve", "pass_on"):
            act(officer, action).raise_for_status()
        act(clerk, "receive_papers").raise_for_status()
        act(clerk, "deliver", way="counter").raise_for_status()
        history = clerk.get(f"/api/v1/cases/{number}/history").raise_for_status().json()["items"]
        case = clerk.get(f"/api/v1/cases/{number}").raise_for_status().json()
    return CrossingStory(number, [entry for entry in history if _is_of_trail(entry)], refused, case)


def _file(base: str, hall: Client, clerk: Any) -> str:
    """The citizen's card is read in Chengdu, and the clerk there files in their name."""
    form = clerk.get(f"/api/v1/items/{ITEM}").raise_for_status().json()["example"]
    card = {"id_number": PARTICULARS["citizen"].id_number}
    proof = clerk.post("/api/v1/presence", json=card).raise_for_status().json()
    with closing(exchange(base, hall, clerk, proof["presence_token"])) as for_the_citizen:
        filed = for_the_citizen.post("/api/v1/cases", json={"item": ITEM, "form": form}).raise_for_status()
        return str(filed.json()["number"])


def _is_of_trail(entry: dict[str, Any]) -> bool:
    details = entry.get("details") or {}
    return entry["event"] == "case.submitted" or "giver" in details


def tell(story: CrossingStory) -> None:
    case = story.case
    print(
        f"\nCase {story.number}: filed at {case['filed_hall']}, decided by {case['department']} in {case['region']}\n"
    )
    for entry in story.trail:
        details = entry.get("details") or {}
        hands = f"{details.get('giver', 'applicant')} -> {details.get('taker', entry.get('hall'))}"
        print(f"  {entry['event']:<24}{entry['actor']:<9}{hands:<36}{_said(entry, details)}")
    print(f"\n  The officer in Chengdu was refused ({story.refused}); the result was delivered at the counter there")


def _said(entry: dict[str, Any], details: dict[str, Any]) -> str:
    papers = [f"{paper['copies']} {paper['form']} of {paper['document']}" for paper in details.get("papers", ())]
    checks = [f"identity: {check}" for check in details.get("checks", ())]
    return "; ".join([*checks, *papers, *([entry["note"]] if entry["note"] else [])])
