"""How much people may write. `cases` and `rating` check the same; here it is said sooner, and on the page itself."""

MAX_NOTE = 2_000
MAX_COMMENT = 1_000
MAX_REASON = 1_000
"""Of a report of a look."""
MAX_ANSWER = 2_000
