# Every target sets up what it needs by itself; `make` alone lists them. RUNNER=docker runs them in
# containers, RUNNER=local from .venv; where it is not said: docker if an engine answers.
SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV ?= .venv
PYTEST_ARGS ?=
FUZZ_SECONDS ?= 30
RACES_EXAMPLES ?= 10000
SWEEP_SEED ?=
SWEEP_POINTS ?= 0
BENCH_ARGS ?=
UPSTREAM_ARGS ?=
EXPORT_ARGS ?=
MAP_ARGS ?=
# For Strava: activities a call of its list, days to look back, what `enrich` is to fetch.
PER_PAGE ?= 200
DAYS ?= 21
ENRICH_ARGS ?=
ENRICH_ALL_ARGS ?=
UPLOAD_ARGS ?=
# The parts of `make check`; CI and the pre-push hook run the same list.
CHECKS := format-check lint typecheck arrows dead-code shell-check coverage

export VENV
# Who runs a command is asked when one is run: `make`, `make help` and `make test` never call docker.
as_said := RUNNER="$$TRACKLAKE_MAKE_RUNNER"
tracklake := $(as_said) scripts/run
service := $(as_said) scripts/service

# What a person types after Q=, P= and the like is data: it reaches the command through the
# environment, unexpanded, so that neither make nor the shell runs anything in it.
unexport Q P S T C AT RUNNER PER_PAGE DAYS ENRICH_ARGS \
  ENRICH_ALL_ARGS UPLOAD_ARGS EXPORT_ARGS MAP_ARGS UPSTREAM_ARGS
export TRACKLAKE_MAKE_Q := $(value Q)
export TRACKLAKE_MAKE_P := $(value P)
export TRACKLAKE_MAKE_S := $(value S)
export TRACKLAKE_MAKE_T := $(value T)
export TRACKLAKE_MAKE_C := $(value C)
export TRACKLAKE_MAKE_RUNNER := $(value RUNNER)
export TRACKLAKE_MAKE_AT := $(value AT)
export TRACKLAKE_MAKE_PER_PAGE := $(value PER_PAGE)
export TRACKLAKE_MAKE_DAYS := $(value DAYS)
export TRACKLAKE_MAKE_ENRICH_ARGS := $(value ENRICH_ARGS)
export TRACKLAKE_MAKE_ENRICH_ALL_ARGS := $(value ENRICH_ALL_ARGS)
export TRACKLAKE_MAKE_UPLOAD_ARGS := $(value UPLOAD_ARGS)
export TRACKLAKE_MAKE_EXPORT_ARGS := $(value EXPORT_ARGS)
export TRACKLAKE_MAKE_MAP_ARGS := $(value MAP_ARGS)
export TRACKLAKE_MAKE_UPSTREAM_ARGS := $(value UPSTREAM_ARGS)

strava_pull = $(tracklake) pull --source strava --per-page="$$TRACKLAKE_MAKE_PER_PAGE"
# Several arguments in one variable are cut at blanks, and that is all: `set -f` lets * and ? be.
words = set -f;

.PHONY: help build demo auth flow flow-now flow-latest flow-backfill pull import run run-lite run-all \
  enrich enrich-all compact recompact tiles upload map forget backup backups restore status doctor \
  quarantine sql export duck clean-logs api-up api-down schedule-build schedule-up schedule-down \
  schedule-restart schedule-logs schedule-ps schedule-exec schedule-time schedule-set schedule-doctor \
  schedule-shell test test-corpus test-docker test-airflow fuzz fuzz-long races sweep bench upstream check \
  $(CHECKS) format docs lock run-env dev-env

##@ First steps
help: ## list the targets
	@awk 'BEGIN { FS = ":.*## " } /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

build: ## make the image, or set up .venv; the other targets do it where nothing is there yet
	@$(as_said) scripts/build

demo: run-env ## run the whole flow on a made-up athlete, under data/demo
	@$(VENV)/bin/tracklake demo

