"""The published language of OneHall: events, errors that cross RPC, the call's actor, the topology.

Imports nothing of ours and nothing but the standard library, so that a department can depend on it alone.
"""
