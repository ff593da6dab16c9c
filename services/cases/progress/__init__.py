"""Progress without signing in: by the number of a case and a code that its applicant has."""
