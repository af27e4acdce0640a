"""`plaudit run` as a user meets it: mistakes, Ctrl-C, kill -9 and resume, on a tiny model with random weights."""

import fcntl
import json
import os
import pathlib
import random
import resource
import signal
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]

RECIPE = """doc: DPO on a tiny model.
seed: 3
policy: {model: MODEL, adapter: {kind: lora, rank: 4}, precision: f32}
stages:
  - read: {data: DATA, holdout: 0.1}
  - train: {objective: dpo, batch: 2, epochs: 3, checkpoint_every: 4, tokens_per_batch: 256}
  - evaluate:
      suite: win-rate
      prompts: PROMPTS
      limit: 4
      judge: length
      words: 3
      max_new_tokens: 6
"""


def save_tiny_llama(folder, merges=(), chat_template=None, **settings):
    """A two-layer Llama over bytes and merges of them, as transformers saves it; the model and its tokenizer."""
    import tokenizers
    import torch
    import transformers

    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: i for i, token in enumerate([*alphabet, *map("".join, merges)])}
    core = tokenizers.Tokenizer(tokenizers.models.BPE(vocab=vocabulary, merges=list(merges)))
    core.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = tokenizers.decoders.ByteLevel()
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=core, eos_token="<end>")
    if chat_template is not None:
        tokenizer.chat_template = chat_template
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
        pad_token_id=None,
        **settings,
    )
    model = transformers.LlamaForCausalLM(config).eval()
    model.save_pretrained(folder)
    return model, tokenizer


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    """A tiny Llama with a chat template."""
    folder = tmp_path_factory.mktemp("tiny")
    chat_template = (
        "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}<end>{% endfor %}"
        "{% if add_generation_prompt %}assistant: {% endif %}"
    )
    save_tiny_llama(folder, chat_template=chat_template, max_position_embeddings=256)
    return folder


