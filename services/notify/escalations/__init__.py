"""Escalations: what is told to whoever has a role, and not to one account."""
