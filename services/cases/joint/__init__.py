"""Joint cases ("one thing", 一件事一次办): one form, several cases, one progress (docs/joint-cases.md)."""
