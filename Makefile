# Everything a newcomer needs is a target here; each one sets up first what it needs, once.

PYTHON ?= python3

BIN := .venv/bin
# Stamps say what is installed; what they depend on is newer when it changed since.
BASE := .venv/.installed
DEV := .venv/.installed-dev
# What we are measured beside stays out of our own environment; it borrows torch from there.
PEERS := .venv-peers/.installed
# Wheels alone, none of whose code runs while it is installed, and only files whose hash is pinned.
INSTALL := $(BIN)/python -m pip install --require-hashes --only-binary :all: --no-deps
LOCKS := $(addprefix requirements/,base.txt torch-cpu.txt torch-cuda.txt files-only.txt)
# Tests run in two processes; those that share a stack run in one of them (tests/conftest.py).
DURATIONS := .pytest_cache/durations.xml
PYTEST := $(BIN)/pytest --numprocesses=2 --dist=loadgroup --durations=10 --junit-xml=$(DURATIONS)
AUDITED := $(addprefix requirements/,base.txt torch-cuda.txt files-only.txt dev.txt)
# PyTorch's build for CPUs where pip is offered it; else the index's, which brings gigabytes of CUDA.
TORCH_OFFERED = $(shell $(BIN)/python -m pip index versions torch 2>/dev/null)
TORCH = $(if $(findstring $(shell grep -o '[0-9.]*+cpu' requirements/torch-cpu.txt),$(TORCH_OFFERED)),cpu,cuda)

.DEFAULT_GOAL := help
.PHONY: help setup up demo test test-deep test-all checks format lint spelling types imports dependencies
.PHONY: test-postgres soak audit licences conformance bench bench-scale bench-launch lock try-dagster release clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(BASE) ## Create .venv and install Framegate with its pinned dependencies

up: $(BASE) ## Start the stack; Ctrl-C stops it (ARGS="--port 9000 --home DIR")
	@$(BIN)/framegate up $(ARGS)

demo: $(BASE) ## Annotate a sample video with every pipeline and show what was found (KEEP=1 stays up)
	@$(BIN)/framegate demo $(if $(filter-out 0,$(KEEP)),--keep) $(ARGS)

test: $(DEV) ## Run the checks and the quick tests: what every change must pass (ARGS="-k name")
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target checks
	$(PYTEST) --ignore=tests/deep $(ARGS)
	$(BIN)/python -m tests.durations $(DURATIONS)

test-deep: $(DEV) ## Run the other tests: each kill, full disks, the browser, nginx, the soak (ARGS="-k name")
	$(PYTEST) $(if $(findstring tests/deep,$(ARGS)),,tests/deep) $(ARGS)

test-all: test test-deep ## Run both

checks: format lint spelling types imports dependencies

format: $(DEV)
	$(BIN)/ruff format --check .

lint: $(DEV)
	$(BIN)/ruff check .

spelling: $(DEV)
	$(BIN)/codespell

types: $(DEV)
	$(BIN)/mypy

imports: $(DEV)
	$(BIN)/lint-imports

dependencies: $(DEV)
	$(BIN)/deptry .

audit: $(DEV) ## Ask PyPI for known vulnerabilities in every pinned dependency
	$(BIN)/pip-audit --strict --disable-pip --require-hashes --progress-spinner off \
	  $(addprefix -r ,$(AUDITED)) || { \
	  echo 'Found something, or PyPI could not be asked: the lines above say which.' >&2; exit 1; }

licences: $(DEV) ## List the licence of every dependency in docs/licences.md
	$(BIN)/python requirements/licences.py

soak: $(DEV) ## Submit, cancel and kill at random, then check (MINUTES=30 SEED=7 DATABASE=postgresql)
	FRAMEGATE_SOAK_MINUTES=$(or $(MINUTES),30) FRAMEGATE_SOAK_SEED=$(SEED) \
	FRAMEGATE_SOAK_FOLDER=benchmarks/results/soak FRAMEGATE_TEST_DATABASE=$(DATABASE) \
	$(BIN)/pytest tests/deep/soak/test_soak.py --capture=no $(ARGS)

test-postgres: $(DEV) ## Run the same tests with everything on PostgreSQL (FRAMEGATE_TEST_DATABASE_URL names a server)
	FRAMEGATE_TEST_DATABASE=postgresql $(PYTEST) $(ARGS)

conformance: $(DEV) ## Let schemathesis try the live app for long (EXAMPLES=1000 of each operation)
	FRAMEGATE_CONFORMANCE_EXAMPLES=$(or $(EXAMPLES),1000) $(BIN)/pytest tests/deep/contract/test_conformance.py $(ARGS)

bench: $(DEV) ## Measure, print tables and write benchmarks/results/*.json
	$(BIN)/python -m benchmarks $(ARGS)

gpu-check: $(DEV) ## Check and measure what only a GPU can show; without one, over one made of files
	$(BIN)/python -m benchmarks.gpu_check --json benchmarks/results/gpu.json $(ARGS)

bench-scale: $(DEV) ## Measure a stack with 100,000 finished runs beside an empty one, on PostgreSQL
	$(BIN)/python -m benchmarks.scale --json benchmarks/results/scale.json $(ARGS)

bench-launch: $(DEV) $(PEERS) ## Measure starts, stops and idling beside Ray Jobs and Dagster's own stack
	$(BIN)/python -m benchmarks.launch --json benchmarks/results/launch.json $(ARGS)

lock: $(DEV) ## Pin the newest allowed version of every dependency anew (KEEP=1 changes no version)
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python requirements/lock.py $(if $(filter-out 0,$(KEEP)),--keep)

try-dagster: $(DEV) ## Name what the newest Dagster changes of what is used of it (ARGS=tests runs more)
	$(BIN)/python requirements/try_dagster.py $(ARGS)

release: $(DEV) ## Build the wheel, prove that what it installs starts, and tag the version
	$(BIN)/python deploy/release.py

clean: ## Remove the environments and all caches; .framegate (videos, results, keys) stays
	rm -rf .venv .venv-peers .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo 'Framegate needs Python 3.11 or newer; name one: make setup PYTHON=python3.12' >&2; exit 1; }
	@echo 'Creating .venv'
	@$(PYTHON) -m venv .venv || { rm -rf .venv; \
	  echo 'The module venv of $(PYTHON) is not whole: install it, or name another PYTHON=' >&2; \
	  exit 1; }

$(BASE): $(BIN)/python pyproject.toml $(LOCKS)
	$(INSTALL) -r requirements/base.txt -r requirements/torch-$(TORCH).txt -r requirements/files-only.txt
	$(BIN)/python -m pip install --no-index --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): $(BASE) requirements/dev.txt
	$(INSTALL) -r requirements/dev.txt
	@touch $@

$(PEERS): $(BASE)
	$(BIN)/python -m venv --clear .venv-peers
	.venv-peers/bin/python -m pip install --quiet 'ray[default]==2.60.0'
	$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
	  > "$$(.venv-peers/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/framegate.pth"
	.venv-peers/bin/python -c 'import ray, torch'
	@touch $@
