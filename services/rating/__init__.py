"""What you thought of it: one rating a case, and public figures."""
