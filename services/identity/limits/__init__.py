"""Limits on guessing and asking: by account, by address, by client. State in PostgreSQL, one row a bucket."""
