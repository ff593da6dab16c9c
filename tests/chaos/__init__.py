"""Something dies, freezes or is lost under load; then every committed event has one effect, in order per case."""
