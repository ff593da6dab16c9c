"""Webhooks: one process a publishing service, from subscriptions' queues to HTTPS endpoints.

From the queue into a row, from the row to the endpoint; the broker has its acknowledgement once the row is committed.
Neither Nameko nor eventlet.
"""
