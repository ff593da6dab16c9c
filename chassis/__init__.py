"""Mechanism only, no domain word: settings, database, outbox, inbox, relay, bus, RPC, metrics, logs, run."""
