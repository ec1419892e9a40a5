# Every target sets up what it needs by itself; `make` alone lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV ?= .venv
PYTEST_ARGS ?=
FUZZ_SECONDS ?= 30
BENCH_ARGS ?=
# The parts of `make check`; CI and the pre-push hook run the same list.
CHECKS := format-check lint typecheck arrows dead-code shell-check coverage

export VENV
tracklake := $(VENV)/bin/tracklake

# What a person types after Q= or P= is data: it reaches the command through the environment,
# unexpanded, so that neither make nor the shell runs anything in it.
unexport Q P
export TRACKLAKE_MAKE_Q := $(value Q)
export TRACKLAKE_MAKE_P := $(value P)

.PHONY: help build demo flow pull import compact recompact tiles status doctor quarantine sql duck \
  clean-logs test test-corpus fuzz fuzz-long bench check $(CHECKS) format docs lock run-env dev-env

##@ First steps
help: ## list the targets
	@awk 'BEGIN { FS = ":.*## " } /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

build: run-env ## set up .venv, which every other target does by itself

demo: run-env ## run the whole flow on a made-up athlete, under data/demo
	@$(tracklake) demo

##@ Your data
flow: run-env ## all of it: read the inbox, bring the warehouse and the map up to date
	@$(tracklake) flow

pull: run-env ## read new files from the inbox into bronze
	@$(tracklake) pull

import: run-env ## read a file or a folder that lies elsewhere: make import P=~/export.zip
	@test -n "$$TRACKLAKE_MAKE_P" || { echo 'which file or folder? make import P=path' >&2; exit 2; }
	@$(tracklake) import -- "$$TRACKLAKE_MAKE_P"

compact: run-env ## bring the warehouse up to date with bronze
	@$(tracklake) compact

recompact: run-env ## build the warehouse anew from bronze and prove it equal
	@$(tracklake) compact --rebuild --verify

tiles: run-env ## write the map files
	@$(tracklake) tiles

##@ Questions
status: run-env ## what there is, what ran last
	@$(tracklake) status

doctor: run-env ## look for what is wrong and say what to do
	@$(tracklake) doctor

quarantine: run-env ## list what was set aside and why
	@$(tracklake) quarantine list

sql: run-env ## ask the warehouse: make sql Q="select count(*) from activities"
	@test -n "$$TRACKLAKE_MAKE_Q" || { echo 'which query? make sql Q="select …"' >&2; exit 2; }
	@$(tracklake) sql -- "$$TRACKLAKE_MAKE_Q"

duck: ## open the warehouse in the DuckDB shell, if you have one
	@command -v duckdb >/dev/null || { echo 'there is no duckdb command here; make sql Q="select …" works without it' >&2; exit 1; }
	@exec duckdb -readonly "$${TRACKLAKE_DATA_DIR:-data}/warehouse/tracklake.duckdb"

clean-logs: ## remove logs that are older than they need be (text 14 days, JSON 30)
	@scripts/clean_logs

##@ Work on Tracklake
test: dev-env ## run the tests
	@$(VENV)/bin/pytest $(PYTEST_ARGS)

test-corpus: dev-env ## run only the tests that read the corpus of real files
	@CI=true $(VENV)/bin/python -m pytest -p tests.corpus_only $(PYTEST_ARGS)

check: $(CHECKS) ## all checks, the same as in CI and before a push

format: dev-env ## format the code
	@$(VENV)/bin/ruff format --quiet .
	@$(VENV)/bin/ruff check --quiet --fix .

format-check: dev-env ## is it formatted?
	@$(VENV)/bin/ruff format --check --quiet . || { echo 'not formatted: make format' >&2; exit 1; }

lint: dev-env ## ruff
	@$(VENV)/bin/ruff check --quiet .

typecheck: dev-env ## mypy, strict
	@$(VENV)/bin/mypy --no-error-summary

arrows: dev-env ## which module may import which (import-linter)
	@$(VENV)/bin/lint-imports

dead-code: dev-env ## code that nothing uses (vulture)
	@$(VENV)/bin/vulture

shell-check: ## do the shell scripts parse?
	@scripts/check_shell

coverage: dev-env ## run the tests and see that enough of the code was run
	@$(VENV)/bin/pytest --cov --cov-report=term $(PYTEST_ARGS)

fuzz: ## feed the decoders with damaged files, FUZZ_SECONDS each (30)
	@scripts/venv fuzz
	@scripts/fuzz $(FUZZ_SECONDS)

fuzz-long: ## the same for an hour each
	@scripts/venv fuzz
	@scripts/fuzz 3600

bench: dev-env ## measure, and write docs/benchmarks.md (takes a while)
	@VENV=build/venv-bench scripts/venv bench
	@$(VENV)/bin/python -m bench $(BENCH_ARGS)

docs: dev-env ## write the generated parts of docs/
	@$(VENV)/bin/python scripts/describe_warehouse.py

lock: dev-env ## make the lock files anew from pyproject.toml
	@scripts/lock

run-env:
	@scripts/venv run

dev-env:
	@scripts/venv dev
