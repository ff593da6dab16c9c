"""What you asked for: service items, cases and their shared history."""
