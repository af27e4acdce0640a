"""Problems that a program checks: the files of scripts/verifiable_problems.py, and what a run leaves out of them."""

import json
import pathlib
import subprocess
import sys

import pytest
from test_run import recipe, tiny_folder  # noqa: F401

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


WATCHED = """doc: Training, then an evaluation by a verifier.
seed: 0
policy: {{model: {model}, adapter: {{kind: lora, rank: 2}}, precision: f32}}
stages:
  - read: {{data: {pairs}}}
  - train: {{objective: dpo, max_steps: 2, batch: 2, evaluate_every: 1, watch: {{prompts: {prompts}, judge: verifier, max_new_tokens: 4}}}}
  - evaluate: {{suite: win-rate, judge: verifier, prompts: {prompts}, max_new_tokens: 4}}
"""


def run_on_problems(plaudit_cli, model, pairs, folder, good, bad, *changes, check=0):
    """A run on prompts with `good` records that can be checked and records `bad` that cannot."""
    letters = {"verifier": "constraint", "ground_truth": {"name": "no_commas"}}
    lines = [json.dumps({"prompt": f"word {i}", **letters}) for i in range(good)] + [json.dumps(record) for record in bad]
    (folder / "prompts.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "recipe.yaml").write_text(WATCHED.format(model=model, pairs=pairs, prompts=folder / "prompts.jsonl"))
    changes = [*changes, "--out", folder / "run"]
    return plaudit_cli("run", folder / "recipe.yaml", *changes, check=check, env={"OMP_NUM_THREADS": "1"})


BAD = [{"prompt": "no rule", "ground_truth": "1"}, {"prompt": "what rule", "verifier": "gsm8", "ground_truth": "1"}]


def test_records_that_a_verifier_cannot_use_stop_a_run_before_it_trains(plaudit_cli, recipe, tiny_folder, tmp_path):  # noqa: F811
    done = run_on_problems(plaudit_cli, tiny_folder, recipe.parent / "pairs.jsonl", tmp_path, 6, BAD, check=2)
    assert "stages[1].train.prompts: 2 of 8 cannot be judged (25 %, max_unjudged allows 5 %)" in done.stderr
    assert "'no rule': verifier: verifier: is not named by the record" in done.stderr
    assert not (tmp_path / "run").exists()
    done = run_on_problems(
        *(plaudit_cli, tiny_folder, recipe.parent / "pairs.jsonl", tmp_path, 6, BAD, "stages.train.watch.max_unjudged=1"), check=2
    )
    assert "stages[2].evaluate.prompts: 2 of 8" in done.stderr


def test_records_below_the_limit_are_left_out_counted_and_listed(plaudit_cli, recipe, tiny_folder, tmp_path):  # noqa: F811
    allow = ["stages.train.watch.max_unjudged=0.25", "stages.evaluate.max_unjudged=0.25"]
    run_on_problems(plaudit_cli, tiny_folder, recipe.parent / "pairs.jsonl", tmp_path, 6, BAD, *allow)
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    counts = {reason: count for reason, count in summary["rejected"].items() if "unjudged" in reason}
    assert len(counts) == 2 and set(counts.values()) == {2}, "one of each, in the watch and in the evaluation"
    assert all(reason.startswith("prompts with an unjudged record: verifier: ") for reason in counts)
    metrics = summary["metrics"]
    assert metrics["unjudged/record"]["value"] == 0.25 and metrics["win_rate"]["n"] == 6
    assert metrics["judge/policy"]["value"] > 0, "random answers have few commas"
    report = (tmp_path / "run" / "report.html").read_text()
    assert "2 of 8 prompts (25 %)" in report and "no rule" in report and "what rule" in report


def test_an_answer_that_a_reward_model_cannot_score_leaves_its_prompt_out(plaudit_cli, recipe, tiny_folder, tmp_path):  # noqa: F811
    prompts = tmp_path / "prompts.jsonl"
    prompts.write_text("".join(json.dumps({"prompt": "word " * n}) + "\n" for n in (1, 2, 3, 30)))
    path = tmp_path / "reward.yaml"
    path.write_text(
        f"""doc: A reward model as the judge.
seed: 0
policy: {{model: {tiny_folder}, adapter: {{kind: lora, rank: 2}}, precision: f32}}
reward_model: {{model: {tiny_folder}, backbone: frozen, precision: f32, answers: {{max_length: 90, max_prompt_length: 60}}}}
stages:
  - read: {{data: {recipe.parent / "pairs.jsonl"}}}
  - train: {{objective: reward, max_steps: 2}}
  - evaluate: {{suite: win-rate, judge: reward-model, prompts: {prompts}, max_new_tokens: 4}}
  - evaluate: {{suite: best-of-n, judge: length, prompts: {prompts}, n: [1, 2], max_new_tokens: 4}}
"""
    )
    done = plaudit_cli("run", path, "--out", tmp_path / "run", check=2)
    assert "prompts: 1 of 4 cannot be judged (25 %, max_unjudged allows 5 %)" in done.stderr and "reward-model: " in done.stderr
    allow = [f"stages.{stage}.evaluate.max_unjudged=0.25" for stage in (2, 3)]
    plaudit_cli("run", path, *allow, "--out", tmp_path / "allowed", check=0)
    summary = json.loads((tmp_path / "allowed" / "summary.json").read_text())
    assert summary["metrics"]["unjudged/answer"]["value"] == 0.25
    assert summary["metrics"]["win_rate"]["n"] == summary["metrics"]["best_of_n/judge@1"]["n"] == 3
