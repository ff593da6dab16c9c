"""Persons: what identifies them and how they are reached, how sure it is who they are, and their leaving."""
