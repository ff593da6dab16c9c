"""Seals of a service that tests stand in for: under one key, which opens nothing elsewhere."""

from chassis.sealing import Seal
from services.cases.results import store as results

KEY = "A" * 43
RESULTS = Seal(KEY, results.PURPOSE)
