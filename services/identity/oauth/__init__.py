"""The provider: OAuth 2.0 and OpenID Connect on Authlib's framework-neutral core. `server` lists what is enabled."""
