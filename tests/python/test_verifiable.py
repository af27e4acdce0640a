"""Problems that a program checks: the files of scripts/verifiable_problems.py, and what a run leaves out of them."""

import json
import pathlib
import subprocess
import sys

import pytest

import plaudit

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT / "recipes" / "data"
NAMES = ["verifiable.jsonl", "verifiable-heldout.jsonl", "verifiable-sft.jsonl"]


def rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def write_problems(folder, *flags):
    pytest.importorskip("reasoning_gym")
    script = [sys.executable, ROOT / "scripts/verifiable_problems.py", "--out", folder]
    return subprocess.run([*map(str, script), *map(str, flags)], capture_output=True, text=True)


def test_verdicts_on_sums_are_those_of_their_package():
    # How the package scores an answer does not depend on the sum's settings.
    data = pytest.importorskip("reasoning_gym").create_dataset("basic_arithmetic", size=1, seed=0)
    sums = [row for name in NAMES[:2] for row in rows(DATA / name) if row["verifier"] == "gsm8k"]
    assert len(sums) > 100
    for row in sums:
        label = row["ground_truth"]
        for answer in [label, str(int(label) + 1), str(int(label) - 1)]:
            theirs = data.score_answer(answer, {"answer": label})
            # A wrong answer that holds the right one ("12" for "2") has a part of a point there; here it is wrong.
            assert plaudit.verify.gsm8k(answer, label).score == (theirs == 1) == (answer == label), row


def test_the_files_are_what_the_script_writes(tmp_path):
    result = write_problems(tmp_path)
    assert result.returncode == 0, result.stderr
    for name in NAMES:
        assert (tmp_path / name).read_text() == (DATA / name).read_text()


def test_gsm8k_joins_in_another_folder(tmp_path):
    gsm8k = tmp_path / "gsm8k.jsonl"
    gsm8k.write_text(json.dumps({"question": "How many?", "answer": "Half of 2,400 is <<2400/2=1200>>1200.\n#### 1,200"}) + "\n")
    assert "--out" in write_problems(DATA, "--gsm8k-train", gsm8k).stderr
    result = write_problems(tmp_path / "out", "--gsm8k-train", gsm8k)
    assert result.returncode == 0, result.stderr
    problem = {"prompt": [{"role": "user", "content": "How many?"}], "verifier": "gsm8k", "ground_truth": "1200"}
    assert problem in rows(tmp_path / "out" / NAMES[0])
    assert problem not in rows(tmp_path / "out" / NAMES[1])


def test_a_run_lists_the_rows_that_overlap_the_test(plaudit_cli, tmp_path):
    def numbered(i):
        return " ".join(f"word{i}x{k}" for k in range(12))

    def write(name, questions):
        (tmp_path / name).write_text("".join(json.dumps({"prompt": q, "completion": "Yes."}) + "\n" for q in questions))
        return tmp_path / name

    train = write("train.jsonl", [numbered(i) for i in range(40)])
    test = write("test.jsonl", [numbered(i) for i in range(10, 32)])
    recipe = tmp_path / "read.yaml"
    recipe.write_text(
        f"doc: Overlaps.\nseed: 0\nstages:\n  - read: {{data: {train}, kind: demonstrations, decontaminate: {test}}}\n"
    )
    plaudit_cli("run", recipe, "--out", tmp_path / "run", check=0)
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["rejected"] == {"records that overlap the test": 22}
    report = (tmp_path / "run" / "report.html").read_text()
    assert "22 of 40 records" in report and "And 2 more." in report and str(test) in report
    listed = [i for i in range(40) if f"word{i}x0 " in report]
    assert listed == list(range(10, 30)), "the first twenty"
