"""The work on a case: its states, what an item's procedure allows, who may do it, and the time that it may take."""
