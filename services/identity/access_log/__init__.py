"""Who looked at a citizen's data, when, through what and why: appended only, chained, and shown to the citizen."""
