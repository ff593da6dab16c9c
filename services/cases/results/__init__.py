"""What a decision gives the citizen: a certificate, or the decision itself, that anyone can verify by its code."""