##@ Your data
auth: ## log in to Strava, or elsewhere: make auth S=garmin (smashrun)
	@$(tracklake) auth "$${TRACKLAKE_MAKE_S:-strava}"

flow: ## all of it: fetch what is new, bring the warehouse and the map up to date
	@$(tracklake) flow

flow-now: flow ## the same, now

flow-backfill: ## the same, but read every list to its first day
	@$(tracklake) flow --backfill

flow-latest: ## what the last flow wrote into its log
	@scripts/latest_log

pull: ## fetch what is new into bronze: from the inbox, from Strava
	@$(tracklake) pull

import: ## read a file or a folder that lies elsewhere: make import P=~/export.zip
	@test -n "$$TRACKLAKE_MAKE_P" || { echo 'which file or folder? make import P=path' >&2; exit 2; }
	@$(tracklake) import -- "$$TRACKLAKE_MAKE_P"

run: ## Strava's list: what is new and the last 21 days (DAYS=21), then compact
	@$(strava_pull) --lookback-days="$$TRACKLAKE_MAKE_DAYS"
	@$(tracklake) compact

run-lite: ## Strava's list: only what is new, then compact
	@$(strava_pull) --lookback-days=0
	@$(tracklake) compact

run-all: ## Strava's list to its first day, then compact
	@$(strava_pull) --all
	@$(tracklake) compact

enrich: ## Strava's details and points that are missing: make enrich ENRICH_ARGS="--dry-run"
	@$(words) $(tracklake) enrich $$TRACKLAKE_MAKE_ENRICH_ARGS

enrich-all: ## the same, also what was given up and points of which the file is here
	@$(words) $(tracklake) enrich --all $$TRACKLAKE_MAKE_ENRICH_ALL_ARGS

compact: ## bring the warehouse up to date with bronze
	@$(tracklake) compact

recompact: ## build the warehouse anew from bronze and prove it equal
	@$(tracklake) compact --rebuild --verify

tiles: ## write the map files
	@$(tracklake) tiles

upload: ## send to Strava what it lacks: make upload UPLOAD_ARGS="--dry-run"
	@$(words) $(tracklake) upload $$TRACKLAKE_MAKE_UPLOAD_ARGS

map: ## look at the map in a browser (Ctrl-C ends it): make map MAP_ARGS="--open"
	@$(words) $(tracklake) map $$TRACKLAKE_MAKE_MAP_ARGS

forget: ## remove all that came from a source, after asking: make forget S=strava
	@test -n "$$TRACKLAKE_MAKE_S" || { echo 'which source? make forget S=strava' >&2; exit 2; }
	@$(tracklake) forget --source="$$TRACKLAKE_MAKE_S"

backup: ## put a copy of everything where TRACKLAKE_BACKUP_URL says (data/backups)
	@$(tracklake) backup create

backups: ## list the backups
	@$(tracklake) backup list

restore: ## bring a backup back, the last one or that of AT=name (what is there is moved aside)
	@$(tracklake) backup restore $${TRACKLAKE_MAKE_AT:+--at="$$TRACKLAKE_MAKE_AT"}

##@ Questions
status: ## what there is, what ran last
	@$(tracklake) status

doctor: ## look for what is wrong, here and in the data, and say what to do
	@$(as_said) scripts/doctor

quarantine: ## list what was set aside and why
	@$(tracklake) quarantine list

sql: ## ask the warehouse: make sql Q="select count(*) from activities"
	@test -n "$$TRACKLAKE_MAKE_Q" || { echo 'which query? make sql Q="select …"' >&2; exit 2; }
	@$(tracklake) sql -- "$$TRACKLAKE_MAKE_Q"

export: ## tables as files for other programs: make export EXPORT_ARGS="--format csv --table eddington"
	@$(words) $(tracklake) export $$TRACKLAKE_MAKE_EXPORT_ARGS

duck: ## open the warehouse in the DuckDB shell, or in a small prompt if you have none
	@$(as_said) scripts/duck

