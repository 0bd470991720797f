"""Measurements: what the portal costs, beside what it could cost at best."""
