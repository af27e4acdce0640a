#!/usr/bin/env bash
# Configures (once) and builds: build.sh [BUILD_FOLDER] [TARGET...]
# Without targets everything is built, tests too; target plaudit_cli is the program, build.ninja only the configuration.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}
targets=("${@:2}")
if [[ ! -f $build/build.ninja ]]; then
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release >"$log" 2>&1 || {
    cat "$log" >&2
    exit 1
  }
fi
cmake --build "$build" ${targets[@]+--target "${targets[@]}"}
