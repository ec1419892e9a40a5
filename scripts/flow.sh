#!/usr/bin/env bash
# Run a flow, or one stage of it, for cron, a systemd timer or Airflow:
#
#   scripts/flow.sh [STAGE] [OPTIONS OF THE COMMAND …]
#
# STAGE is flow (which is meant if it is left out), pull, compact, enrich, tiles, upload, import or
# backup (which creates one, if nothing else is said). The options are the command's own, for
# instance `scripts/flow.sh pull --athlete ann`; `scripts/flow.sh pull --help` lists them. Paths in
# them count from the project's folder, for that is where the command runs.
#
# It needs nothing of its surroundings: any working folder, and the empty environment of cron, will do.
#
#   15 5 * * *  /path/to/tracklake/scripts/flow.sh >/dev/null    (mails a line where a flow failed)
#
# What it prints: on standard output what the command says and, if all went well, one line with the
# outcome; that line goes to standard error where it did not.
#
# What it logs: the command writes logs/flow/YYYY/MM/DD/flow_*.log, the same as JSON lines below
# logs/flow/structured, and points logs/flow/latest.log at it. Where the command could not even begin
# (no engine, no image, a wrong setting), this script writes both in its place. Text is removed after
# 14 days, JSON after 30.
#
# Exit code: the command's. 0 done; 1 failed; 2 wrong usage or settings; 3 a source needs a new login,
# the rest is done; 4 checks failed, yesterday's warehouse stays; 75 another flow holds the lock;
# 130, 143 it was asked to stop.
#
# Environment: RUNNER=docker|local (docker where an engine answers, else the virtual environment),
# VENV (.venv), TRACKLAKE_LOGS_DIR (else as .env says, else logs).
set -euo pipefail
unset CDPATH

