# Two commands do everything: `make demo` tries pilotbot out, `make test` runs the whole suite.
# They need Python 3.11 or newer with venv, and nothing else: no Redis, no account, no configuration.

SHELL := /bin/sh
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --no-input -q -c constraints.txt
CODE := pilotbot bots tests bench
PYTEST_ARGS ?= -n 3
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test chaos mutants lint format clean
.DELETE_ON_ERROR:

help:
	@echo 'make demo    try it out: sandbox, example bots, and a phone at http://127.0.0.1:8700;'
	@echo '             with options: make demo ARGS="--sandbox-port 8800 --port 8801"'
	@echo 'make test    the whole suite, linters first'
	@echo 'make chaos   the tests of kills, freezes and outages in their long form (half an hour)'
	@echo 'make mutants takes guards away, one by one, and sees that the tests notice (a quarter of an hour)'
	@echo 'make lint    linters and types only'
	@echo 'make format  put the code into its form'
	@echo 'make clean   remove the environment and caches'

demo: $(VENV)/installed
	@$(BIN)/pilotbot demo --made $(ARGS)

test: lint
	@echo 'make: running the tests'
	@$(BIN)/pytest $(PYTEST_ARGS)

chaos: $(VENV)/installed-dev
	@$(BIN)/pytest tests/chaos --chaos full -n 0 -v -s

mutants: $(VENV)/installed-dev
	@$(BIN)/python -m tests.mutants $(ARGS)

lint: $(VENV)/installed-dev
	@echo 'make: checking style, types and layers'
	@$(BIN)/ruff check -q $(CODE)
	@$(BIN)/ruff format -q --check $(CODE)
	@$(BIN)/mypy --no-error-summary
	@out=$$($(BIN)/lint-imports 2>&1) || { echo "$$out"; exit 1; }

format: $(VENV)/installed-dev
	@$(BIN)/ruff check -q --fix-only $(CODE)
	@$(BIN)/ruff format -q $(CODE)

clean:
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps: installed again only when what is to be installed has changed. The tests' one holds all of the other's.
$(VENV)/installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo 'make: installing pilotbot into $(VENV) (about half a minute the first time)'
	@$(PIP) -e .
	@touch $@

$(VENV)/installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo 'make: installing pilotbot and its tools into $(VENV) (about half a minute the first time)'
	@$(PIP) -e '.[dev]'
	@touch $@ $(VENV)/installed

$(BIN)/python:
	@test -n '$(PYTHON)' || { echo 'make: no Python 3.11 or newer found; install one, or name it: make PYTHON=/path/to/python3 ...' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'make: $(PYTHON) is not Python 3.11 or newer' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { echo 'make: $(PYTHON) has no venv; install it (Debian: apt install python3-venv)' >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
