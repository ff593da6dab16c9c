"""Mandates: who may act for whom. A person authorises another for one item or case; a guardian acts for a ward."""
