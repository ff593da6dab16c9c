"""Seals of a service that tests stand in for: under one key, which opens nothing elsewhere."""

from chassis.sealing import Seal
from services.cases.evidence import store as evidence
from services.cases.evidence.desk import Desk
from services.cases.results import store as results

KEY = "A" * 43
RESULTS = Seal(KEY, results.PURPOSE)
DESK = Desk(Seal(KEY, evidence.PURPOSE), RESULTS)