@pytest.fixture(scope="session")
def recipe(tiny_folder, tmp_path_factory):
    """A recipe of three stages that takes seconds, and its files."""
    folder = tmp_path_factory.mktemp("recipe")
    draw = random.Random(0)
    words = "red green blue warm cold old new small tall round".split()
    say = lambda n: " ".join(draw.choices(words, k=n))  # noqa: E731
    pairs = [{"prompt": say(4), "chosen": say(3), "rejected": say(5)} for _ in range(120)]
    (folder / "pairs.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    (folder / "prompts.jsonl").write_text("".join(json.dumps({"prompt": say(4)}) + "\n" for _ in range(4)))
    text = RECIPE.replace("MODEL", str(tiny_folder)).replace("DATA", str(folder / "pairs.jsonl"))
    path = folder / "tiny.yaml"
    path.write_text(text.replace("PROMPTS", str(folder / "prompts.jsonl")))
    return path


@pytest.fixture
def start(build_folder, recipe):
    """Starts `plaudit run` and returns the process; what is left of it is killed at the end of the test."""
    started = []

    def run(*arguments, **how):
        process = subprocess.Popen(
            [str(build_folder / "plaudit"), "run", *map(str, arguments)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            **how,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
            process.communicate()


def finish(process, code=0):
    out, err = process.communicate(timeout=300)
    assert process.returncode == code, f"exit {process.returncode}\n{out}\n{err}"
    return out, err


def results(folder):
    """The numbers of a run that do not depend on the clock."""
    metrics = json.loads((folder / "summary.json").read_text())["metrics"]
    return {name: value for name, value in metrics.items() if not name.endswith("per_second")}


def steps(folder):
    """(stage, step, loss) of the lines of metrics.jsonl."""
    path = folder / "metrics.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return [(line["stage"], line["step"], line.get("loss")) for line in map(json.loads, lines)]


def wait_for_steps(process, folder, count):
    path = folder / "metrics.jsonl"
    while not path.exists() or path.read_bytes().count(b"\n") < count:
        assert process.poll() is None, process.communicate()
        time.sleep(0.002)


@pytest.fixture(scope="session")
def whole(recipe, build_folder, tmp_path_factory):
    """The folder of an undisturbed run."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    subprocess.run(
        [str(build_folder / "plaudit"), "run", str(recipe), "--out", str(folder)],
        check=True,
        cwd=ROOT,
        capture_output=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    return folder


def test_a_run_leaves_what_is_promised(whole, plaudit_cli):
    for name in ["recipe.yaml", "versions.json", "metrics.jsonl", "summary.json", "report.html"]:
        assert (whole / name).exists(), name
    summary = json.loads((whole / "summary.json").read_text())
    assert list(summary) == ["recipe", "metrics", "seconds", "peak_mib", "rejected"]
    for metric in summary["metrics"].values():
        assert list(metric) == ["value", "low", "high", "n"]
    assert len(steps(whole)) >= 150
    html = (whole / "report.html").read_text()
    assert "<svg" in html and "src=" not in html and "<script" not in html
    shown = plaudit_cli("show", whole, check=0).stdout
    assert "tiny" in shown and "report.html" in shown


def test_the_written_recipe_repeats_the_run(whole, start, tmp_path):
    finish(start(whole / "recipe.yaml", "--out", tmp_path / "again", "--json", tmp_path / "again.json"))
    assert results(tmp_path / "again") == results(whole)
    assert steps(tmp_path / "again") == steps(whole)
    written = json.loads((tmp_path / "again.json").read_text())
    assert written == json.loads((tmp_path / "again" / "summary.json").read_text())


def test_a_misspelt_key_names_its_place_and_the_nearest(recipe, start, tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text(recipe.read_text().replace("objective: dpo, batch: 2", "objective: dpo, bacth: 2"))
    _, err = finish(start(bad, "--out", tmp_path / "run"), 2)
    assert f"{bad}:6: stages[1].train.bacth: there is no option 'bacth', did you mean 'batch'?" in err
    assert not (tmp_path / "run").exists()


def test_a_missing_file_stops_before_any_work(recipe, start, tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text(recipe.read_text().replace("prompts.jsonl", "promts.jsonl"))
    _, err = finish(start(bad, "--out", tmp_path / "run"), 2)
    assert f"{bad}:7: stages[2].evaluate.prompts: " in err and "promts.jsonl" in err
    assert not (tmp_path / "run").exists()
    _, err = finish(start("recipes/nothing.yaml"), 2)
    assert "recipes/nothing.yaml" in err


def test_ctrl_c_saves_and_says_how_to_go_on(recipe, whole, start, tmp_path):
    folder = tmp_path / "run"
    process = start(recipe, "--out", folder)
    wait_for_steps(process, folder, 7)
    process.send_signal(signal.SIGINT)
    _, err = finish(process, 130)
    assert "finishing this step" in err and f"plaudit run --resume {folder}" in err
    assert 7 <= len(steps(folder)) < len(steps(whole))
    finish(start("--resume", folder))
    assert results(folder) == results(whole)
    assert steps(folder) == steps(whole)


def test_ctrl_c_twice_stops_at_once(recipe, start, tmp_path):
    process = start(recipe, "stages.train.epochs=100", "--out", tmp_path / "run")
    wait_for_steps(process, tmp_path / "run", 3)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130


def test_killed_runs_end_with_the_same_numbers_bit_for_bit(recipe, whole, start, tmp_path):
    folder = tmp_path / "run"
    for count in [5, 40, 90]:
        process = start(recipe, "--out", folder)  # the same command again goes on, too
        wait_for_steps(process, folder, count)
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
    finish(start("--resume", folder))
    assert results(folder) == results(whole)
    assert steps(folder) == steps(whole)
    assert (folder / "report.html").read_bytes() == (whole / "report.html").read_bytes()


def test_a_full_disk_names_the_file_and_loses_nothing(recipe, whole, start, tmp_path):
    """A limit on the size of files stands for the disk: a write beyond it fails with an error as ENOSPC does."""
    folder = tmp_path / "run"
    limit = next(whole.glob("**/*.safetensors")).stat().st_size // 2
    process = start(recipe, "--out", folder, preexec_fn=lambda: no_file_above(limit))
    _, err = finish(process, 2)
    assert "cannot be written" in err and str(folder) in err
    assert not list(folder.glob("**/*.tmp*")), "what could not be written is removed"
    finish(start("--resume", folder))
    assert results(folder) == results(whole)


def no_file_above(size):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_another_recipe_does_not_go_on_with_the_run(recipe, whole, start):
    _, err = finish(start(recipe, "stages.train.beta=0.3", "--out", whole), 2)
    assert "holds a run of another recipe: stages[1].train.beta was null, now 0.3" in err
    _, err = finish(start("--resume", whole, "seed=1"), 2)
    assert "--resume" in err


def test_runs_of_a_sweep_compute_their_reference_once(recipe, whole, start, tmp_path):
    shared = tmp_path / "reference.safetensors"
    share = f"stages.train.reference_file={shared}"
    finish(start(recipe, share, "--out", tmp_path / "first"))
    assert results(tmp_path / "first") == results(whole)
    written = shared.stat().st_mtime_ns
    finish(start(recipe, "stages.train.beta=0.3", "--out", tmp_path / "alone"))
    _, err = finish(start(recipe, "stages.train.beta=0.3", share, "--out", tmp_path / "second"))
    assert "reference log-probabilities" not in err, "nothing is computed again"
    assert results(tmp_path / "second") == results(tmp_path / "alone")
    assert shared.stat().st_mtime_ns == written
    assert not list((tmp_path / "second").glob("**/reference.safetensors"))


def test_runs_beside_each_other_compute_their_reference_once(recipe, whole, start, tmp_path):
    finish(start(recipe, "--out", tmp_path / "first"))
    _, err = finish(start(recipe, "stages.train.beta=0.3", "--out", tmp_path / "second"))
    assert f"reference log-probabilities of {tmp_path / 'first'}" in err, "and where they come from is said"
    finish(start(recipe, "stages.train.beta=0.3", "--out", tmp_path / "elsewhere" / "alone"))
    assert results(tmp_path / "second") == results(tmp_path / "elsewhere" / "alone")
    files = [next((tmp_path / name).glob("**/reference.safetensors")) for name in ("first", "second")]
    assert files[0].read_bytes() == files[1].read_bytes() and not files[1].is_symlink()
    # Neither other data nor another model, nor what may move the last bits.
    for i, change in enumerate(["stages.read.holdout=0.2", "policy.precision=bf16", "stages.train.tokens_per_batch=128"]):
        _, err = finish(start(recipe, change, "stages.train.max_steps=1", "--out", tmp_path / f"other{i}"))
        assert "same model, data" not in err, change


def test_runs_that_start_together_compute_their_reference_once(recipe, start, tmp_path):
    processes = [start(recipe, "stages.train.max_steps=2", f"stages.train.beta=0.{i}", "--out", tmp_path / f"run{i}") for i in (1, 2, 3)]
    said = [finish(process)[1] for process in processes]
    assert sum("same model, data and program" in err for err in said) == 2, said
    files = [next((tmp_path / f"run{i}").glob("**/reference.safetensors")) for i in (1, 2, 3)]
    assert len({file.read_bytes() for file in files}) == 1
    assert not list(tmp_path.glob("**/reference.turn")), "a turn ends with what it was for"


def test_a_run_waits_for_a_turn_that_is_held_and_for_no_other(recipe, start, tmp_path):
    process = start(recipe, "stages.train.max_steps=2", "--out", tmp_path / "first")
    deadline = time.monotonic() + 60
    while not (turns := list((tmp_path / "first").glob("stages/*/checkpoints/reference.turn"))) and time.monotonic() < deadline:
        time.sleep(0.001)
    process.kill()
    process.communicate()
    assert turns and turns[0].exists(), "killed while it computed its reference"
    with turns[0].open() as held:  # as if it still ran
        fcntl.flock(held, fcntl.LOCK_EX)
        waiting = start(recipe, "stages.train.max_steps=2", "--out", tmp_path / "second")
        time.sleep(3)
        assert waiting.poll() is None
        waiting.send_signal(signal.SIGINT)
        assert "waiting for the reference log-probabilities" in finish(waiting, 130)[1]
    finish(start("--resume", tmp_path / "second"))


def test_a_reference_of_other_data_or_another_model_is_refused(recipe, start, tmp_path):
    shared = tmp_path / "reference.safetensors"
    share = f"stages.train.reference_file={shared}"
    finish(start(recipe, share, "stages.train.max_steps=1", "--out", tmp_path / "first"))
    for i, change in enumerate(["stages.read.holdout=0.2", "policy.precision=bf16"]):
        _, err = finish(start(recipe, share, change, "--out", tmp_path / f"other{i}"), 2)
        assert str(shared) in err and "was made with another model, tokenizer, data" in err