clean-logs: ## remove logs that are older than they need be (text 14 days, JSON 30)
	@scripts/clean_logs

##@ The API and the map, always there
api-up: ## start it; it answers at TRACKLAKE_API_BIND (127.0.0.1:8080)
	@$(service) api up

api-down: ## end it
	@$(service) api down

##@ The schedule: a flow every day
schedule-build: build ## what it needs: the image, or .venv

schedule-up: ## start the scheduler, after a look at its crontab (cron/tracklake.cron)
	@$(tracklake) scheduler next >/dev/null
	@$(service) scheduler up
	@$(tracklake) scheduler next

schedule-down: ## end it; a flow that it runs is broken off and caught up on the next start
	@$(service) scheduler down

schedule-restart: ## end it and start it, with the image and the settings of now
	@$(tracklake) scheduler next >/dev/null
	@$(service) scheduler restart
	@$(tracklake) scheduler next

schedule-logs: ## what it says (Ctrl-C ends)
	@$(service) scheduler logs

schedule-ps: ## does it run, is it well?
	@$(service) scheduler ps

schedule-exec: ## run a command beside it: make schedule-exec C="tracklake status"
	@test -n "$$TRACKLAKE_MAKE_C" || { echo 'which command? make schedule-exec C="tracklake status"' >&2; exit 2; }
	@$(words) $(service) scheduler exec $$TRACKLAKE_MAKE_C

schedule-time: ## its clock, and when it will run next
	@$(tracklake) scheduler next

schedule-set: ## another time: make schedule-set T="30 6 * * *"
	@test -n "$$TRACKLAKE_MAKE_T" || { echo 'when? make schedule-set T="0 5 * * *" (minute hour day month weekday)' >&2; exit 2; }
	@$(tracklake) scheduler set -- "$$TRACKLAKE_MAKE_T"

schedule-doctor: ## look for what would keep it from running
	@$(tracklake) scheduler doctor

schedule-shell: ## a shell beside it
	@$(service) scheduler shell

##@ Work on Tracklake
test: dev-env ## run the tests
	@$(VENV)/bin/pytest $(PYTEST_ARGS)

test-corpus: dev-env ## run only the tests that read the corpus of real files
	@CI=true $(VENV)/bin/python -m pytest -p tests.corpus_only $(PYTEST_ARGS)

test-docker: dev-env ## the tests that need a real engine: image, compose, scheduler
	@scripts/test_docker

test-airflow: ## run the DAG in a real Airflow, in an environment of its own
	@scripts/test_airflow

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

races: dev-env ## edits between any two calls, 10,000 histories (RACES_EXAMPLES=…), and what runs at once
	@RACES_EXAMPLES=$(RACES_EXAMPLES) $(VENV)/bin/python -m pytest -q -s \
	  tests/reliability/test_races_machine.py tests/reliability/test_races_sources.py \
	  tests/reliability/test_tokens_at_once.py tests/reliability/test_two_at_once.py \
	  tests/reliability/test_readers.py

sweep: dev-env ## kill, stop and starve a flow at each of its calls; a day (SWEEP_POINTS=200 SWEEP_SEED=7)
	@SWEEP_SEED=$(SWEEP_SEED) $(VENV)/bin/python -m tests.reliability.sweep --points $(SWEEP_POINTS)

bench: dev-env ## measure, and write docs/benchmarks.md (takes a while)
	@VENV=build/venv-bench scripts/venv bench
	@$(VENV)/bin/python -m bench $(BENCH_ARGS)

upstream: dev-env ## a simulated Strava to try things on (prints the settings; Ctrl-C ends it)
	@$(words) exec $(VENV)/bin/python -m tests.upstream $$TRACKLAKE_MAKE_UPSTREAM_ARGS

docs: dev-env ## write the generated parts of docs/
	@$(VENV)/bin/python scripts/describe_warehouse.py

lock: dev-env ## make the lock files anew from pyproject.toml
	@scripts/lock

run-env:
	@scripts/venv run

dev-env:
	@scripts/venv dev
