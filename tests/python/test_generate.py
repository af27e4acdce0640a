"""Decoding with the KV cache against transformers, in f32."""

import json
import subprocess

import pytest
import torch

from test_model import FAMILIES, IDS, STORY, from_gguf, gemma, smollm2, tiny  # noqa: F401  (fixtures)

# Where the two best tokens are this near, rounding decides between them.
TIE = 1e-4


@pytest.fixture
def generate(build_folder, tmp_path):
    tool = build_folder / "tests" / "tool_generate"

    def run(**job):
        out = tmp_path / "answers.json"
        (tmp_path / "job.json").write_text(json.dumps({"out": str(out), **job}, default=str))
        result = subprocess.run([tool, tmp_path / "job.json"], capture_output=True, text=True, timeout=600)
        assert result.returncode == 0, result.stderr
        return json.loads(out.read_text())

    return run


def greedy(model, prompt, count):
    """The greedy tokens of transformers' own generate."""
    with torch.no_grad():
        ids = model.generate(
            torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt), dtype=torch.long), do_sample=False,
            max_new_tokens=count, min_new_tokens=count, pad_token_id=0, suppress_tokens=None,
            eos_token_id=None,
        )
    return ids[0, len(prompt) :].tolist()


def teacher_forced(model, prompt, ids):
    """Log-probabilities [n, vocab] of the tokens after the prompt by one pass without a cache."""
    with torch.no_grad():
        return model(torch.tensor([prompt + ids])).logits[0, len(prompt) - 1 : -1].log_softmax(-1)


def check_greedy(model, prompt, answer):
    """Each token is the best one after those before it, so that transformers' greedy answer is the same."""
    logps = teacher_forced(model, prompt, answer["ids"])
    mine = logps.gather(1, torch.tensor(answer["ids"])[:, None])[:, 0]
    best = logps.max(1).values
    assert (best - mine).max() < TIE, f"token {(best - mine).argmax()} is not the best"
    assert (torch.tensor(answer["logps"]) - mine).abs().max() < 1e-4


def check_logps(logps, answer):
    expected = logps.gather(1, torch.tensor(answer["ids"])[:, None])[:, 0]
    assert (torch.tensor(answer["logps"]) - expected).abs().max() < 1e-4


@pytest.mark.parametrize("family", FAMILIES)
def test_greedy_tokens_of_tiny_models(family, tiny, generate):  # noqa: F811
    folder, model = tiny(family)
    # The batch is smaller than the number of prompts: answers start while others are under way.
    answers = generate(model=folder, prompts=IDS, max_new_tokens=64, batch=2)
    assert answers[0][0]["ids"] == greedy(model, IDS[0], 64)
    for prompt, (answer,) in zip(IDS, answers, strict=True):
        check_greedy(model, prompt, answer)


@pytest.mark.parametrize("family", FAMILIES)
def test_sampled_batches_equal_single_answers(family, tiny, generate):  # noqa: F811
    folder, model = tiny(family)
    job = dict(model=folder, prompts=IDS, max_new_tokens=40, temperature=1.0, per_prompt=3, seed=5)
    together, alone = generate(**job, batch=32), generate(**job, batch=1)
    assert together == alone
    for prompt, answers in zip(IDS, together, strict=True):
        assert len({tuple(a["ids"]) for a in answers}) == 3
        for answer in answers:
            check_logps(teacher_forced(model, prompt, answer["ids"]), answer)


def check_real_model(path, generate, plaudit_cli):
    """Prompts of unequal length: two sentences, one word, and more than a pass of prompt tokens takes."""
    texts = (STORY[:105], "The", STORY * 3)
    lines = plaudit_cli("tokenize", path, "--json", "--special", stdin="\n".join(map(json.dumps, texts)), check=0)
    prompts, model = [json.loads(line) for line in lines.stdout.splitlines()], from_gguf(path)
    assert len(prompts[2]) > 256
    answers = generate(model=path, prompts=prompts, max_new_tokens=64)
    for prompt, (answer,) in zip(prompts, answers, strict=True):
        check_greedy(model, prompt, answer)
    assert answers[0][0]["ids"] == greedy(model, prompts[0], 64)
    assert generate(model=path, prompts=prompts[:1], max_new_tokens=64)[0] == answers[0]


def test_greedy_tokens_of_smollm2(smollm2, generate, plaudit_cli):  # noqa: F811
    check_real_model(smollm2, generate, plaudit_cli)


def test_greedy_tokens_of_gemma(gemma, generate, plaudit_cli):  # noqa: F811
    check_real_model(gemma, generate, plaudit_cli)
