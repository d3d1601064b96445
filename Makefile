# Everything a newcomer needs is a target here; each one sets up first what it needs, once.

PYTHON ?= python3

BIN := .venv/bin
# Stamps say what is installed; what they depend on is newer when it changed since.
BASE := .venv/.installed
DEV := .venv/.installed-dev
# What we are measured beside stays out of our own environment; it borrows torch from there.
PEERS := .venv-peers/.installed
LOCKED := -c requirements/constraints.txt

.DEFAULT_GOAL := help
.PHONY: help setup up demo test conformance bench bench-launch lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(BASE) ## Create .venv and install Framegate with its pinned dependencies

up: $(BASE) ## Start the stack; Ctrl-C stops it (ARGS="--port 9000 --home DIR")
	@$(BIN)/framegate up $(ARGS)

demo: $(BASE) ## Annotate a sample video with every pipeline and show what was found (KEEP=1 stays up)
	@$(BIN)/framegate demo $(if $(filter-out 0,$(KEEP)),--keep) $(ARGS)

test: $(DEV) ## Check format, lint, types, import rules, and run the tests (ARGS="-k name")
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest $(ARGS)

conformance: $(DEV) ## Let schemathesis try the live app for long (EXAMPLES=1000 of each operation)
	FRAMEGATE_CONFORMANCE_EXAMPLES=$(or $(EXAMPLES),1000) $(BIN)/pytest tests/contract/test_conformance.py $(ARGS)

bench: $(DEV) ## Measure, print tables and write benchmarks/results/*.json
	$(BIN)/python -m benchmarks $(ARGS)

bench-launch: $(DEV) $(PEERS) ## Measure starts, stops and idling beside Ray Jobs and Dagster's own stack
	$(BIN)/python -m benchmarks.launch --json benchmarks/results/launch.json $(ARGS)

lock: $(BIN)/python ## Pin the newest allowed version of every dependency anew
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --upgrade \
	  --no-annotate --no-emit-index-url --no-emit-find-links \
	  --custom-compile-command "make lock" --quiet --output-file requirements/constraints.txt

clean: ## Remove the environments and all caches; .framegate (videos, results, keys) stays
	rm -rf .venv .venv-peers .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo 'Framegate needs Python 3.11 or newer; name one: make setup PYTHON=python3.12' >&2; exit 1; }
	$(PYTHON) -m venv .venv || { rm -rf .venv; \
	  echo 'The module venv of $(PYTHON) is not whole: install it, or name another PYTHON=' >&2; \
	  exit 1; }

$(BASE): $(BIN)/python pyproject.toml requirements/constraints.txt requirements/files-only.txt
	$(BIN)/python -m pip install $(LOCKED) --editable .
	$(BIN)/python -m pip install --no-deps --requirement requirements/files-only.txt
	@touch $@

$(DEV): $(BASE)
	$(BIN)/python -m pip install $(LOCKED) --editable '.[dev]'
	@touch $@

$(PEERS): $(BASE)
	$(BIN)/python -m venv --clear .venv-peers
	.venv-peers/bin/python -m pip install --quiet 'ray[default]==2.60.0'
	$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
	  > "$$(.venv-peers/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/framegate.pth"
	.venv-peers/bin/python -c 'import ray, torch'
	@touch $@
