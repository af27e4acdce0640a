"""`collect` and `control_data`: generated data sets, short."""

import json
import os
import pathlib
import signal
import subprocess

import gymnasium
import h5py
import numpy as np
import pytest
from test_run import wait_for_steps

ROOT = pathlib.Path(__file__).resolve().parents[2]
KINDS = ["random", "medium", "medium-replay", "medium-expert", "expert"]

TRAINED = """seed: 1
stages:
  - collect:
      environment: point
      kinds: [medium, medium-replay, expert]
      steps: 1000
      reference_episodes: 20
      training: {steps: 3000, random_steps: 300, batch: 64, hidden: [32, 32], learning_rate: 3.0e-3, gamma: 0.95, evaluate_every: 100, save_every: 250}
"""


def run(build_folder, recipe, folder, *changes, code=0):
    done = subprocess.run([build_folder / "plaudit", "run", recipe, *changes, "--out", folder], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stderr if code else json.loads((folder / "summary.json").read_text())["metrics"]


def value(metrics, name):
    return metrics[name]["value"]


def load(path):
    with h5py.File(path) as file:
        columns = {name: item[()] for name, item in file.items() if isinstance(item, h5py.Dataset)}
        columns |= {f"infos/{name}": item[()] for name, item in file.get("infos", {}).items()}
        metadata = {name: item[()] for name, item in file["metadata"].items()}
    return columns, metadata


@pytest.fixture(scope="module")
def hopper(build_folder, shared_data, tmp_path_factory):
    """All kinds from a given actor: the recipe that users run, short."""
    folder = tmp_path_factory.mktemp("hopper") / "run"
    actor = shared_data / "sac-actor-hopper-v3.safetensors"
    short = [f"actor={actor}", f"kinds={json.dumps(KINDS)}", "steps=3000", "stages.collect.reference_episodes=20"]
    return folder, run(build_folder, "recipes/data/hopper-medium.yaml", folder, *short), short


def test_a_recipe_writes_the_kinds_of_d4rl(hopper):
    folder, metrics, _ = hopper
    assert abs(value(metrics, "random/score")) < 3
    assert 15 < value(metrics, "medium/score") < 55  # a third of the way is 33.3
    assert 1 < value(metrics, "medium-replay/score") < value(metrics, "medium/score") < value(metrics, "medium-expert/score")
    assert 55 < value(metrics, "expert/score") < 150  # a dozen episodes, of which a rare one earns three times the rest
    # D4RL's own scale: random -20.27, expert 3234.3.
    expected = 100 * (value(metrics, "expert/return") + 20.272305) / (3234.3 + 20.272305)
    assert value(metrics, "expert/d4rl_score") == pytest.approx(expected, rel=1e-6)
    for kind in KINDS:
        columns, metadata = load(folder / f"hopper-{kind}-engine-v1.hdf5")
        steps = int(value(metrics, f"{kind}/steps"))
        assert 3000 <= steps < 5000
        assert columns["observations"].shape == columns["next_observations"].shape == (steps, 11)
        assert columns["actions"].shape == (steps, 3) and columns["actions"].dtype == np.float32
        assert columns["terminals"].dtype == columns["timeouts"].dtype == bool
        ends = columns["terminals"] | columns["timeouts"]
        assert ends[-1] and ends.sum() == value(metrics, f"{kind}/episodes")
        inside = ~ends[:-1]
        assert np.array_equal(columns["observations"][1:][inside], columns["next_observations"][:-1][inside])
        sums = np.add.reduceat(columns["rewards"].astype(float), np.r_[0, 1 + np.flatnonzero(ends[:-1])])
        assert sums.mean() == pytest.approx(value(metrics, f"{kind}/return"), rel=1e-9)
        scale = metadata["expert_return"] - metadata["random_return"]
        assert value(metrics, f"{kind}/score") == pytest.approx(100 * (sums.mean() - metadata["random_return"]) / scale, rel=1e-6)
        assert metadata["environment"] == b"Hopper-v5" and metadata["kind"] == kind.encode()


def test_rows_are_what_gymnasium_does(hopper):
    """From the state that an observation shows (x aside, which the task ignores) one step of Gymnasium gives reward and next observation."""
    columns, _ = load(hopper[0] / "hopper-medium-engine-v1.hdf5")
    task = gymnasium.make("Hopper-v5").unwrapped
    task.reset()
    for row in range(0, 3000, 100):
        o = columns["observations"][row].astype(float)
        if np.abs(o[5:]).max() >= 10:
            continue  # clipped: the state is not known
        task.set_state(np.r_[0, o[:5]], o[5:])
        after, reward, terminated, *_ = task.step(columns["actions"][row].astype(float))
        # From rounded f32, without the solver's warm start.
        assert np.allclose(after, columns["next_observations"][row], atol=2e-2, rtol=1e-3), row
        assert reward == pytest.approx(columns["rewards"][row], abs=2e-2)
        assert terminated == columns["terminals"][row]


def test_the_same_seed_gives_the_same_bytes(hopper, build_folder, tmp_path):
    folder, _, short = hopper
    run(build_folder, "recipes/data/hopper-medium.yaml", tmp_path / "again", *short)
    other = run(build_folder, "recipes/data/hopper-medium.yaml", tmp_path / "other", *short, 'kinds=["random"]', "seed=1")
    for kind in KINDS:
        first, _ = load(folder / f"hopper-{kind}-engine-v1.hdf5")
        second, _ = load(tmp_path / f"again/hopper-{kind}-engine-v1.hdf5")
        assert all(np.array_equal(first[name], second[name]) for name in first), kind
    first, _ = load(folder / "hopper-random-engine-v1.hdf5")
    second, _ = load(tmp_path / "other/hopper-random-engine-v1.hdf5")
    assert value(other, "random/steps") and not np.array_equal(first["observations"][:50], second["observations"][:50])


def test_a_minari_set_loads_by_its_name(build_folder, shared_data, tmp_path, monkeypatch):
    import minari

    actor = shared_data / "sac-actor-walker2d-v3.safetensors"
    metrics = run(build_folder, "recipes/data/walker2d-expert.yaml", tmp_path / "run", f"actor={actor}", "steps=2000",
                  "stages.collect.reference_episodes=2", "format=minari")  # fmt: skip
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "run/minari"))
    dataset = minari.load_dataset("plaudit/walker2d/expert-v1")
    assert dataset.total_steps == value(metrics, "expert/steps")
    returns = [episode.rewards.astype(float).sum() for episode in dataset]
    assert np.mean(returns) == pytest.approx(value(metrics, "expert/return"), rel=1e-6)
    assert dataset.recover_environment().spec.id == "Walker2d-v5"
    assert np.array_equal(dataset.action_space.high, np.ones(6))

    recipe = tmp_path / "read.yaml"
    recipe.write_text(f"stages:\n  - control_data: {{data: {tmp_path / 'run/minari/plaudit/walker2d/expert-v1'}}}\n")
    read = run(build_folder, recipe, tmp_path / "read")
    for name in ["steps", "episodes", "return", "score", "d4rl_score"]:
        assert value(read, name) == pytest.approx(value(metrics, f"expert/{name}"), rel=1e-6), name


