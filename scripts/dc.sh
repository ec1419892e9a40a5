#!/usr/bin/env bash
# Docker compose for this project: scripts/dc.sh COMPOSE-ARGUMENTS, e.g. `scripts/dc.sh run --rm flow`.
#
# Sets what docker-compose.yml asks for (your ids, your folders), makes the folders, and says in one
# sentence what is missing. `scripts/dc.sh build` makes the image; with TRACKLAKE_CA_BUNDLE=file.pem
# it trusts a company's authorities. The exit code is that of what ran.
set -euo pipefail
cd "$(dirname "$0")/.."

# shellcheck source=scripts/settings.sh
. scripts/settings.sh

# --- the machine -------------------------------------------------------------------------------

empty=/dev/null

find_compose() {
  command -v docker >/dev/null || command -v docker-compose >/dev/null ||
    fail "there is no docker command here: install Docker (docs/containers.md), or use RUNNER=local"
  if docker compose version >/dev/null 2>&1; then
    compose=(docker compose)
  elif command -v docker-compose >/dev/null; then
    compose=(docker-compose)
    case $(docker-compose version --short 2>/dev/null) in 1.*) adapt_to_version_1 ;; esac
  else
    fail "docker has no compose: install its plugin (Debian, Ubuntu: docker-compose-v2 or docker-compose-plugin)"
  fi
}

adapt_to_version_1() { # it never makes missing folders, and has no word for that; nor takes /dev/null
  mkdir -p build
  sed '/create_host_path/d' docker-compose.yml >build/docker-compose-1.yml
  : >build/empty.env
  compose=(docker-compose --project-directory . --file build/docker-compose-1.yml)
  empty=build/empty.env
}

ask_engine() { # is it there, and who are we to it?
  local said
  [ -z "${HOST_UID:-}" ] || [ -z "${HOST_GID:-}" ] || return 0
  if ! said=$(docker info -f '{{.SecurityOptions}}' 2>&1); then
    case $said in
      *"permission denied"*) fail "you may not talk to Docker's engine: sudo usermod -aG docker $(id -un), then log in again" ;;
      *) fail "no Docker engine answers${DOCKER_HOST:+ at $DOCKER_HOST}: start it (Docker Desktop, or sudo systemctl start docker), or use RUNNER=local" ;;
    esac
  fi
  case $said in
    *rootless*) HOST_UID=0 HOST_GID=0 ;; # there root inside is you outside
    *) HOST_UID=$(id -u) HOST_GID=$(id -g) ;;
  esac
  export HOST_UID HOST_GID
}

# --- the image ---------------------------------------------------------------------------------

proxies="HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy"

build_image() {
  local bundle name options=()
  bundle=$(setting TRACKLAKE_CA_BUNDLE '')
  if [ -n "$bundle" ]; then
    [ -r "$bundle" ] || fail "TRACKLAKE_CA_BUNDLE: $bundle cannot be read"
    options+=(--secret "id=ca_bundle,src=$bundle" --build-arg "CA_DIGEST=$(cksum <"$bundle" | tr ' ' -)")
  fi
  for name in BASE_IMAGE $proxies; do
    if [ -n "${!name:-}" ]; then options+=(--build-arg "$name"); fi
  done
  DOCKER_BUILDKIT=1 docker build ${options[@]+"${options[@]}"} \
    --build-arg "VERSION=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)" \
    --build-arg "REVISION=$(git rev-parse HEAD 2>/dev/null || echo unknown)" \
    --build-arg "SOURCE_DIGEST=$(source_digest)" \
    --tag "$TRACKLAKE_IMAGE" "$@" .
}

look_at_image() { # TRACKLAKE_BUILD=missing: make it where there is none
  local made_from
  if ! made_from=$(docker image inspect -f '{{index .Config.Labels "tracklake.source-digest"}}' "$TRACKLAKE_IMAGE" 2>/dev/null); then
    [ "${TRACKLAKE_BUILD:-}" = missing ] || fail "there is no image $TRACKLAKE_IMAGE yet: make build"
    echo "making the image $TRACKLAKE_IMAGE (once, about a minute) …" >&2
    build_image --quiet >/dev/null
    return
  fi
  case $made_from in
    '' | unknown | "$(source_digest)") ;;
    *) echo "note: the image $TRACKLAKE_IMAGE is not made from what lies here now: make build" >&2 ;;
  esac
}

