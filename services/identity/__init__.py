"""Who you are: accounts, sessions, and the OAuth 2 / OpenID Connect provider."""
