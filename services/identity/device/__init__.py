"""Device authorization (RFC 8628): a kiosk without a keyboard to trust asks, a person's phone answers."""
