"""The demo's story: one citizen over four channels, a clerk on their behalf, one history, every side told."""

import json

import pytest

from cli.demo import EXPECTED, LOOKS, play_departments, play_story
from cli.demo_joint import CARD, INSURANCE, REGISTRATION
from tests.processes import wait_until


@pytest.fixture(scope="module")
def story(platform):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in platform.environment.items():
            patch.setenv(name, value)
        yield play_story(platform.environment["ONEHALL_BASE_URL"])


@pytest.fixture(scope="module")
def departments(platform):
    return play_departments(platform.environment["ONEHALL_BASE_URL"])


def test_three_departments_work_side_by_side_and_one_refusal_hides_nothing(departments):
    birth, _ = departments
    states = {part["item"]: part["state"] for part in birth.whole["parts"]}
    assert birth.before == {REGISTRATION: "submitted", INSURANCE: "submitted", CARD: "waiting"}
    assert states == {REGISTRATION: "approved", INSURANCE: "refused", CARD: "approved"}
    assert len({part["department"] for part in birth.whole["parts"]}) == 3
    assert birth.files[REGISTRATION] == birth.files[INSURANCE], "one file, handed in once"
    assert len(birth.files[INSURANCE]) == 1


def test_the_trail_of_two_regions_says_who_passed_what_to_whom(departments):
    _, abroad = departments
    there, back = ("chengdu-centre", "civil-affairs"), ("civil-affairs", "chengdu-centre")
    hands = [(each["details"].get("giver"), each["details"].get("taker")) for each in abroad.trail]
    assert hands == [(None, None), there, there, back, back]
    assert abroad.trail[0]["details"]["checks"] == ["id-number"]
    assert (abroad.refused, abroad.case["delivered_by"]) == (403, "counter")


def test_one_history_over_every_channel(story):
    assert [(entry["event"], entry["channel"], entry["actor"]) for entry in story.history] == EXPECTED
    assert [entry["sequence"] for entry in story.history] == list(range(1, len(EXPECTED) + 1))


def test_all_four_channels_are_in_it(story):
    assert {entry["channel"] for entry in story.history} == {"hall", "web", "app", "kiosk"}


def test_the_counters_token_says_for_whom_and_by_whom(story):
    assert story.exchanged["active"]
    assert story.exchanged["channel"] == "hall"
    assert story.exchanged["act"]["sub"] != story.exchanged["sub"]


def test_the_citizen_reads_that_the_card_was_read_and_a_token_came_of_it(story):
    assert {(look["role"], look["channel"], look["what"], look["purpose"]) for look in story.looks} >= LOOKS


def test_a_request_for_correction_says_what_is_missing(story):
    assert "lease" in story.history[2]["note"]


def test_the_citizen_is_told_by_mail_and_in_the_inbox(story):
    assert len(story.mails) == len(set(story.mails))
    assert all(story.number in subject for subject in story.mails)
    assert {entry["event"] for entry in story.inbox} >= {"case.submitted", "case.approved"}


def test_the_rating_counts_in_the_public_figures(story, people):
    assert story.rating["score"] == 5

    def counted():
        figures = people.sign_in("citizen").get("/api/v1/statistics/ratings").json()["items"]
        return [line for line in figures if line["item"] == "residence-permit" and line["count"] > 0]

    wait_until("the rating is counted", counted)


def test_the_departments_own_program_hears_each_step_once_and_in_order(story):
    assert [event["type"] for event in story.received] == [event for event, _, _ in EXPECTED]
    assert [event["sequence"] for event in story.received] == list(range(1, len(EXPECTED) + 1))


def test_no_event_says_who_the_citizen_is(story):
    told = json.dumps(story.received, ensure_ascii=False)
    assert "citizen@example.org" not in told
    assert "lease" not in told
