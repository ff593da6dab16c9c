"""Presence: proof for a clerk that the citizen whose case it is stands before them."""
