"""Ranks under torchrun: sums and broadcasts over Gloo."""

import os
import pathlib
import subprocess
import sys


def torchrun(build_folder, ranks, program):
    launcher = pathlib.Path(sys.executable).with_name("torchrun")
    return subprocess.run(
        [launcher, "--nproc-per-node", str(ranks), "--no-python", build_folder / "tests" / program],
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_two_ranks_sum_and_broadcast(build_folder):
    result = torchrun(build_folder, 2, "tool_ranks")
    assert result.returncode == 0, result.stderr
    lines = sorted(line for line in result.stdout.splitlines() if line.startswith("rank"))
    assert lines == [f"rank {r} of 2: sums 9 40, first 14" for r in range(2)]


def test_alone_without_a_launcher(build_folder):
    environment = {k: v for k, v in os.environ.items() if k not in ("WORLD_SIZE", "RANK")}
    result = subprocess.run([build_folder / "tests" / "tool_ranks"], capture_output=True, text=True, env=environment)
    assert result.stdout == "rank 0 of 1: sums 3 0, first 14\n"


def test_a_broken_environment_is_named(build_folder):
    environment = {**os.environ, "WORLD_SIZE": "2", "RANK": "two"}
    result = subprocess.run([build_folder / "tests" / "tool_ranks"], capture_output=True, text=True, env=environment)
    assert result.returncode == 2
    assert "RANK: must be a number >= 0 when WORLD_SIZE is set, got 'two'" in result.stderr
