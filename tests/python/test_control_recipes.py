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


def killed_and_resumed(build_folder, folder, recipe, *changes):
    """Metrics of a run that was killed at its first checkpoint and went on."""
    process = subprocess.Popen(start(build_folder, recipe, folder, *changes), cwd=ROOT, env=ENV)
    for _ in range(3000):
        if list(folder.glob("**/checkpoint-*.safetensors")):
            break
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (folder / "summary.json").exists()
    run([str(build_folder / "plaudit"), "run", "--resume", str(folder)])
    return metrics(folder)


def without_times(found):
    return {name: value for name, value in found.items() if "second" not in name}


def test_robust_iql_ends_with_a_score_also_after_a_kill(build_folder, tmp_path):
    run(start(build_folder, "recipes/05-riql.yaml", tmp_path / "whole", *SHORT))
    whole = metrics(tmp_path / "whole")
    assert {"score", "return", "value_loss", "critic_loss", "actor_loss", "corrupted_rows"} <= set(whole)
    assert 0.2 < whole["corrupted_rows"] / 2000 < 0.4
    report = (tmp_path / "whole" / "report.html").read_text()
    assert "Return while learning" in report and "Scores: 0 is a return of" in report
    killed = killed_and_resumed(build_folder, tmp_path / "killed", "recipes/05-riql.yaml", *SHORT)
    assert without_times(killed) == without_times(whole)


def test_sequence_learning_goes_on_after_a_kill(build_folder, tmp_path):
    short = ["steps=900", "random_steps=200", "stages.sac.save_every=300", "stages.decision_frequency.episodes=2"]
    run(start(build_folder, "recipes/46-srl.yaml", tmp_path / "whole", *short))
    whole = metrics(tmp_path / "whole")
    killed = killed_and_resumed(build_folder, tmp_path / "killed", "recipes/46-srl.yaml", *short)
    assert without_times(killed) == without_times(whole)
    assert (tmp_path / "whole" / "report.html").read_text().count("<svg") >= 2  # the returns, and the curve over n


def test_reward_distances_of_tables(build_folder, tmp_path):
    rng = numpy.random.default_rng(0)
    transition = rng.dirichlet(numpy.ones(4), size=(4, 2))
    true, potential = rng.normal(size=(4, 2, 4)), rng.normal(size=4)
    shaped = 2 * true + 0.9 * potential[None, None, :] - potential[:, None, None]
    tables = {"transition": transition.tolist(), "gamma": 0.9,
              "rewards": {"true": true.tolist(), "shaped": shaped.tolist(), "negated": (-true).tolist()}}
    (tmp_path / "mdp.json").write_text(json.dumps(tables))
    run(start(build_folder, "recipes/27-starc.yaml", tmp_path / "run", f"tables={tmp_path / 'mdp.json'}"))
    found = metrics(tmp_path / "run")
    assert min(v for k, v in found.items() if "negated" in k and "value" in k) == pytest.approx(2)
    assert max(v for k, v in found.items() if "shaped" in k and "value" in k) < 1e-6
    assert (tmp_path / "run" / "report.html").exists()
    none = run(start(build_folder, "recipes/27-starc.yaml", tmp_path / "none"), code=2)
    assert "tables" in none.stderr and "transitions" in none.stderr


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
        ({"timeouts": numpy.ones(60, bool)}, "point", "hold no transition"),
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


@pytest.mark.parametrize(("attack", "low", "high"), [("none", 0, 0), ("random", 0.1, 0.5)])
def test_your_own_log_is_learnt_from_as_it_is_or_corrupted_first(attack, low, high, build_folder, tmp_path):
    short = ["environment=point", "steps=20", "stages.evaluate_control.episodes=2", f"attack={attack}"]
    run(start(build_folder, "recipes/05-riql-data.yaml", tmp_path / "run", f"data={d4rl(tmp_path / 'log.hdf5')}", *short))
    found = metrics(tmp_path / "run")
    assert found["updates"] == 20
    assert low <= found["corrupted_rows"] / 57 <= high  # three time-outs have no next observation


