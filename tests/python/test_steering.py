"""Steering at run time, by values and by directions, from the command line: the models are those of recipes 42 and 52,
in small."""

import json
import pathlib

import pytest
from test_recipes import command, run
from test_run import tiny_folder  # noqa: F401

PROMPTS = pathlib.Path(__file__).resolve().parents[2] / "recipes/data/openings-heldout.jsonl"
ASK = ["--message", "How are you?", "--max-new-tokens", "12", "--precision", "f32", "--temperature", "1"]


@pytest.fixture(scope="module")
def trained(build_folder, tiny_folder, tmp_path_factory):  # noqa: F811
    """The folders of a value model and of a policy that reads directions."""
    folder = tmp_path_factory.mktemp("steering")
    for name in ("42-vas", "52-dpa"):
        run(command(build_folder, tiny_folder, name, folder / name))
    return folder / "42-vas/stages/02-values/value_model", folder / "52-dpa/stages/04-train/policy"


@pytest.fixture
def chat(plaudit_cli, tiny_folder):  # noqa: F811
    def ask(*arguments, check=0):
        return plaudit_cli("chat", tiny_folder, *ASK, *arguments, check=check)

    return ask


def test_values_steer_a_chat_as_hard_as_beta_says(trained, chat):
    values, _ = trained
    plain = chat().stdout
    assert plain.strip()
    assert chat("--value", values, "--beta", 0).stdout == plain
    steered = [chat("--value", values, "--beta", beta).stdout for beta in (4, 40, -40)]
    assert len({plain, *steered[1:]}) == 3
    assert chat("--value", values, "--beta", 4).stdout == steered[0]


def test_values_that_do_not_fit_are_refused(trained, chat, plaudit_cli, tiny_folder):  # noqa: F811
    values, policy = trained
    refused = plaudit_cli("chat", tiny_folder, *ASK, "--beta", 4)
    assert refused.returncode != 0 and "--value" in refused.stderr
    two = chat("--value", values, "--beta", "4,4", check=2)
    assert "one number per objective of the values, 1, got 2" in two.stderr
    adapted = chat("--value", values, "--adapter", policy, check=2)  # they were learnt without the adapter
    assert "learnt on" in adapted.stderr and "with this adapter" in adapted.stderr


def test_a_direction_is_the_system_message_of_its_training(trained, chat):
    _, policy = trained
    toward = chat("--adapter", policy, "--direction", "0.8,0.6").stdout
    assert toward == chat("--adapter", policy, "--system", "Rating weights: 80, 60.").stdout
    assert toward != chat("--adapter", policy).stdout


@pytest.mark.parametrize("direction, message", [("0.8,0.8", "must be of length 1"), ("nan,0", "nan")])
def test_a_direction_that_is_none_is_refused(direction, message, trained, chat):
    _, policy = trained
    error = chat("--adapter", policy, "--direction", direction, check=2).stderr
    assert "--direction" in error and message in error


def test_the_gain_of_steering_is_measured_against_the_model_itself(
    trained, plaudit_cli, tiny_folder, tmp_path  # noqa: F811
):
    values, _ = trained

    def measured(beta):
        arguments = ["--policy", tiny_folder, "--value", values, "--beta", beta, "--prompts", PROMPTS]
        small = ["--limit", 4, "--max-new-tokens", 6, "--out", tmp_path / f"beta{beta}"]
        plaudit_cli("eval", "win-rate", *arguments, *small, "--json", tmp_path / "numbers.json", check=0)
        return json.loads((tmp_path / "numbers.json").read_text())["metrics"]

    steered, plain = measured(4), measured(0)
    for metric in ("judge/gain", "win_rate", "kl"):
        assert steered[metric]["low"] <= steered[metric]["value"] <= steered[metric]["high"]
    assert plain["kl"]["value"] == pytest.approx(0, abs=1e-6) and abs(steered["kl"]["value"]) > 1e-3


def test_flags_that_an_evaluation_does_not_read_are_refused(plaudit_cli, tiny_folder, tmp_path):  # noqa: F811
    arguments = ["--reward", tmp_path, "--data", PROMPTS, "--judge", "lexicon"]
    refused = plaudit_cli("eval", "reward-accuracy", *arguments, cwd=tmp_path, check=2)
    assert "--judge" in refused.stderr and "suite reward-accuracy" in refused.stderr
    arguments = ["--policy", tiny_folder, "--prompts", PROMPTS, "--beta", 4]
    refused = plaudit_cli("eval", "win-rate", *arguments, cwd=tmp_path)
    assert refused.returncode != 0 and "--value" in refused.stderr
