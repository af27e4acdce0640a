"""`plaudit convert` of a control policy: the files act under Gymnasium as the engine does."""

import importlib.util
import json
import subprocess
import sys

import gymnasium
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

RECIPE = """seed: 0
stages:
  - sac: {{environment: {task}, steps: 260, random_steps: 200, batch: 32, hidden: [32, 32], model_hidden: [16, 16], sequence: {sequence}}}
"""


def load_policy(folder):
    spec = importlib.util.spec_from_file_location("policy", folder / "policy.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Policy()


@pytest.fixture
def trained(plaudit_cli, tmp_path):
    """trained(task, sequence) -> the folders of a control policy as a run leaves it and as convert writes it."""

    def run(task, sequence):
        (tmp_path / "recipe.yaml").write_text(RECIPE.format(task=task, sequence=sequence))
        plaudit_cli("run", tmp_path / "recipe.yaml", "--out", tmp_path / "run", check=0)
        source = next((tmp_path / "run/stages").glob("*-sac/control_policy"))
        plaudit_cli("convert", source, tmp_path / "out", check=0)
        return source, tmp_path / "out"

    return run


@pytest.mark.parametrize("task, sequence", [("Pendulum-v1", 1), ("HalfCheetah-v5", 1), ("Pendulum-v1", 4)])
def test_a_converted_policy_acts_as_the_engine_does(task, sequence, trained, build_folder, tmp_path):
    source, folder = trained(task, sequence)
    policy = load_policy(folder)
    assert policy.task == task
    environment = gymnasium.make(policy.task)
    observation, _ = environment.reset(seed=0)
    low, high = environment.action_space.low, environment.action_space.high
    observations, previous, actions = [], [], []
    last, ended = None, False
    while not ended:
        observations.append(observation)
        previous.append(np.zeros(len(low)) if last is None else 2 * (last.astype(float) - low) / (high - low) - 1)
        last = policy.act(observation, last)
        assert environment.action_space.contains(last)
        actions.append(last)
        observation, _, terminated, truncated, _ = environment.step(last)
        ended = terminated or truncated
    save_file({"observations": np.array(observations, np.float32), "previous": np.array(previous, np.float32)}, tmp_path / "seen.safetensors")
    job = {"policy": str(source), "observations": str(tmp_path / "seen.safetensors"), "actions": str(tmp_path / "acts.safetensors")}
    (tmp_path / "job.json").write_text(json.dumps(job))
    subprocess.run([build_folder / "tests/tool_control", tmp_path / "job.json"], check=True)
    engine = low + (load_file(tmp_path / "acts.safetensors")["actions"].astype(float) + 1) / 2 * (high - low)
    assert len(actions) >= 200 and np.std(engine) > 1e-3
    assert np.abs(np.array(actions) - engine).max() <= 3e-6 * (high - low).max() / 2  # f32, over a whole episode


def test_a_policy_that_looks_ahead_gives_its_sequence(trained):
    policy = load_policy(trained("Pendulum-v1", 4)[1])
    plan = policy.unit_actions(np.array([1.0, 0.0, 0.5]), length=6)
    assert plan.shape == (6, 1)
    # Each action is the next one's previous: the plan goes on from its own hidden state, not from the observation.
    assert plan[0] == policy.unit_actions(np.array([1.0, 0.0, 0.5]))[0] and np.std(plan) > 0


def test_the_loader_needs_neither_torch_nor_plaudit(trained):
    _, folder = trained("Pendulum-v1", 1)
    code = "import sys, policy; policy.Policy().act([1, 0, 0]); assert not {'torch', 'plaudit'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True)


def test_what_convert_cannot_do_with_a_policy_is_said(trained, plaudit_cli, tmp_path):
    source, folder = trained("Pendulum-v1", 1)
    assert "exists already; give --force" in plaudit_cli("convert", source, folder, check=2).stderr
    plaudit_cli("convert", source, folder, "--force", check=0)
    error = plaudit_cli("convert", source, tmp_path / "x", "--dtype", "bf16", check=2).stderr
    assert "is a control policy: --adapter, --merge and --dtype are of language models" in error
    assert "must be a folder" in plaudit_cli("convert", source, tmp_path / "x.gguf", check=2).stderr
