"""Recipes of published systems on a tiny model with random weights: they end with an evaluation, and a run that is killed
goes on to the same numbers."""

import json
import math
import os
import pathlib
import signal
import string
import subprocess

import pytest
from test_run import results, save_tiny_llama, tiny_folder, wait_for_steps  # noqa: F401

import plaudit

ROOT = pathlib.Path(__file__).resolve().parents[2]
JUDGE = ["stages.label.judge=length", "stages.label.words=1"]
SMALL = ["prompts=8", "heldout=4", "max_new_tokens=6"]

RECIPES = {
    "12-irl-lm": [],
    "19-srpo": ["revisions=1"],
    "37-vpo": [],
    "48-dpo": [],
    "48-dpo ipo": ["objective=ipo"],
    "48-dpo kto": ["objective=kto", "data=pairs"],
    "48-dpo plackett-luce": ["objective=plackett-luce"],
    "48-dpo simpo": ["objective=simpo"],
    "48-dpo vpo": ["objective=vpo"],
    "53-t-reg": [],
    "53-t-reg simpo": ["stages.train.base_loss=simpo", "stages.train.token_weighting=static"],
    "56-dno": [f"stages.label.{key}=0" for key in ("min_positive", "margin_teacher", "margin_student")],  # at random
}

# Recipes that learn from scores, or from problems with a verifier. A random model pleases no lexicon, but some of its
# answers are shorter than others, and some hold a letter.
SCORED = {
    "15-tulu3": [
        *["sft_limit=8", "dpo_prompts=8", "rl_steps=3", "heldout=4", "max_new_tokens=6"],
        "stages.rlvr.checkpoint_every=1",
    ],
    "42-vas": ["prompts=8", "heldout=4", "stages.score.judge=length", "stages.score.words=1"],
    "45-a-lol": [
        *["prompts=8", "value_prompts=8", "heldout=4"],
        *[f"stages.{stage}.score.{option}" for stage in (1, 4) for option in ("judge=length", "words=1")],
    ],
    "52-dpa": ["prompts=8", "heldout=4"],
}
MEASURED = {  # intervals at the end, and the updates after which a run is killed: those of the last training
    "15-tulu3": (["after-sft/win_rate", "after-dpo/judge/gain", "after-rlvr/win_rate", "after-rlvr/kl"], 3),
    "42-vas": (["beta-4/judge/gain", "beta-8/win_rate", "beta-minus-4/kl"], 2),
    "45-a-lol": (["judge/gain", "win_rate", "kl"], 11),
    "52-dpa": (["kind/reference", "brief@22", "gain@68"], 2),
}


def command(build_folder, model, name, folder, more=()):
    recipe = f"recipes/{name.split()[0]}.yaml"
    changes = SCORED[name] if name in SCORED else [*SMALL, *JUDGE, *RECIPES[name]]
    changes = [f"model={model}", "policy.precision=f32", *changes, *more]
    return [str(build_folder / "plaudit"), "run", recipe, *changes, "--out", str(folder)]


