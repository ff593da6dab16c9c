"""`onehall`: the operators' command line."""
