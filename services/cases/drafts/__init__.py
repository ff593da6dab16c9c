"""What was begun and not filed yet: kept as typed, sealed, and gone on with over any channel."""
