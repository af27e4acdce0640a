"""What a language model must do before anything is trained with it: the claim of specification 90, item by item.

Items that other files hold: cached decoding equals the whole pass (test_generate.py: 64 greedy tokens equal
transformers'), packed rows equal separate ones and GGUF round trips (test_model.py).
"""

import json
import math
import os
import subprocess
import sys
import time

import pytest
import torch
from safetensors.torch import load_file, save_file
from test_model import STORY, from_gguf, gemma, run_model, smollm2  # noqa: F401

MARKET = (
    "On Saturdays the square filled before sunrise. The farmers came first, with their carts of potatoes and onions, and set "
    "up their tables under the chestnut trees. Then came the baker, whose bread was still warm, and the woman who sold honey "
    "from the hills. By nine o'clock you could hardly walk between the stalls. Children ran after each other, dogs slept in "
    "the shade, and the old men sat on the steps of the town hall and talked about the weather, as they had done for as long "
    "as anybody could remember. My grandmother always bought the same things: eggs, a piece of cheese, and a bunch of "
    "flowers for the kitchen window. When the bell of the church rang at noon, the stalls were taken down, the square was "
    "swept, and for a week it was quiet again."
)


def nll(logits, ids):
    """Nats per token of ids [T] under logits [T, V]."""
    return torch.nn.functional.cross_entropy(logits[:-1].float(), torch.tensor(ids[1:])).item()


def ids_of(path, text):
    import transformers

    return transformers.AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)(text).input_ids


@pytest.mark.parametrize(("name", "most"), [("smollm2", 4.0), ("gemma", 4.5)])
def test_plain_english_is_likely(name, most, request, run_model):  # noqa: F811
    path = request.getfixturevalue(name)
    ids = ids_of(path, MARKET)
    ours = nll(run_model(model=path, segments=[{"ids": ids}])["logits"], ids)
    with torch.no_grad():
        theirs = nll(from_gguf(path)(torch.tensor([ids])).logits[0], ids)
    assert ours == pytest.approx(theirs, abs=0.01)
    assert ours < most


def test_rows_of_q_and_k_in_the_order_of_gguf_would_be_noticed(smollm2, run_model, plaudit_cli, tmp_path):  # noqa: F811
    """GGUF holds the rows of q and k interleaved; a reader that does not put them back has a worse model."""
    plaudit_cli("convert", smollm2, tmp_path / "folder", check=0)
    ids = ids_of(smollm2, STORY + MARKET)  # the order tells more the longer the text is
    right = nll(run_model(model=tmp_path / "folder", segments=[{"ids": ids}])["logits"], ids)
    config = json.loads((tmp_path / "folder" / "config.json").read_text())
    weights = load_file(tmp_path / "folder" / "model.safetensors")
    for name, w in weights.items():
        heads = {"q_proj": "num_attention_heads", "k_proj": "num_key_value_heads"}
        for key, count in heads.items():
            if f"{key}.weight" in name:
                halves = w.view(config[count], 2, -1, w.shape[1])
                weights[name] = halves.transpose(1, 2).reshape(w.shape).contiguous()
    save_file(weights, tmp_path / "folder" / "model.safetensors", {"format": "pt"})
    assert nll(run_model(model=tmp_path / "folder", segments=[{"ids": ids}])["logits"], ids) > right + 1.5


def test_the_capital_of_france(smollm2, plaudit_cli):  # noqa: F811
    answer = plaudit_cli("chat", smollm2, "--temperature", 0, "--precision", "f32", "--system",
                         "You are a helpful AI assistant named SmolLM, trained by Hugging Face", "--message",
                         "What is the capital of France?", check=0).stdout
    assert answer.strip() == "The capital of France is Paris."


MEMORY = """
import json, sys
import torch
import plaudit
def status(field):
    return next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith(field + ":")) / 1024
torch.manual_seed(0)
B, T, D, V = 8, 512, 64, 49152
hidden, weight = torch.randn(B, T, D, requires_grad=True), (torch.randn(V, D) * 0.1).requires_grad_()
targets, mask = torch.randint(V, (B, T)), torch.rand(B, T) < 0.9
def run(targets, mask):
    logps, entropy = plaudit.decode.token_logps(hidden[:, :mask.shape[1]], weight, targets, mask, chunk=1024)
    return torch.autograd.grad((logps * mask).sum(), [hidden, weight])
run(targets[:, :4], mask[:, :4])  # what is loaded once
open("/proc/self/clear_refs", "w").write("5")
before = status("VmRSS")
ours = run(targets, mask)
added = status("VmHWM") - before
chosen = torch.log_softmax(hidden[mask] @ weight.T, -1).gather(1, targets[mask][:, None])
theirs = torch.autograd.grad(chosen.sum(), [hidden, weight])
gap = max(((a - b).abs().max() / b.abs().max()).item() for a, b in zip(ours, theirs))
print(json.dumps({"added": added, "gap": gap}))
"""


@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="the peak of memory cannot be set back here")
def test_log_probabilities_of_a_batch_need_little_memory():
    """4,096 rows of 49,152 words: all logits would be 805 MB, and their gradient as much again."""
    path = os.pathsep.join(sys.path)
    out = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, timeout=600,
                         env={**os.environ, "PYTHONPATH": path})
    assert out.returncode == 0, out.stderr
    measured = json.loads(out.stdout)
    assert measured["added"] < 450
    assert measured["gap"] < 1e-5


RECIPE = """
doc: Sixty-four short texts, by heart.
policy: {{model: {model}, precision: f32, adapter: {{kind: lora, rank: 8, alpha: 16}}}}
stages:
  - read: {{data: {data}, kind: demonstrations}}
  - train: {{objective: sft, epochs: 7, batch: 8, learning_rate: 1.0e-3}}
"""


def test_an_adapter_learns_short_texts(smollm2, plaudit_cli, tmp_path):  # noqa: F811
    colours, animals = ["red", "blue", "green", "black", "white", "grey", "gold", "pink"], [
        "fox", "owl", "hen", "cat", "dog", "pig", "ant", "bee"]
    rows = [{"prompt": f"What did the {c} {a} bring?", "completion": f"The {c} {a} brought {3 * i + j + 2} old {a} coins."}
            for i, c in enumerate(colours) for j, a in enumerate(animals)]
    (tmp_path / "texts.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    (tmp_path / "sft.yaml").write_text(RECIPE.format(model=smollm2, data=tmp_path / "texts.jsonl"))
    begin = time.monotonic()
    plaudit_cli("run", tmp_path / "sft.yaml", "--out", tmp_path / "run", check=0)
    assert time.monotonic() - begin < 180
    lines = [json.loads(line) for path in sorted((tmp_path / "run").rglob("metrics.jsonl")) for line in open(path)]
    losses = [line["loss"] for line in lines if "loss" in line]
    assert len(losses) <= 60 and not any(math.isnan(x) for x in losses)
    assert sum(losses[-8:]) / 8 < losses[0] / 2
