"""What a department installs to hear its cases: a subscriber, duplicate removal, and the command `onehall-subscribe`.

Depends on `contracts` and pika only.
"""

from departments.dedupe import Dedupe, MemoryDedupe, SqliteDedupe
from departments.feed import AccessRefused, BrokerUnreachable, InvalidAddress, QueueNotFound, SubscriptionError
from departments.subscriber import Subscriber

__all__ = [
    "AccessRefused",
    "BrokerUnreachable",
    "Dedupe",
    "InvalidAddress",
    "MemoryDedupe",
    "QueueNotFound",
    "SqliteDedupe",
    "Subscriber",
    "SubscriptionError",
]
