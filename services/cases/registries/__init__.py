"""Registers that answer for a department or an organisation, who may be a source, and how answers are compared."""