# --- the folders -------------------------------------------------------------------------------

folder() { # folder NAME PATH: there, and ours
  if ! mkdir -p "$2" 2>/dev/null; then
    fail "$1: the folder $2 cannot be made here: make it, or choose another one in .env"
  fi
  if [ ! -w "$2" ]; then
    fail "$1: the folder $2 belongs to $(owner_of "$2"), you cannot write there: sudo chown -R $(id -un) '$2'"
  fi
}

name_folders() {
  TRACKLAKE_DATA_DIR=$(absolute "$(setting TRACKLAKE_DATA_DIR data)")
  TRACKLAKE_INBOX=$(absolute "$(setting TRACKLAKE_INBOX "$TRACKLAKE_DATA_DIR/inbox")")
  TRACKLAKE_SECRETS_DIR=$(absolute "$(setting TRACKLAKE_SECRETS_DIR secrets)")
  TRACKLAKE_LOGS_DIR=$(absolute "$(setting TRACKLAKE_LOGS_DIR logs)")
  TRACKLAKE_CRON_DIR=$(absolute "$(setting TRACKLAKE_CRON_DIR cron)")
  # The warehouse names files in the data folder as seen from here. Where that is not this folder's
  # own data/, it is mounted under its own full name, so that readers on the host find them too.
  if [ "$TRACKLAKE_DATA_DIR" != "$PWD/data" ]; then
    TRACKLAKE_DATA_TARGET=$TRACKLAKE_DATA_DIR
    TRACKLAKE_INBOX_TARGET=$TRACKLAKE_DATA_DIR/inbox
    TRACKLAKE_BACKUP_TARGET=$TRACKLAKE_DATA_DIR/backups
    export TRACKLAKE_DATA_TARGET TRACKLAKE_INBOX_TARGET TRACKLAKE_BACKUP_TARGET
  fi
  export TRACKLAKE_DATA_DIR TRACKLAKE_INBOX TRACKLAKE_SECRETS_DIR TRACKLAKE_LOGS_DIR TRACKLAKE_CRON_DIR
  name_backups
}

