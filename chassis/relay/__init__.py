"""The relay: one process a publishing service, from its outbox to the broker. Neither Nameko nor eventlet."""
