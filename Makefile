# make run: the whole portal on this machine. make test: every check and test.
# Both need nothing but python3 (3.11 or newer) and the network at the first start.

SETUP = sh portal/local/setup.sh
BIN = .venv/bin
WORKERS ?= 2

.PHONY: run host test check bench stripe-cli css words clean runtime dev

# PORT, SANDBOX_PORT (0: any free one), DATA_DIR and DATABASE_URL choose where.
run: runtime
	@exec $(BIN)/python -m portal.local.run

# A chat application that reports what it uses, beside a running `make run`. HOST_PORT chooses where.
host: runtime
	@exec $(BIN)/python -m portal.host

# PYTEST_ARGS="tests/web -k grid" chooses tests.
test: check
	@$(BIN)/python -m portal.local.browser
	@exec $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(PYTEST_ARGS)

check: dev
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/djlint templates --lint --quiet

bench: dev
	@exec $(BIN)/python bench/run.py $(BENCH_ARGS)

# Stripe's own command line tool plays its recipes on the sandbox. Needs npm and the network.
stripe-cli: dev
	@exec $(BIN)/python -m tests.sandbox.recipes

css:
	@exec sh static/build/build.sh

# Brings the catalogs of words up to date with the source; what is new is to be translated then.
words: dev
	@$(BIN)/python -m portal.local.words

# The data of make run stays: remove .data by hand to start afresh.
clean:
	@rm -rf .venv .mypy_cache .ruff_cache .import_linter_cache .hypothesis artifacts
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

runtime dev:
	@$(SETUP) $@