self=$0
while [ -L "$self" ]; do # it may be called by a link, from /etc/cron.daily for instance
  target=$(readlink "$self")
  case $target in /*) self=$target ;; *) self=$(dirname "$self")/$target ;; esac
done
# Where container engines are that cron's path does not name.
export PATH="${PATH:-/usr/bin:/bin}:/usr/local/bin:/opt/homebrew/bin:/snap/bin"
cd "$(dirname "$self")/.."
# shellcheck source=scripts/settings.sh
. scripts/settings.sh

stage=flow
runner=
place= # a folder of this run, for what the command says
container=
child=
asked=
stopped=

usage() {
  sed -n '2,/^set -/{/^set -/!p;}' scripts/flow.sh | sed 's/^# \{0,1\}//'
}

stamp() { date -u +"$1"; }

engine_answers() { # an engine that hangs is none
  command -v docker >/dev/null || return 1
  if command -v timeout >/dev/null; then
    timeout 20 docker info >/dev/null 2>&1
  else
    docker info >/dev/null 2>&1
  fi
}

choose_runner() {
  case ${RUNNER:-} in
    docker | local) runner=$RUNNER ;;
    '') if engine_answers; then runner=docker; else runner=local; fi ;;
    *) runner=$RUNNER ;;
  esac
}

explain() { # say it where the command's own words would be
  echo "tracklake: $1" >&2
  exit 2
}

run_stage() { # becomes the command
  case $runner in
    docker)
      [ -x scripts/dc.sh ] || explain "scripts/dc.sh is not there; get the whole project again (git pull)"
      exec scripts/dc.sh run --rm -T --name "$container" "$stage" "$@"
      ;;
    local)
      local command=${VENV:-.venv}/bin/tracklake
      if [ ! -x "$command" ]; then
        explain "no container engine answers, and $command is not there: start the engine, or run \`make build RUNNER=local\`"
      fi
      exec "$command" "$stage" "$@"
      ;;
    *) explain "RUNNER=$runner: there are docker and local" ;;
  esac
}

# A request to stop goes on to the command, which has things to put in order: it is waited for.
stop() {
  asked=yes
  stopped=yes
  [ -z "$child" ] || kill -TERM "$child" 2>/dev/null || true
}

await() { # await PID: gives the command's exit code, however often we are asked to stop meanwhile
  local code=0 last
  child=$1
  [ -z "$asked" ] || stop # just before it was started
  while :; do
    asked=
    last=0
    wait "$child" || last=$?
    [ "$last" -eq 127 ] || code=$last # 127: it had ended, and its code was had, before we were asked
    [ -n "$asked" ] || break
  done
  child=
  [ -z "$stopped" ] || stop_container
  return "$code"
}

stop_container() { # compose that is asked to stop goes away and leaves the container at work
  [ "$runner" = docker ] || return 0
  docker stop --time 30 "$container" >/dev/null 2>&1 || true
  docker rm --force "$container" >/dev/null 2>&1 || true # one that was made and not yet started
}

# What the command says goes through to standard output and is kept, so that there is something to
# log if it has written no log. On a terminal it goes there untouched, with its bars.
run_and_keep() {
  local tee code=0 tenths=0
  if [ -t 1 ] && [ -t 2 ]; then
    run_stage "$@" &
    await $!
    return
  fi
  mkfifo "$place/pipe"
  (trap '' INT TERM HUP && exec tee "$place/said" <"$place/pipe") &
  tee=$!
  run_stage "$@" >"$place/pipe" 2>&1 </dev/null &
  await $! || code=$?
  # Whatever the command left running may hold the pipe open: that is no reason to wait for ever.
  while kill -0 "$tee" 2>/dev/null && [ "$tenths" -lt 50 ]; do
    sleep 0.1
    tenths=$((tenths + 1))
  done
  kill -KILL "$tee" 2>/dev/null || true
  wait "$tee" 2>/dev/null || true
  return "$code"
}

outcome() {
  case $1 in
    0) echo "done" ;;
    2) echo "wrong usage or settings (exit code 2)" ;;
    3) echo "a source needs a new login, the rest is done: \`make auth\` (exit code 3)" ;;
    4) echo "checks failed, yesterday's warehouse stays (exit code 4)" ;;
    75) echo "not run, another flow is at work (exit code 75)" ;;
    130 | 143) echo "stopped; the next one goes on there (exit code $1)" ;;
    *) echo "failed (exit code $1)" ;;
  esac
}

reason() { # the last thing that the command said of what went wrong
  local said
  said=$(grep '^tracklake: ' "$place/said" | tail -n 1) || said=$(grep -v '^ *$' "$place/said" | tail -n 1) || true
  printf '%s' "${said#tracklake: }" | tr '\n\r\t' '   ' | tr -d '\000-\037\177' | cut -c 1-500
}

json() { printf '%s' "$1" | sed 's/[\\"]/\\&/g'; }

# The two logs of a command that wrote none: same places, same form.
write_logs() { # write_logs CODE WHY: prints the path of the text
  local code=$1 why=$2 name day text lines link
  name=flow_$(stamp %Y%m%dT%H%M%SZ)-$$
  day=$(stamp %Y/%m/%d)
  text=$logs/flow/$day/$name.log
  lines=$logs/flow/structured/$day/$name.jsonl
  mkdir -p "$logs/flow/$day" "$logs/flow/structured/$day" || return 1
  {
    echo "$(stamp '%Y-%m-%d %H:%M:%SZ') error    not_started          stage=$stage runner=$runner exit_code=$code"
    cat "$place/said"
  } >"$text" || return 1
  printf '{"ts":"%s","level":"error","event":"not_started","stage":"%s","runner":"%s","exit_code":%d,"error":"%s"}\n' \
    "$(stamp %Y-%m-%dT%H:%M:%S+00:00)" "$stage" "$(json "$runner")" "$code" "$(json "$why")" >"$lines" || return 1
  if [ "$code" -ne 75 ]; then # then the newest one is that of the flow at work
    link=$logs/flow/.latest-$$
    ln -s "$day/$name.log" "$link" && mv -f "$link" "$logs/flow/latest.log" || return 1
  fi
  echo "$text"
}

finish() { # finish CODE SECONDS LATEST_BEFORE: log, tidy, say what came of it
  local code=$1 seconds=$2 before=$3 latest log='' why='' line
  latest=$(readlink "$logs/flow/latest.log" || true)
  [ "$code" -eq 0 ] || why=$(reason)
  if [ "$code" -ne 75 ] && [ "$latest" != "$before" ]; then
    log=$logs/flow/$latest
  elif [ "$code" -ne 0 ]; then
    log=$(write_logs "$code" "$why") || log="none, $logs cannot be written"
  fi
  TRACKLAKE_LOGS_DIR=$logs scripts/clean_logs || echo "tracklake: old logs below $logs could not be removed; is the folder yours?"
  line="$(stamp %Y-%m-%dT%H:%M:%SZ) tracklake $stage: $(outcome "$code") after $seconds s${why:+: $why}${log:+; log: $log}"
  if [ "$code" -eq 0 ]; then echo "$line"; else echo "$line" >&2; fi
}

main() {
  local code=0 before
  case ${1:-} in
    -h | --help) usage; exit ;;
    flow | pull | compact | enrich | tiles | upload | import | backup) stage=$1; shift ;;
    -* | '') ;;
    *) echo "scripts/flow.sh: there is no stage $1; scripts/flow.sh --help lists them" >&2; exit 2 ;;
  esac
  if [ "$stage" = backup ] && [ $# -eq 0 ]; then set -- create; fi
  logs=$(setting TRACKLAKE_LOGS_DIR logs)
  place=$(mktemp -d "${TMPDIR:-/tmp}/tracklake-flow.XXXXXX")
  trap 'rm -rf "$place"' EXIT
  : >"$place/said"
  trap stop INT TERM HUP
  choose_runner
  container=tracklake-$stage-$(stamp %Y%m%dT%H%M%SZ)-$$
  before=$(readlink "$logs/flow/latest.log" || true)
  SECONDS=0
  run_and_keep "$@" || code=$?
  finish "$code" "$SECONDS" "$before"
  exit "$code"
}

main "$@"
