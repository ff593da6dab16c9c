"""Who works here, as what and where; accounts that are disabled; and the record of who changed it."""
