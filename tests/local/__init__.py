"""Tests of the machine's own servers: real processes, real signals, real PostgreSQL."""
