"""What a department installs to hear its cases: a subscriber, duplicate removal, and the command `onehall-subscribe`.

Depends on `contracts` and pika only.
"""

from departments.credentials import ClientCredentials
from departments.dedupe import Dedupe, MemoryDedupe, SqliteDedupe
from departments.errors import (
    AccessRefused,
    BrokerUnreachable,
    InvalidAddress,
    ProviderUnreachable,
    QueueNotFound,
    SubscriptionError,
)
from departments.subscriber import Subscriber

__all__ = [
    "AccessRefused",
    "BrokerUnreachable",
    "ClientCredentials",
    "Dedupe",
    "InvalidAddress",
    "MemoryDedupe",
    "ProviderUnreachable",
    "QueueNotFound",
    "SqliteDedupe",
    "Subscriber",
    "SubscriptionError",
]
