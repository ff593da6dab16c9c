"""The pages. One module a noun; they work without scripts. `routes` says which there are, and where."""
