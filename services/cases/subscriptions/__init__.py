"""Subscriptions to the events of cases, and the agreements that allow them. The relay makes queues of the rows."""
