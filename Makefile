# Every target sets up what it needs by itself; `make` alone lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV ?= .venv
PYTEST_ARGS ?=
FUZZ_SECONDS ?= 30
BENCH_ARGS ?=
UPSTREAM_ARGS ?=
MAP_ARGS ?=
# For Strava: activities a call of its list, days to look back, what `enrich` is to fetch.
PER_PAGE ?= 200
DAYS ?= 21
ENRICH_ARGS ?=
ENRICH_ALL_ARGS ?=
# The parts of `make check`; CI and the pre-push hook run the same list.
CHECKS := format-check lint typecheck arrows dead-code shell-check coverage

export VENV
tracklake := $(VENV)/bin/tracklake

# What a person types after Q=, P= and the like is data: it reaches the command through the
# environment, unexpanded, so that neither make nor the shell runs anything in it.
unexport Q P S PER_PAGE DAYS ENRICH_ARGS ENRICH_ALL_ARGS MAP_ARGS UPSTREAM_ARGS
export TRACKLAKE_MAKE_Q := $(value Q)
export TRACKLAKE_MAKE_P := $(value P)
export TRACKLAKE_MAKE_S := $(value S)
export TRACKLAKE_MAKE_PER_PAGE := $(value PER_PAGE)
export TRACKLAKE_MAKE_DAYS := $(value DAYS)
export TRACKLAKE_MAKE_ENRICH_ARGS := $(value ENRICH_ARGS)
export TRACKLAKE_MAKE_ENRICH_ALL_ARGS := $(value ENRICH_ALL_ARGS)
export TRACKLAKE_MAKE_MAP_ARGS := $(value MAP_ARGS)
export TRACKLAKE_MAKE_UPSTREAM_ARGS := $(value UPSTREAM_ARGS)

strava_pull = $(tracklake) pull --source strava --per-page="$$TRACKLAKE_MAKE_PER_PAGE"
# Several arguments in one variable are cut at blanks, and that is all: `set -f` lets * and ? be.
words = set -f; exec

.PHONY: help build demo auth flow flow-now flow-backfill pull import run run-lite run-all enrich \
  enrich-all compact recompact tiles map forget status doctor quarantine sql duck clean-logs test \
  test-corpus fuzz fuzz-long bench upstream check $(CHECKS) format docs lock run-env dev-env

##@ First steps
help: ## list the targets
	@awk 'BEGIN { FS = ":.*## " } /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

build: run-env ## set up .venv, which every other target does by itself

demo: run-env ## run the whole flow on a made-up athlete, under data/demo
	@$(tracklake) demo

##@ Your data
auth: run-env ## log in to Strava
	@$(tracklake) auth strava

flow: run-env ## all of it: fetch what is new, bring the warehouse and the map up to date
	@$(tracklake) flow

flow-now: flow ## the same, now

flow-backfill: run-env ## the same, but read every list to its first day
	@$(tracklake) flow --backfill

pull: run-env ## fetch what is new into bronze: from the inbox, from Strava
	@$(tracklake) pull

import: run-env ## read a file or a folder that lies elsewhere: make import P=~/export.zip
	@test -n "$$TRACKLAKE_MAKE_P" || { echo 'which file or folder? make import P=path' >&2; exit 2; }
	@$(tracklake) import -- "$$TRACKLAKE_MAKE_P"

run: run-env ## Strava's list: what is new and the last 21 days (DAYS=21), then compact
	@$(strava_pull) --lookback-days="$$TRACKLAKE_MAKE_DAYS"
	@$(tracklake) compact

run-lite: run-env ## Strava's list: only what is new, then compact
	@$(strava_pull) --lookback-days=0
	@$(tracklake) compact

run-all: run-env ## Strava's list to its first day, then compact
	@$(strava_pull) --all
	@$(tracklake) compact

enrich: run-env ## Strava's details and points that are missing: make enrich ENRICH_ARGS="--dry-run"
	@$(words) $(tracklake) enrich $$TRACKLAKE_MAKE_ENRICH_ARGS

enrich-all: run-env ## the same, also what was given up and points of which the file is here
	@$(words) $(tracklake) enrich --all $$TRACKLAKE_MAKE_ENRICH_ALL_ARGS

compact: run-env ## bring the warehouse up to date with bronze
	@$(tracklake) compact

recompact: run-env ## build the warehouse anew from bronze and prove it equal
	@$(tracklake) compact --rebuild --verify

tiles: run-env ## write the map files
	@$(tracklake) tiles

map: run-env ## look at the map in a browser (Ctrl-C ends it): make map MAP_ARGS="--open"
	@$(words) $(tracklake) map $$TRACKLAKE_MAKE_MAP_ARGS

forget: run-env ## remove all that came from a source, after asking: make forget S=strava
	@test -n "$$TRACKLAKE_MAKE_S" || { echo 'which source? make forget S=strava' >&2; exit 2; }
	@$(tracklake) forget --source="$$TRACKLAKE_MAKE_S"

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

upstream: dev-env ## a simulated Strava to try things on (prints the settings; Ctrl-C ends it)
	@$(words) $(VENV)/bin/python -m tests.upstream $$TRACKLAKE_MAKE_UPSTREAM_ARGS

docs: dev-env ## write the generated parts of docs/
	@$(VENV)/bin/python scripts/describe_warehouse.py

lock: dev-env ## make the lock files anew from pyproject.toml
	@scripts/lock

run-env:
	@scripts/venv run

dev-env:
	@scripts/venv dev
