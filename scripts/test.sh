#!/usr/bin/env bash
# Runs every test and ends with one line of totals: test.sh [BUILD_FOLDER]
set -uo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}
results=$build/test-results
rm -rf "$results"
mkdir -p "$results"
export PLAUDIT_TEST_RESULTS=$PWD/$results
status=0

echo "== C++ (ctest)"
ctest --test-dir "$build" --output-on-failure || status=1
echo "== Python (pytest)"
.venv/bin/python -m pytest -q tests/python --junitxml "$results/pytest.xml" || status=1
echo "== conformance cases"
if compgen -G '../shared/cases/*.json' >/dev/null; then
  "$build/plaudit" conform ../shared/cases/*.json --allow-missing --json "$results/conform.json" || status=1
else
  echo "skipped: ../shared/cases is not there"
fi

.venv/bin/python scripts/totals.py "$results" || status=1
exit $status
