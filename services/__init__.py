"""The services: each with its own database. They meet in `contracts` and on the bus, never in each other."""