def test_data_says_what_a_file_holds(hopper, plaudit_cli, tmp_path):
    folder, metrics, _ = hopper
    path = folder / "hopper-expert-engine-v1.hdf5"
    shown = plaudit_cli("data", path, "--json", tmp_path / "data.json", check=0).stdout
    found = json.loads((tmp_path / "data.json").read_text())
    assert f"{found['steps']} steps in {found['episodes']} episodes, observations of 11 and actions of 3 numbers" in shown
    assert found["steps"] == value(metrics, "expert/steps")
    assert found["return"]["mean"] == pytest.approx(value(metrics, "expert/return"), rel=1e-6)
    for name in ["score", "d4rl_score"]:
        assert found[name] == pytest.approx(value(metrics, f"expert/{name}"), rel=1e-6)


@pytest.fixture(scope="module")
def trained(build_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    (folder / "point.yaml").write_text(TRAINED)
    return folder / "point.yaml", folder / "run", run(build_folder, folder / "point.yaml", folder / "run")


def test_without_an_actor_one_is_trained_first(trained):
    _, folder, metrics = trained
    medium = int(value(metrics, "medium_step"))
    assert 100 <= medium < 3000
    assert value(metrics, "medium-replay/steps") == medium  # all that was done up to the medium snapshot
    assert value(metrics, "medium/score") > 15
    assert value(metrics, "medium-replay/score") < value(metrics, "expert/score")
    assert value(metrics, "expert/score") == pytest.approx(100, abs=15)
    replay, _ = load(folder / "point-medium-replay-engine-v1.hdf5")
    assert np.flatnonzero(replay["timeouts"]).tolist() == list(range(49, medium, 50))
    inside = ~replay["timeouts"][:-1]
    assert np.array_equal(replay["observations"][1:][inside], replay["next_observations"][:-1][inside])
    # The rule of the task: v' = 0.8 v + 0.2 a.
    v, after = replay["observations"][:, 2:], replay["next_observations"][:, 2:]
    assert np.allclose(after, 0.8 * v + 0.2 * replay["actions"], atol=1e-6)
    assert replay["infos/qpos"].dtype == np.float64
    states = np.concatenate([replay["infos/qpos"], replay["infos/qvel"]], axis=1)
    assert np.array_equal(states.astype(np.float32), replay["observations"])  # the task shows its whole state


def test_a_training_that_was_killed_leaves_the_same_sets(trained, build_folder, tmp_path):
    recipe, whole, metrics = trained
    process = subprocess.Popen([build_folder / "plaudit", "run", recipe, "--out", tmp_path / "killed"], cwd=ROOT,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=os.environ)  # fmt: skip
    wait_for_steps(process, tmp_path / "killed", 60)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    subprocess.run([build_folder / "plaudit", "run", "--resume", tmp_path / "killed"], cwd=ROOT, check=True, capture_output=True)
    again = json.loads((tmp_path / "killed/summary.json").read_text())["metrics"]
    for kind in ["medium", "medium-replay", "expert"]:
        first, _ = load(whole / f"point-{kind}-engine-v1.hdf5")
        second, _ = load(tmp_path / f"killed/point-{kind}-engine-v1.hdf5")
        assert all(np.array_equal(first[name], second[name]) for name in first), kind
        assert again[f"{kind}/return"] == metrics[f"{kind}/return"]


def test_what_does_not_fit_is_refused(trained, build_folder, shared_data, tmp_path):
    _, folder, _ = trained
    actor = shared_data / "sac-actor-hopper-v3.safetensors"
    error = run(build_folder, "recipes/data/walker2d-medium.yaml", tmp_path / "a", f"actor={actor}", "stages.collect.reference_episodes=1", code=2)
    assert "sac-actor-hopper-v3.safetensors: takes 11 observations and gives 3 actions, Walker2d-v5 has 17 and 6" in error
    recipe = tmp_path / "read.yaml"
    data = folder / "point-expert-engine-v1.hdf5"
    recipe.write_text(f"stages:\n  - control_data: {{data: {data}, environment: Hopper-v5}}\n")
    error = run(build_folder, recipe, tmp_path / "b", code=2)
    assert f"{data}: has observations of 4 and actions of 2 numbers, Hopper-v5 has 11 and 3" in error
    recipe.write_text(f"stages:\n  - control_data: {{data: {data}, environment: Hoper-v5}}\n")
    assert "did you mean 'Hopper-v5'" in run(build_folder, recipe, tmp_path / "c", code=2)
    recipe.write_text("stages:\n  - control_data: {data: nowhere.hdf5}\n")
    assert "nowhere.hdf5: there is no such file or folder" in run(build_folder, recipe, tmp_path / "d", code=2)
    error = run(build_folder, "recipes/data/hopper-expert.yaml", tmp_path / "e", "actor=nowhere.safetensors", code=2)
    assert "actor: there is no file nowhere.safetensors" in error


def test_training_that_is_too_short_says_so(build_folder, tmp_path):
    recipe = tmp_path / "short.yaml"
    recipe.write_text(TRAINED.replace("steps: 3000, random_steps: 300", "steps: 400, random_steps: 399"))
    error = run(build_folder, recipe, tmp_path / "run", code=2)
    assert "training: no snapshot reached a return of" in error
