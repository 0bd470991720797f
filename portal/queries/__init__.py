"""Reads for one page or endpoint: rows in, frozen domain values out."""
