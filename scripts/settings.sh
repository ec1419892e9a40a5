# shellcheck shell=bash
# Read by the other scripts: what is set, and how to say what is wrong. From the project's folder.

fail() { # fail SENTENCE: what is wrong and what to do
  echo "tracklake: $*" >&2
  exit 1
}

setting() { # setting NAME DEFAULT: from the environment, else from .env
  local value=${!1:-}
  if [ -z "$value" ] && [ -f .env ]; then
    value=$(tr -d '\r' <.env |
      sed -n "s/^[[:space:]]*\(export[[:space:]]\{1,\}\)\{0,1\}$1[[:space:]]*=[[:space:]]*//p" | tail -n 1 |
      sed -e "s/^'\([^']*\)'.*/\1/" -e 's/^"\([^"]*\)".*/\1/' -e 's/^#.*//' -e 's/[[:space:]]\{1,\}#.*//' -e 's/[[:space:]]*$//')
  fi
  printf '%s\n' "${value:-$2}"
}

absolute() { # the full path of what need not exist
  case $1 in
    /*) printf '%s\n' "$1" ;;
    ./*) printf '%s\n' "$PWD/${1#./}" ;;
    *) printf '%s\n' "$PWD/$1" ;;
  esac
}

runner() { # docker or local: as RUNNER says, else docker where an engine answers
  case ${RUNNER:-} in
    docker | local) echo "$RUNNER" ;;
    '') if command -v docker >/dev/null && docker version -f '{{.Server.Version}}' >/dev/null 2>&1; then echo docker; else echo local; fi ;;
    *) echo "tracklake: RUNNER is docker or local, not $RUNNER" >&2 && exit 2 ;;
  esac
}

owner_of() {
  # shellcheck disable=SC2012 # the one way to ask that Linux and macOS share
  ls -ld "$1" | awk '{ print $3 }'
}

unquoted_dollar() { # the first setting in .env that compose would read otherwise than we do
  awk '
    /^[[:space:]]*(export[[:space:]]+)?[A-Za-z_][A-Za-z0-9_]*[[:space:]]*=/ {
      name = $0; sub(/[[:space:]]*=.*/, "", name); sub(/^[[:space:]]*(export[[:space:]]+)?/, "", name)
      value = $0; sub(/^[^=]*=[[:space:]]*/, "", value)
      if (value !~ /^[\047#]/) { sub(/[[:space:]]+#.*/, "", value); if (index(value, "$")) { print name; exit } }
    }' .env
}

source_digest() { # of what the image is made from
  { echo Dockerfile; echo pyproject.toml; find docker src -type f ! -name '*.pyc' ! -name '*.md'; } |
    LC_ALL=C sort | tr '\n' '\0' | xargs -0 cksum | cksum | tr ' ' -
}
