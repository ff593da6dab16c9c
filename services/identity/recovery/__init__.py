"""Getting back into an account whose password or factors are lost: proofs, a waiting time, and everybody told."""
