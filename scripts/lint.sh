#!/usr/bin/env bash
# Checks format and lint: lint.sh [BUILD_FOLDER] [format]   (with `format`, only the format)
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}
git ls-files '*.h' '*.cpp' | xargs clang-format --dry-run -Werror
echo "format: clean"
if [[ ${2:-} == format ]]; then exit 0; fi

# clang-tidy cannot read g++'s precompiled header: give it the same commands with the plain header.
mkdir -p "$build/lint"
.venv/bin/python - "$build" <<'PY'
import json, pathlib, re, sys
build = pathlib.Path(sys.argv[1])
commands = json.loads((build / "compile_commands.json").read_text())
kept = []
for entry in commands:
    if "cmake_pch" in entry["file"]:
        continue
    command = re.sub(r"-Winvalid-pch -include \S+", "-include plaudit/pch.h", entry["command"])
    entry["command"] = re.sub(r"^.*?ccache ", "", command)
    kept.append(entry)
(build / "lint" / "compile_commands.json").write_text(json.dumps(kept))
PY
git ls-files 'plaudit/*.cpp' 'cli/*.cpp' | xargs -P "$(nproc)" -n 4 clang-tidy -p "$build/lint" --quiet --warnings-as-errors='*' 2> >(grep -v 'warnings generated\|Suppressed\|Use -header-filter' >&2)
echo "lint: clean"
