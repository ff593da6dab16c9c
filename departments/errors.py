"""Why reading a subscription could not begin, or does not go on for now."""

from __future__ import annotations


class SubscriptionError(Exception):
    """Why reading could not begin. The message is one line that says what to do, and never holds a secret."""


class InvalidAddress(SubscriptionError):
    """An address that cannot be read, or that is not what it says it is."""


class BrokerUnreachable(SubscriptionError):
    """Nobody answers at the broker's address."""


class ProviderUnreachable(SubscriptionError):
    """No token can be had from the provider for now: it is away, or its answer cannot be read."""


class AccessRefused(SubscriptionError):
    """The account or client, its secret, or its right to the queue or the virtual host."""


class QueueNotFound(SubscriptionError):
    """The department has no such subscription."""
