"""The machine's own servers: what `make run` and `make test` start and stop."""