name_backups() { # a store elsewhere needs the network, a folder elsewhere a mount
  local url
  url=$(setting TRACKLAKE_BACKUP_URL '')
  url=${url#file://}
  TRACKLAKE_BACKUP_DIR=$TRACKLAKE_DATA_DIR/backups
  case $url in
    '') ;;
    s3://*) export TRACKLAKE_BACKUP_NETWORK=bridge ;;
    /*) TRACKLAKE_BACKUP_DIR=$url TRACKLAKE_BACKUP_TARGET=$url ;;
    *) [ "$TRACKLAKE_DATA_DIR" = "$(absolute "${url%%/*}")" ] ||
      fail "TRACKLAKE_BACKUP_URL: write the full path of the folder $url, it is to be mounted" ;;
  esac
  export TRACKLAKE_BACKUP_DIR
  if [ -n "${TRACKLAKE_BACKUP_TARGET:-}" ]; then export TRACKLAKE_BACKUP_TARGET; fi
}

make_folders() {
  folder TRACKLAKE_DATA_DIR "$TRACKLAKE_DATA_DIR"
  if [ -z "$(setting TRACKLAKE_INBOX '')" ] || [ "$TRACKLAKE_INBOX" = "$TRACKLAKE_DATA_DIR/inbox" ]; then
    folder inbox "$TRACKLAKE_DATA_DIR/inbox"
  else
    [ -d "$TRACKLAKE_INBOX" ] || fail "TRACKLAKE_INBOX: there is no folder $TRACKLAKE_INBOX"
    mkdir -p "$TRACKLAKE_DATA_DIR/inbox" # it is mounted over this one
  fi
  if [ ! -d "$TRACKLAKE_SECRETS_DIR" ]; then (umask 077 && mkdir -p "$TRACKLAKE_SECRETS_DIR" 2>/dev/null) || true; fi
  folder TRACKLAKE_SECRETS_DIR "$TRACKLAKE_SECRETS_DIR"
  folder TRACKLAKE_LOGS_DIR "$TRACKLAKE_LOGS_DIR"
  folder TRACKLAKE_CRON_DIR "$TRACKLAKE_CRON_DIR"
  if [ "$TRACKLAKE_BACKUP_DIR" = "$TRACKLAKE_DATA_DIR/backups" ]; then mkdir -p "$TRACKLAKE_BACKUP_DIR"; fi
  [ -d "$TRACKLAKE_BACKUP_DIR" ] || # not made here: it may be a disk that is not mounted
    fail "TRACKLAKE_BACKUP_URL: there is no folder $TRACKLAKE_BACKUP_DIR; make it, or mount its disk"
}

# --- what goes in ------------------------------------------------------------------------------

name_ports() {
  local uri port
  TRACKLAKE_API_BIND=$(setting TRACKLAKE_API_BIND 127.0.0.1:8080)
  TRACKLAKE_API_BIND=${TRACKLAKE_API_BIND/#localhost:/127.0.0.1:}
  uri=$(setting STRAVA_REDIRECT_URI http://localhost:8721/callback)
  port=$(printf '%s' "$uri" | sed -n 's|^[a-z]*://[^/:]*:\([0-9]\{1,5\}\).*|\1|p')
  TRACKLAKE_REDIRECT_PORT=${port:-8721}
  export TRACKLAKE_API_BIND TRACKLAKE_REDIRECT_PORT
}

# Settings of this shell, which count before those of .env: a job gets them too. What says where
# things lie is not among them, that is mounted; they pass by name, so no list of processes shows them.
from_this_shell() {
  local name
  passed=()
  for name in $(sed -n 's/^\([A-Z][A-Z0-9_]*\)=.*/\1/p' .env.example) $proxies; do
    case $name in
      *_DIR | TRACKLAKE_INBOX | TRACKLAKE_API_BIND | TZ) ;;
      *) if [ -n "${!name:-}" ]; then passed+=(-e "$name"); fi ;;
    esac
  done
}

refuse_dollars() { # compose would put something else in their place, in silence
  local name
  name=$(unquoted_dollar)
  [ -z "$name" ] || fail ".env: the value of $name has a \$: put it between single quotes, '…'"
}

prepare() {
  TRACKLAKE_IMAGE=$(setting TRACKLAKE_IMAGE tracklake:latest)
  TZ=$(setting TZ Europe/London)
  TRACKLAKE_ENV_FILE=.env
  if [ ! -f .env ]; then TRACKLAKE_ENV_FILE=$empty; else refuse_dollars; fi
  export TRACKLAKE_IMAGE TZ TRACKLAKE_ENV_FILE
  from_this_shell
  name_folders
  name_ports
}

run_job() { # run [options] SERVICE …
  local terminal=()
  if [ ! -t 0 ] || [ ! -t 1 ]; then terminal=(-T); fi
  exec "${compose[@]}" run ${terminal[@]+"${terminal[@]}"} ${passed[@]+"${passed[@]}"} "$@"
}

find_compose
prepare
case ${1:-} in
  build)
    ask_engine
    build_image "${@:2}"
    exit # compose would build once more, without authorities and labels
    ;;
  run | up | create | start | restart | exec)
    ask_engine
    look_at_image
    make_folders
    if [ "$1" = run ]; then run_job "${@:2}"; fi
    ;;
  config | version) : "${HOST_UID:=$(id -u)}" "${HOST_GID:=$(id -g)}" && export HOST_UID HOST_GID ;; # no engine needed
  *) ask_engine ;;
esac
exec "${compose[@]}" "$@"