FILMED = """
doc: a short film
seed: 0
stages:
  - ppo: {{environment: {task}, iterations: 1, steps: 40, hidden: [8]}}
  - video: {{seconds: 1, width: 64, height: 48, {options}}}
"""
NO_EGL = "__EGL_VENDOR_LIBRARY_FILENAMES"  # libglvnd takes its drivers from here; an empty list has none


def film(build_folder, tmp_path, task="HalfCheetah-v5", options="", code=0, env=ENV):
    (tmp_path / "film.yaml").write_text(FILMED.format(task=task, options=options))
    arguments = start(build_folder, tmp_path / "film.yaml", tmp_path / "run")
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=300, env=env)
    if env is ENV and code == 0 and "pictures need EGL" in done.stderr:
        pytest.skip(done.stderr)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def test_an_episode_is_filmed(build_folder, tmp_path):
    image = pytest.importorskip("PIL.Image")
    said = film(build_folder, tmp_path).stderr
    with image.open(tmp_path / "run/video.webp") as video:
        assert video.size == (64, 48) and video.is_animated
        assert video.n_frames == 20  # a step of HalfCheetah takes 0.05 s
        durations = []
        for i in range(video.n_frames):
            video.seek(i)
            video.load()
            durations.append(video.info["duration"])
            assert len(numpy.unique(numpy.asarray(video.convert("RGB")).reshape(-1, 3), axis=0)) > 20
    assert durations == [50] * 20
    report = (tmp_path / "run/report.html").read_text()
    assert '<img src="video.webp" alt="HalfCheetah-v5: 20 steps, 1.0 s, return ' in report
    assert "video.webp: HalfCheetah-v5: 20 steps" in said
    run([str(build_folder / "plaudit"), "run", "--resume", str(tmp_path / "run")])
    assert (tmp_path / "run/report.html").read_text() == report


def test_without_opengl_the_policy_is_kept_and_the_run_goes_on_there(build_folder, tmp_path):
    done = film(build_folder, tmp_path, code=2, env={**ENV, NO_EGL: ""})
    assert "libegl1 libgl1-mesa-dri" in done.stderr and "--resume" in done.stderr, done.stderr
    assert list((tmp_path / "run/stages").glob("*-ppo/done.json"))
    film(build_folder, tmp_path)
    assert (tmp_path / "run/video.webp").exists()


@pytest.mark.parametrize(("task", "env", "words"), [("HalfCheetah-v5", {NO_EGL: ""}, "libegl1"), ("point", {}, "point has no picture")])
def test_a_film_that_is_not_required_is_left_out_with_a_word(task, env, words, build_folder, tmp_path):
    film(build_folder, tmp_path, task=task, options="required: false", env={**ENV, **env})
    assert words in (tmp_path / "run/report.html").read_text()
    assert (tmp_path / "run/summary.json").exists() and not (tmp_path / "run/video.webp").exists()


@pytest.mark.parametrize(
    ("task", "options", "message"),
    [
        ("HalfCheetah-v5", "file: ../film.webp", "stages[1].video.file: must be a name"),
        ("HalfCheetah-v5", "fps: 0", "fps"),
        ("HalfCheetah-v5", "quality: 101", "quality"),
        ("HalfCheetah-v5", "camera: side, required: false", "HalfCheetah-v5 has none called 'side', but track"),
        ("point", "", "point has no picture; the MuJoCo tasks have one"),
    ],
)
def test_a_film_that_cannot_be_made_says_why(task, options, message, build_folder, tmp_path):
    assert message in film(build_folder, tmp_path, task=task, options=options, code=2).stderr


def test_sides_of_a_film_are_even(build_folder, tmp_path):
    (tmp_path / "film.yaml").write_text("stages:\n  - ppo\n  - video: {width: 63}\n")
    done = run(start(build_folder, tmp_path / "film.yaml", tmp_path / "run"), code=2)
    assert "stages[1].video.width: must be even, got 63" in done.stderr
