"""Recipes of control from logged data: robust IQL ends with a score, also after a kill; the other learners and attacks run; what
is wrong with data is named."""

import json
import os
import pathlib
import signal
import subprocess
import time

import numpy
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
ENV = {**os.environ, "OMP_NUM_THREADS": "1"}


def start(build_folder, recipe, folder, *changes):
    return [str(build_folder / "plaudit"), "run", str(recipe), *changes, "--out", str(folder)]


def run(arguments, code=0):
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=300, env=ENV)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def metrics(folder):
    return {name: entry["value"] for name, entry in json.loads((folder / "summary.json").read_text())["metrics"].items()}


SHORT = ["steps=600", "stages.point_log.episodes=40", "stages.iql.save_every=100", "stages.evaluate_control.episodes=10"]


def test_robust_iql_ends_with_a_score_also_after_a_kill(build_folder, tmp_path):
    run(start(build_folder, "recipes/05-riql.yaml", tmp_path / "whole", *SHORT))
    whole = metrics(tmp_path / "whole")
    assert {"score", "return", "value_loss", "critic_loss", "actor_loss", "corrupted_rows"} <= set(whole)
    assert 0.2 < whole["corrupted_rows"] / 2000 < 0.4
    report = (tmp_path / "whole" / "report.html").read_text()
    assert "Return while learning" in report and "Scores: 0 is a return of" in report

    process = subprocess.Popen(start(build_folder, "recipes/05-riql.yaml", tmp_path / "killed", *SHORT), cwd=ROOT, env=ENV)
    for _ in range(3000):
        if list((tmp_path / "killed").glob("**/checkpoint-*.safetensors")):
            break
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "killed" / "summary.json").exists()
    run([str(build_folder / "plaudit"), "run", "--resume", str(tmp_path / "killed")])
    killed = metrics(tmp_path / "killed")
    assert killed == {**whole, **{name: killed[name] for name in killed if "second" in name}}


RECIPE = """
doc: one learner on corrupted data
seed: 0
stages:
  - point_log: {{episodes: 20, reference_episodes: 5}}
  - corrupt: {{element: {element}, attack: {attack}, attacker_steps: 20, attacker_critics: 3, attacker_hidden: [16], attack_steps: 5}}
  - {learner}
  - evaluate_control: {{episodes: 5}}
"""


@pytest.mark.parametrize(
    ("element", "attack", "learner"),
    [
        ("observations", "adversarial", "bc: {steps: 50, hidden: [16], policy: gaussian}"),
        ("actions", "adversarial", "td3_bc: {steps: 50, hidden: [16]}"),
        ("next_observations", "adversarial", "edac: {steps: 50, hidden: [16, 16], critics: 3}"),
        ("rewards", "adversarial", "iql: {steps: 50, hidden: [16]}"),
        ("actions", "random", "iql: {steps: 50, hidden: [16], policy: gaussian, normalize: false}"),
    ],
)
def test_learners_and_attacks(element, attack, learner, build_folder, tmp_path):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE.format(element=element, attack=attack, learner=learner))
    run(start(build_folder, recipe, tmp_path / "run"))
    found = metrics(tmp_path / "run")
    assert numpy.isfinite(found["score"]) and 0.2 < found["corrupted_rows"] / 1000 < 0.4


def d4rl(path, **changes):
    rows = 60
    h5py = pytest.importorskip("h5py")
    rng = numpy.random.default_rng(0)
    columns = {
        "observations": rng.normal(size=(rows, 4)),
        "actions": rng.uniform(-1, 1, size=(rows, 2)),
        "rewards": rng.normal(size=rows),
        "terminals": numpy.zeros(rows, bool),
        "timeouts": numpy.arange(rows) % 20 == 19,
        **changes,
    }
    with h5py.File(path, "w") as file:
        for name, values in columns.items():
            file[name] = values if values.dtype == bool else values.astype(numpy.float32)
    return path


LOGGED = """
doc: cloning of a file
seed: 0
stages:
  - control_data: {{data: {data}, environment: {environment}}}
  - bc: {{steps: 10, hidden: [16]}}
"""


@pytest.mark.parametrize(
    ("changes", "environment", "message"),
    [
        ({"actions": numpy.full((60, 2), 1.5)}, "point", "actions[0,0] must lie in [-1, 1], got 1.5"),
        ({"observations": numpy.zeros((60, 5))}, "point", "5"),
        ({"timeouts": numpy.zeros(60, bool)}, "point", "episode"),
        ({"rewards": numpy.where(numpy.arange(60) == 7, numpy.nan, 0)}, "point", "rewards[7] is nan"),
        ({}, '""', "do not say which task"),
    ],
)
def test_what_is_wrong_with_data_is_named(changes, environment, message, build_folder, tmp_path):
    data = d4rl(tmp_path / "log.hdf5", **changes)
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(LOGGED.format(data=data, environment=environment))
    done = run(start(build_folder, recipe, tmp_path / "run"), code=2)
    assert message in done.stderr, done.stderr


def test_a_good_file_is_learnt_from(build_folder, tmp_path):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(LOGGED.format(data=d4rl(tmp_path / "log.hdf5"), environment="point"))
    run(start(build_folder, recipe, tmp_path / "run"))
    assert metrics(tmp_path / "run")["updates"] == 10
