"""Sessions of browsers, over all clients: begun, seen, ended, and who is told of an end."""
