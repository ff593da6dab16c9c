"""Clients are told that a session has ended (OpenID Connect Back-Channel Logout 1.0), by a process of their own."""
