"""Recipes of published systems on a tiny model with random weights: they end with an evaluation, and a run that is killed
goes on to the same numbers."""

import json
import os
import pathlib
import signal
import subprocess

import pytest
from test_run import results, tiny_folder, wait_for_steps  # noqa: F401

ROOT = pathlib.Path(__file__).resolve().parents[2]
JUDGE = ["stages.label.judge=length", "stages.label.words=1"]
SMALL = ["prompts=8", "heldout=4", "max_new_tokens=6"]

RECIPES = {
    "12-irl-lm": [],
    "19-srpo": ["revisions=1"],
    "37-vpo": [],
    "48-dpo": [],
    "48-dpo kto": ["objective=kto", "data=pairs"],
    "48-dpo plackett-luce": ["objective=plackett-luce"],
    "48-dpo simpo": ["objective=simpo"],
    "48-dpo vpo": ["objective=vpo"],
    "53-t-reg": [],
    "56-dno": [f"stages.label.{key}=0" for key in ("min_positive", "margin_teacher", "margin_student")],  # at random
}


def command(build_folder, model, name, folder, more=()):
    recipe = f"recipes/{name.split()[0]}.yaml"
    changes = [f"model={model}", "policy.precision=f32", *SMALL, *JUDGE, *RECIPES[name], *more]
    return [str(build_folder / "plaudit"), "run", recipe, *changes, "--out", str(folder)]


def run(arguments, code=0):
    done = subprocess.run(
        arguments, cwd=ROOT, capture_output=True, text=True, timeout=300, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_ends_with_an_evaluation_also_after_a_kill(name, build_folder, tiny_folder, tmp_path):  # noqa: F811
    run(command(build_folder, tiny_folder, name, tmp_path / "whole"))
    numbers = results(tmp_path / "whole")
    for metric in ["judge/gain", "win_rate", "kl"]:
        assert numbers[metric]["low"] <= numbers[metric]["value"] <= numbers[metric]["high"]
    assert (tmp_path / "whole" / "report.html").exists()

    process = subprocess.Popen(
        command(build_folder, tiny_folder, name, tmp_path / "killed"),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    wait_for_steps(process, tmp_path / "killed", 2)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    run([str(build_folder / "plaudit"), "run", "--resume", str(tmp_path / "killed")])
    assert results(tmp_path / "killed") == numbers


def test_rounds_report_their_numbers_apart_and_replay_earlier_pairs(build_folder, tiny_folder, tmp_path):  # noqa: F811
    run(command(build_folder, tiny_folder, "37-vpo", tmp_path / "run"))
    numbers = results(tmp_path / "run")
    pairs = [numbers[f"round-{k}/label/pairs"]["value"] for k in (1, 2, 3)]
    assert [numbers[f"round-{k}/label/replayed"]["value"] for k in (1, 2, 3)] == [0, pairs[0], pairs[0] + pairs[1]]
    prompts = []
    for k in (1, 2, 3):
        lines = (tmp_path / f"run/stages/00-repeat/{k}/00-sample/answers/answers.jsonl").read_text().splitlines()
        answers = [json.loads(line) for line in lines]
        assert all(answer["writers"] == ["policy", "reference"] for answer in answers)
        prompts += [json.dumps(answer["prompt"]) for answer in answers]
    assert len(set(prompts)) == 24  # each round has prompts of its own
    assert "Round 3" in (tmp_path / "run" / "report.html").read_text()


@pytest.mark.parametrize(
    "name, change, message",
    [
        ("48-dpo", "stages.train.beta=0", "beta: must be > 0"),
        ("48-dpo", "stages.train.value_weight=1", "value_weight"),
        ("12-irl-lm", "stages.train.discount=2", "discount"),
        ("56-dno", "stages.label.pairs=all", "is not used by pairs all, only by margin"),
        ("37-vpo", "stages.sample.reference_system=Hello", None),
        ("37-vpo", "stages.sample.reference_answers=0", "sample with reference_answers"),
        ("19-srpo", "revisions=0", "is not used without revisions"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    name, change, message, build_folder, tiny_folder, tmp_path  # noqa: F811
):
    more = [change] + (["stages.sample.per_prompt=2"] if message and "reference_answers" in message else [])
    done = run(command(build_folder, tiny_folder, name, tmp_path / "run", more), 0 if message is None else 2)
    assert message is None or message in done.stderr
