#!/usr/bin/env bash
# Checks format and lint: lint.sh [BUILD_FOLDER] [format | SECONDS]
#   format    only the format
#   SECONDS   start no further file after that time (scripts/lint_files.py says which come first)
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}
git ls-files '*.h' '*.cpp' | xargs clang-format --dry-run -Werror
echo "format: clean"
case ${2:-} in
  format) ;;
  '') .venv/bin/python scripts/lint_files.py "$build" ;;
  *) .venv/bin/python scripts/lint_files.py "$build" --seconds "$2" ;;
esac
