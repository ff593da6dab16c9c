"""A citizen reports an entry of their access log that looks wrong; an auditor looks into it, and answers."""
