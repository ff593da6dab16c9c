"""Evidence, once only: what a department or an organisation has is fetched from it, with the citizen's consent."""
