"""Staff who look for the cases of a person whose ID number they were told."""
