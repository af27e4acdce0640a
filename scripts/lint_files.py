"""clang-tidy over our sources: lint_files.py BUILD_FOLDER [--seconds N]

A file that was clean is not checked again until it, a header of ours or .clang-tidy changes. With --seconds no new file
is started after that time: files of the newest commits come first, then a part of the rest that moves on with each commit,
so that a gate with little time still sees every file within some commits.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


def git(*arguments):
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True).stdout.splitlines()


def single_files(entries):
    """The commands of the files that a group of cmake/groups.cmake includes, as if each were compiled by itself."""
    for entry in entries:
        group = pathlib.Path(entry["file"])
        if group.parent.name != "groups":
            yield entry
            continue
        for name in re.findall(r'^#include "(.+)"$', group.read_text(), re.M):
            file = str(ROOT / name)
            yield {**entry, "file": file, "command": entry["command"].replace(str(group), file)}


def write_commands(build):
    """clang-tidy cannot read g++'s precompiled header: the same commands with the plain header."""
    entries = json.loads((build / "compile_commands.json").read_text())
    kept = []
    for entry in single_files(entries):
        if "cmake_pch" in entry["file"]:
            continue
        command = re.sub(r"-Winvalid-pch -include \S+", "-include plaudit/pch.h", entry["command"])
        kept.append({**entry, "command": re.sub(r"^.*?ccache ", "", command)})
    folder = build / "lint"
    folder.mkdir(exist_ok=True)
    (folder / "compile_commands.json").write_text(json.dumps(kept))
    return {os.path.relpath(entry["file"], ROOT) for entry in kept}


def digest(paths):
    total = hashlib.sha256()
    for path in paths:
        total.update((ROOT / path).read_bytes())
    return total.hexdigest()


def in_order(files):
    """Files of the newest commits first, the rest from a place that depends on the number of commits."""
    recent = [name for name in dict.fromkeys(git("log", "-5", "--name-only", "--format=")) if name in files]
    rest = sorted(set(files) - set(recent))
    count = int((git("rev-list", "--count", "HEAD") or ["0"])[0])
    start = count * 12 % len(rest) if rest else 0
    return recent + rest[start:] + rest[:start]


def check(build, name):
    result = subprocess.run(
        ["clang-tidy", "-p", str(build / "lint"), "--quiet", "--warnings-as-errors=*", name],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    noise = re.compile(r"warnings? generated|^Suppressed|^Use -header-filter")
    errors = "\n".join(line for line in result.stderr.splitlines() if not noise.search(line))
    return result.returncode == 0, (result.stdout + errors).strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="start no file after this time")
    arguments = parser.parse_args()
    build = ROOT / arguments.build
    compiled = write_commands(build)
    files = [name for name in git("ls-files", "plaudit/*.cpp", "cli/*.cpp", "bench/*.cpp") if name in compiled]
    common = digest([".clang-tidy", *sorted(git("ls-files", "plaudit/*.h", "cli/*.h", "bench/*.h"))])
    keys = {name: common + digest([name]) for name in files}
    memory = build / "lint" / "clean.json"
    clean = json.loads(memory.read_text()) if memory.exists() else {}
    waiting = [name for name in in_order(files) if clean.get(name) != keys[name]]

    started = time.monotonic()
    failed, checked = [], 0

    def work(name):
        if time.monotonic() - started > arguments.seconds:
            return name, None, ""
        return name, *check(build, name)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, good, text in pool.map(work, waiting):
            if good is None:
                continue
            checked += 1
            if good:
                clean[name] = keys[name]
            else:
                failed.append(name)
                print(text, flush=True)
            memory.write_text(json.dumps(clean))
    left = len(waiting) - checked
    print(
        f"lint: {'clean' if not failed else ', '.join(failed)}"
        f" ({checked} files checked in {time.monotonic() - started:.0f} s, {len(files) - len(waiting)} were clean before"
        + (f", {left} left for later commits)" if left else ")")
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