def run(arguments, code=0):
    done = subprocess.run(
        arguments, cwd=ROOT, capture_output=True, text=True, timeout=300, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


COPIED = "how many of the seven old lamps in the long hall are lit"  # 13 words
SIMILAR = "how many of the seven old boats in the long hall are lit"  # runs of 6 at most


@pytest.fixture(scope="module")
def problems(tmp_path_factory):
    """The files of recipe 15: problems that a random model solves at times. One demonstration and one problem hold a
    question of the test, another of each holds one that only resembles it."""
    folder = tmp_path_factory.mktemp("problems")
    asked = [f"Name thing {i}." for i in range(6)] + [f"Pray tell, {text}?" for text in (COPIED, SIMILAR)]

    def write(name, questions, more):
        lines = [json.dumps({"prompt": [{"role": "user", "content": text}], **more}) for text in questions]
        (folder / name).write_text("\n".join(lines) + "\n")
        return folder / name

    letters = {"verifier": "constraint", "ground_truth": {"name": "choice", "options": list(string.ascii_lowercase)}}
    files = {
        "problems": write("problems.jsonl", asked, letters),
        "test": write("test.jsonl", [f"{COPIED}?", *[f"Name animal {i}." for i in range(4)]], letters),
        "sft": write("sft.jsonl", asked, {"completion": "abc"}),
    }
    return [f"{parameter}={file}" for parameter, file in files.items()]


def ends_also_after_a_kill(build_folder, model, name, folder, metrics, updates, more=()):
    run(command(build_folder, model, name, folder / "whole", more))
    numbers = results(folder / "whole")
    for metric in metrics:
        assert numbers[metric]["low"] <= numbers[metric]["value"] <= numbers[metric]["high"]
    assert (folder / "whole" / "report.html").exists()

    process = subprocess.Popen(
        command(build_folder, model, name, folder / "killed", more),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    wait_for_steps(process, folder / "killed", updates)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    run([str(build_folder / "plaudit"), "run", "--resume", str(folder / "killed")])
    assert results(folder / "killed") == numbers
    assert rejected(folder / "killed") == rejected(folder / "whole")
    return numbers


def rejected(folder):
    return json.loads((folder / "summary.json").read_text())["rejected"]


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_ends_with_an_evaluation_also_after_a_kill(name, build_folder, tiny_folder, tmp_path):  # noqa: F811
    ends_also_after_a_kill(build_folder, tiny_folder, name, tmp_path, ["judge/gain", "win_rate", "kl"], 2)


@pytest.mark.parametrize("name", SCORED)
def test_a_recipe_on_scores_ends_with_an_evaluation_also_after_a_kill(
    name, problems, build_folder, tiny_folder, tmp_path  # noqa: F811
):
    more = problems if name == "15-tulu3" else []
    numbers = ends_also_after_a_kill(build_folder, tiny_folder, name, tmp_path, *MEASURED[name], more)
    if name == "15-tulu3":  # each of the three trainings had something to learn from
        assert numbers["label/pairs"]["value"] > 0 and numbers["rlvr/train/policy-gradient/signal"]["value"] > 0
    if name == "45-a-lol":
        assert 0 < numbers["policy/a-lol/kept"]["value"] < 1


def test_a_baseline_of_a_lol_needs_no_value_and_keeps_every_answer(build_folder, tiny_folder, tmp_path):  # noqa: F811
    run(command(build_folder, tiny_folder, "45-a-lol", tmp_path / "run", ["variant=nll"]))
    assert results(tmp_path / "run")["policy/a-lol/kept"]["value"] == 1
    assert not any("advantage" in reason for reason in rejected(tmp_path / "run"))
    done = run(command(build_folder, tiny_folder, "45-a-lol", tmp_path / "other", ["variant=gold"]), 2)
    assert "variant" in done.stderr and "r_gold" in done.stderr


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
        ("53-t-reg", "stages.train.gamma_beta_ratio=1", "is not used with base_loss dpo"),
        ("12-irl-lm", "stages.train.discount=2", "discount"),
        ("56-dno", "stages.label.pairs=all", "is not used by pairs all, only by margin"),
        ("37-vpo", "stages.sample.reference_system=Hello", None),
        ("37-vpo", "stages.sample.reference_answers=0", "sample with reference_answers"),
        ("19-srpo", "revisions=0", "is not used without revisions"),
        ("48-dpo", "stages.train.ref_sync_mix=0.1", "ref_sync_mix: is not used without ref_sync_steps"),
        ("48-dpo", "stages.train.ref_sync_steps=5", "ref_sync_steps: needs reference: copy, got auto"),
        ("48-dpo", "stages.train.reference_file=x stages.train.reference=copy", "reference_file: is not used with reference: copy"),
        ("48-dpo", "objective=f-dpo stages.train.alpha=0.3", "alpha: is not used without divergence alpha"),
        ("48-dpo", "stages.label.replay=0.3", "replay: counts the rounds of a repeat, and there is none around this stage"),
        ("48-dpo", "stages.sample.next_prompts=true", "next_prompts: counts the rounds of a repeat"),
        ("48-dpo", "stages.train.tau=0.3", "stages[2].train.tau: "),
        ("48-dpo", "model=smolm2-135m", "policy.model: 'smolm2-135m' is neither a path nor a known name, did you mean 'smollm2-135m'?"),
        ("45-a-lol", "variant=ref_free stages.policy.importance_clip=0.5", "importance_clip: is not used by variant ref_free"),
        ("45-a-lol", "stages.policy.kl_weight=0.5", "kl_weight: is not used by variant seq"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    name, change, message, build_folder, tiny_folder, tmp_path  # noqa: F811
):
    more = change.split() + (["stages.sample.per_prompt=2"] if message and "reference_answers" in message else [])
    done = run(command(build_folder, tiny_folder, name, tmp_path / "run", more), 0 if message is None else 2)
    assert message is None or message in done.stderr


@pytest.mark.parametrize("objective", ["dpo", "kto", "sft", "reward"])
def test_pairs_that_say_nothing_are_counted(objective, build_folder, tiny_folder, tmp_path):  # noqa: F811
    words = ["red", "green", "blue", "warm", "cold", "old"]
    pairs = [{"prompt": f"{w} sky", "chosen": f"{w} sun", "rejected": "moon", "label": 0.5 if i < 2 else 1} for i, w in enumerate(words)]

    def train(name, records, code):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
        head = "reward_model: {model: %s}" if objective == "reward" else "policy: {model: %s, adapter: {kind: lora}}"
        (tmp_path / f"{name}.yaml").write_text(
            f"doc: d\nseed: 0\n{head % tiny_folder}\nstages:\n"
            f"  - read: {{data: {tmp_path / name}.jsonl, kind: pairs}}\n  - train: {{objective: {objective}, data: pairs, max_steps: 1}}\n")
        return run([str(build_folder / "plaudit"), "run", str(tmp_path / f"{name}.yaml"), "--out", str(tmp_path / name)], code)

    train("some", pairs, 0)
    assert rejected(tmp_path / "some") == {"pairs with label 1/2": 2}
    assert "label 0.5" in train("all", pairs[:2], 2).stderr


def test_what_overlaps_the_test_is_left_out_of_every_stage_and_counted(
    problems, build_folder, tiny_folder, tmp_path  # noqa: F811
):
    run(command(build_folder, tiny_folder, "15-tulu3", tmp_path / "run", [*problems, "rl_steps=1"]))
    counts = rejected(tmp_path / "run")
    assert {reason: count for reason, count in counts.items() if "overlap" in reason} == {
        "records that overlap the test": 1,
        "prompts that overlap the test": 1,
        "rlvr/prompts that overlap the test": 1,
    }
    answers = (tmp_path / "run/stages/03-sample/answers/answers.jsonl").read_text()
    demonstrations = (tmp_path / "run/stages/00-read/demonstrations/records.jsonl").read_text()
    for text in (answers, demonstrations):
        assert text.count("\n") == 7 and COPIED not in text and SIMILAR in text


def test_prompt_and_answer_are_tokenised_apart(build_folder, tmp_path):
    """Where "bc" is one token, the prompt "ab" and the answer "cd" keep theirs: the likelihood is that of the parts."""
    import torch

    model, tokenizer = save_tiny_llama(tmp_path / "model", merges=[("b", "c")], initializer_range=0.5)
    (tmp_path / "pairs.jsonl").write_text(json.dumps({"prompt": "ab", "chosen": "cd", "rejected": "d"}) + "\n")
    (tmp_path / "recipe.yaml").write_text(
        f"""doc: Likelihood of a pair.
seed: 0
policy: {{model: {tmp_path / "model"}, adapter: {{kind: lora, rank: 1}}, precision: f32}}
stages:
  - evaluate: {{suite: likelihood, data: {tmp_path / "pairs.jsonl"}}}
"""
    )
    run([str(build_folder / "plaudit"), "run", str(tmp_path / "recipe.yaml"), "--out", str(tmp_path / "run")])

    def nll(prompt, answer):
        with torch.no_grad():
            logps = model(torch.tensor([prompt + answer])).logits[0].log_softmax(-1)
        return -sum(logps[len(prompt) - 1 + k, token].item() for k, token in enumerate(answer)) / len(answer)

    def ids(text):
        return tokenizer.encode(text, add_special_tokens=False)

    end = [tokenizer.eos_token_id]
    apart, joint = nll(ids("ab"), ids("cd") + end), nll(ids("abcd")[:1], ids("abcd")[1:] + end)
    assert len(ids("abcd")) == 3 and abs(apart - joint) > 0.1
    assert results(tmp_path / "run")["nll/policy"]["value"] == pytest.approx(apart, abs=1e-4)


def test_a_beta_of_averages_is_that_of_sums_times_the_length():
    """5 per token and 0.1 for the sum are one pull on answers of 50 tokens; the default of the recipes is that of sums."""
    sums = [[-60.0], [-70.0], [-64.0], [-65.0]]
    averages = plaudit.preference.pair_loss("dpo", *sums, [50], [50], '{"length_normalised": true, "beta": 5}')
    plain = plaudit.preference.pair_loss("dpo", *sums, [50], [50], "{}")
    assert averages.loss.item() == pytest.approx(plain.loss.item(), rel=1e-6)
    assert plain.loss.item() == pytest.approx(math.log1p(math.exp(-0.1 * 9)), rel=1e-6)
    mixed = plaudit.preference.pair_loss("dpo", *sums, [50], [50], '{"beta": 5}')
    assert mixed.loss.item() < 1e-15  # 5 with sums: nothing is left to learn
    halves = plaudit.preference.pair_loss("dpo", *sums, [25], [50], '{"length_normalised": true, "beta": 5}')
    assert halves.loss.item() == pytest.approx(math.log1p(math.exp(-5 * (4 / 25 + 5 / 50))), rel=1e-6)
