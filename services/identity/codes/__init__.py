"""One-time codes: six digits that go to a mail address or a phone, and come back from who reads there."""
