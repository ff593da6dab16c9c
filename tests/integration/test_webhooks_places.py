"""Who gets the places: requests under way are few, and endpoints may be as slow as they like."""

import uuid
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime

from chassis.webhooks.dispatcher import MOST_EACH
from chassis.webhooks.sender import MOST_CONNECTIONS
from chassis.webhooks.store import MOST_OF_OWNER, Arrival, WebhookStore


def test_an_owner_with_many_slow_endpoints_leaves_places_for_others(webhook_settings, hooks):
    slow = [hooks.add("https://slow.example/") for _ in range(MOST_CONNECTIONS // MOST_EACH + 1)]
    quick = hooks.add("https://quick.example/", owner="city-hospital")
    now = datetime.now(UTC)

    def arrive(hook):
        return Arrival(hook.subscription, str(uuid.uuid4()), "", "case.submitted", uuid.uuid4().hex, 1, "{}")

    with closing(WebhookStore(webhook_settings["ONEHALL_CASES_DATABASE_URL"])) as store:
        many = [arrive(hook) for hook in slow for _ in range(MOST_EACH)]
        under_way = store.turn(many, [], [], MOST_CONNECTIONS, MOST_EACH, now).due
        assert len(under_way) == MOST_OF_OWNER
        assert max(Counter(delivery.subscription for delivery in under_way).values()) <= MOST_EACH
        due = store.turn([arrive(quick)], [], under_way, MOST_CONNECTIONS, MOST_EACH, now).due
        assert [delivery.subscription for delivery in due] == [quick.subscription]
        # places that become free are the owner's again
        due = store.turn([], [], under_way[1:], MOST_CONNECTIONS, MOST_EACH, now).due
        assert Counter(delivery.subscription == quick.subscription for delivery in due) == {True: 1, False: 1}
