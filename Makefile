# Everything sets itself up in .venv, with nothing but Python 3.11+ and make on the machine.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
RIVALS := $(VENV)/bench/.installed
# A variable of the developer's own shell must not reach a test or a picture. Where Python may not keep what it has
# compiled, every process of every test compiles all of it anew.
CLEAN := env -u NO_COLOR -u TEXTUAL_THEME -u TEXTUAL_FILTERS -u PYTHONDONTWRITEBYTECODE

.PHONY: help venv demo test check bench bench-short crash long soak fuzz keys screenshots snapshots clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

venv: $(STAMP) ## set up .venv

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Evict needs Python 3.11 or newer; name one with: make PYTHON=python3.12 venv")'
	@if command -v uv >/dev/null 2>&1; then \
		uv venv --quiet --allow-existing --python $(PYTHON) $(VENV) && \
		uv pip install --quiet --compile-bytecode --python $(BIN)/python --group dev --editable . ; \
	else \
		$(PYTHON) -m venv $(VENV) && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1' && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --group dev --editable . ; \
	fi
	@touch $@

demo: $(STAMP) ## open the console on the embedded demo org
	@$(BIN)/evict demo

test: $(STAMP) ## every test but the long ones, and those that need the machine to themselves
	$(CLEAN) $(BIN)/python -m pytest -q -n 2 -m 'not alone and not long'

long: $(STAMP) ## the long tests: whole ways through real processes, a browser, crash and soak in short (2 minutes)
	$(CLEAN) $(BIN)/python -m pytest -q -n 2 -m long

check: $(STAMP) ## lint, format, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

snapshots: $(STAMP) ## bless what the screens look like now (look at them first)
	$(CLEAN) $(BIN)/python -m pytest -q tests/ui --snapshot-update

bench: $(STAMP) $(RIVALS) ## measure drains, keys and records on this machine, into README (12 minutes)
	$(CLEAN) $(BIN)/python -m tests.bench

bench-short: $(STAMP) ## the tests of the bench that need the machine to themselves (1 minute)
	$(CLEAN) $(BIN)/python -m pytest -q -m alone

# The SDK that Evict is measured beside; where it can't be had, the table says so and the rest is measured.
$(RIVALS): pyproject.toml $(STAMP)
	@mkdir -p $(VENV)/bench && if command -v uv >/dev/null 2>&1; then \
		uv venv --quiet --allow-existing --python $(PYTHON) $(VENV)/bench && \
		uv pip install --quiet --python $(VENV)/bench/bin/python --group bench ; \
	else \
		$(PYTHON) -m venv $(VENV)/bench && \
		$(BIN)/python -m pip --python $(VENV)/bench/bin/python install --quiet --disable-pip-version-check --group bench ; \
	fi && touch $@ || echo 'The okta SDK could not be installed; it is left out.'

crash: $(STAMP) ## kill drains at random moments and hold the history against the org (ROUNDS=200)
	$(CLEAN) EVICT_CRASH_ROUNDS=$(or $(ROUNDS),200) $(BIN)/python -m pytest -q -n 2 tests/crash

soak: $(STAMP) ## drain against simulated orgs for longer (ROUNDS=20)
	$(CLEAN) EVICT_SIM_ROUNDS=$(or $(ROUNDS),$(EVICT_SIM_ROUNDS),20) $(BIN)/python -m pytest -q -n 2 \
		tests/unit/revocation/test_simulated_drains.py

fuzz: $(STAMP) ## maltreat the console with keys, clicks and trouble by chance (ROUNDS=10, 1 minute)
	$(CLEAN) EVICT_FUZZ_ROUNDS=$(or $(ROUNDS),10) EVICT_FUZZ_STEPS=$(or $(STEPS),100) $(BIN)/python -m pytest -q -n 2 tests/ui/test_fuzz.py

keys: $(STAMP) ## write the table of keys into README
	@$(BIN)/python -m tests.keys

screenshots: $(STAMP) ## redraw screenshots/ from the demo org
	$(CLEAN) $(BIN)/python -m tests.screenshots

clean: ## forget .venv and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis dist build
