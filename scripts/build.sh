#!/usr/bin/env bash
# Configures (once) and builds: build.sh [BUILD_FOLDER]
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}
if [[ ! -f $build/build.ninja ]]; then
  cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release > /tmp/plaudit-cmake.$$ 2>&1 || {
    cat /tmp/plaudit-cmake.$$ >&2
    rm -f /tmp/plaudit-cmake.$$
    exit 1
  }
  rm -f /tmp/plaudit-cmake.$$
fi
cmake --build "$build"
