"""Tokens at the API that need more than a look at their signature: bound to a key, or silent about whose they are."""

from __future__ import annotations

import time
from typing import Any

import pytest

from contracts.errors import ServiceUnavailable, SessionEnded
from tests.proofs import make_key, make_proof
from tests.unit.gateway_fakes import BASE, CASE, Door, FakeRpc, bearer, make_door, make_token

PATH = "/api/v1/cases/OH-1"
KEY = make_key()
BOUND = make_token(cnf={"jkt": KEY.thumbprint()}, exp=int(time.time()) + 86_400)
"""Good for longer than all tests take: it is made before the first of them."""


class Memory:
    """Identity's, of the proofs that were used at any gateway."""

    def __init__(self) -> None:
        self.used: set[str] = set()

    def use(self, proof: str, expires_at: float) -> bool:
        assert expires_at > time.time()
        is_new = proof not in self.used
        self.used.add(proof)
        return is_new


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def door(memory: Memory) -> Door:
    return make_door(rpc_with(memory))


def rpc_with(memory: Memory, **answers: Any) -> FakeRpc:
    return FakeRpc({"cases.get_case": CASE, "identity.use_proof": memory.use, **answers})


def ask(door: Door, token: str = BOUND, proof: str | None = None, scheme: str = "DPoP", **changes: Any) -> Any:
    changes = {"access_token": token} | changes
    proof = proof or make_proof(changes.pop("key", KEY), "GET", BASE + PATH, **changes)
    return door.get(PATH, headers={"Authorization": f"{scheme} {token}", "DPoP": proof})


def is_refused(response: Any, reason: str = "") -> bool:
    challenge = response.headers["www-authenticate"]
    return response.status_code == 401 and challenge.startswith("DPoP ") and reason in challenge


def test_a_bound_token_with_its_proof_opens_the_door(door: Door) -> None:
    assert ask(door).status_code == 200
    assert ask(door, scheme="dpop").status_code == 200
    assert (
        door.get(PATH + "?a=b", headers=headers(make_proof(KEY, "GET", BASE + PATH, access_token=BOUND))).status_code
        == 200
    )


def headers(proof: str) -> dict[str, str]:
    return {"Authorization": f"DPoP {BOUND}", "DPoP": proof}


def test_a_bound_token_is_no_bearer_token(door: Door) -> None:
    response = door.get(PATH, headers={"Authorization": f"Bearer {BOUND}"})
    assert is_refused(response, "bound to a key")
    assert 'algs="ES256 PS256"' in response.headers["www-authenticate"]
    assert is_refused(ask(door, scheme="Bearer"))


def test_a_bearer_token_is_no_bound_token(door: Door) -> None:
    assert is_refused(ask(door, token=make_token()))


def test_a_proof_is_used_once_at_all_gateways(memory: Memory) -> None:
    one, two = make_door(rpc_with(memory)), make_door(rpc_with(memory))
    proof = make_proof(KEY, "GET", BASE + PATH, access_token=BOUND)
    assert ask(one, proof=proof).status_code == 200
    for door in (one, two):
        assert is_refused(ask(door, proof=proof), "used before")


@pytest.mark.parametrize(
    "changes",
    [
        {"key": make_key()},
        {"htm": "POST"},
        {"htu": f"{BASE}/api/v1/cases/OH-2"},
        {"htu": f"https://elsewhere.example{PATH}"},
        {"now": time.time() - 120},
        {"now": time.time() + 3_600},
        {"access_token": None},
        {"access_token": make_token()},
        {"jti": None},
        {"header": {"typ": "JWT"}},
        {"proof": "x"},
    ],
)
def test_a_proof_of_something_else_opens_nothing(door: Door, memory: Memory, changes: dict[str, Any]) -> None:
    assert is_refused(ask(door, **changes))
    assert not memory.used, "and identity is not asked"


def test_without_a_proof_or_with_two_nothing_opens(door: Door) -> None:
    assert is_refused(door.get(PATH, headers={"Authorization": f"DPoP {BOUND}"}))
    both = [("Authorization", f"DPoP {BOUND}")]
    both += [("DPoP", make_proof(KEY, "GET", BASE + PATH, access_token=BOUND)) for _ in range(2)]
    assert is_refused(door.get(PATH, headers=both))


@pytest.mark.parametrize("cnf", [{"x5t#S256": "a"}, {}, None, "a", {"jkt": 1}])
def test_a_token_that_is_bound_in_an_unknown_way_is_refused(door: Door, cnf: Any) -> None:
    token = make_token(cnf=cnf)
    assert door.get(PATH, headers={"Authorization": f"Bearer {token}"}).status_code == 401
    assert ask(door, token=token).status_code == 401


def test_while_identity_is_away_no_proof_counts(memory: Memory) -> None:
    door = make_door(rpc_with(memory, **{"identity.use_proof": ServiceUnavailable("identity")}))
    assert ask(door).status_code == 503


# Pairwise subjects


def test_of_a_pairwise_client_identity_says_who_it_is_once_a_token(memory: Memory) -> None:
    rpc = rpc_with(memory, **{"identity.get_subject": "the-person"})
    door, token = make_door(rpc), bearer(sub="pairwise-name", subject_type="pairwise")
    for _ in range(3):
        assert door.get(PATH, headers=token).status_code == 200
    assert {actor.subject for name, _, actor in rpc.calls if name == "cases.get_case"} == {"the-person"}
    assert len(rpc.of("identity.get_subject")) == 1


def test_a_pairwise_token_that_was_revoked_opens_nothing(memory: Memory) -> None:
    door = make_door(rpc_with(memory, **{"identity.get_subject": SessionEnded()}))
    assert door.get(PATH, headers=bearer(subject_type="pairwise")).status_code == 401


def test_while_identity_is_away_nobody_is_taken_for_their_pairwise_name(memory: Memory) -> None:
    door = make_door(rpc_with(memory, **{"identity.get_subject": ServiceUnavailable("identity")}))
    assert door.get(PATH, headers=bearer(subject_type="pairwise")).status_code == 503
