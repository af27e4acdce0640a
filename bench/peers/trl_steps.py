"""Training steps of TRL on prepared token ids, for `plaudit bench lm`.

    trl_steps.py sft|reward|dpo|kto f32|bf16 MODEL_FOLDER DATA.json OUT.json

DATA.json: {"batch": 4, "steps": 6, "examples": [{"prompt": [ids], "chosen": [ids], "rejected": [ids]}, ...],
"unpaired": [{"prompt": [ids], "completion": [ids], "desirable": true}, ...]}; examples are taken in order, 2 * batch of the
unpaired ones a step. The peer runs in its fast mode: no gradient checkpointing, SDPA, fused AdamW, reference precomputed, all
cores. OUT.json: {"rate": unpadded tokens/s, "peak_mib", "same_work": {"first_loss", ...}, "version"}.
"""

import json
import os
import resource
import sys
import time

import torch
from datasets import Dataset
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    PreTrainedTokenizerFast,
    TrainerCallback,
)

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count())))


class StepClock(TrainerCallback):
    def __init__(self):
        self.marks = []

    def on_step_end(self, args, state, control, **kwargs):
        self.marks.append(time.perf_counter())


def ordered(trainer_class):
    """The trainer with token ids as they are, in the order of the file."""

    class Ordered(trainer_class):
        def _prepare_dataset(self, dataset, *args, **kwargs):
            return dataset

        def _get_train_sampler(self, *args, **kwargs):
            return torch.utils.data.SequentialSampler(self.train_dataset)

    return Ordered


def arguments(config_class, data, precision, **extra):
    return config_class(
        output_dir="/tmp/plaudit-peer",
        per_device_train_batch_size=data["batch"],
        max_steps=data["steps"],
        learning_rate=1e-5,
        lr_scheduler_type="constant",
        optim="adamw_torch_fused",
        gradient_checkpointing=False,
        bf16=precision == "bf16",
        use_cpu=True,
        logging_steps=1,
        report_to=[],
        save_strategy="no",
        disable_tqdm=True,
        dataloader_pin_memory=False,
        remove_unused_columns=False,
        seed=0,
        max_length=None,
        **extra,
    )


def stub_tokenizer():
    """The trainers ask a tokenizer for its padding and ending tokens alone: the data are ids already."""
    vocabulary = {"<pad>": 0, "<unk>": 1, "<eos>": 2}
    words = Tokenizer(WordLevel(vocabulary, unk_token="<unk>"))
    return PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>")


def build(job, precision, folder, data):
    tokenizer = stub_tokenizer()
    examples = data["examples"]
    clock = StepClock()
    common = dict(processing_class=tokenizer, callbacks=[clock])
    if job == "reward":
        from trl import RewardConfig, RewardTrainer

        model = AutoModelForSequenceClassification.from_pretrained(
            folder, num_labels=1, dtype=torch.float32, attn_implementation="sdpa", pad_token_id=tokenizer.pad_token_id
        )
        with torch.no_grad():
            model.score.weight.fill_(0.01)
        rows = [
            {"chosen_ids": e["prompt"] + e["chosen"], "rejected_ids": e["prompt"] + e["rejected"]} for e in examples
        ]
        args = arguments(RewardConfig, data, precision, disable_dropout=True)
        return ordered(RewardTrainer)(model=model, args=args, train_dataset=Dataset.from_list(rows), **common), clock
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="sdpa")
    if job == "sft":
        from trl import SFTConfig, SFTTrainer

        rows = [
            {"input_ids": e["prompt"] + e["chosen"], "labels": [-100] * len(e["prompt"]) + e["chosen"]} for e in examples
        ]
        args = arguments(SFTConfig, data, precision)
        return ordered(SFTTrainer)(model=model, args=args, train_dataset=Dataset.from_list(rows), **common), clock
    if job == "kto":
        from trl import KTOConfig, KTOTrainer

        # As the trainer pairs them itself: each prompt with its neighbour's answer within a batch.
        unpaired, batch = data["unpaired"], 2 * data["batch"]
        rows = [
            {
                "prompt_ids": e["prompt"],
                "completion_ids": e["completion"],
                "KL_completion_ids": unpaired[i - 1 if i % batch else i + batch - 1]["completion"],
                "label": e["desirable"],
            }
            for i, e in enumerate(unpaired)
        ]
        args = arguments(KTOConfig, {**data, "batch": batch}, precision, precompute_ref_log_probs=True, beta=0.1)
        return ordered(KTOTrainer)(model=model, args=args, train_dataset=Dataset.from_list(rows), **common), clock
    from trl import DPOConfig, DPOTrainer

    rows = [{"prompt_ids": e["prompt"], "chosen_ids": e["chosen"], "rejected_ids": e["rejected"]} for e in examples]
    args = arguments(DPOConfig, data, precision, precompute_ref_log_probs=True, beta=0.1)
    return ordered(DPOTrainer)(model=model, args=args, train_dataset=Dataset.from_list(rows), **common), clock


def tokens(job, example):
    chosen = len(example["prompt"]) + len(example["chosen"])
    return chosen if job == "sft" else chosen + len(example["prompt"]) + len(example["rejected"])


def timed_tokens(job, data):
    """Unpadded tokens of all steps but the first."""
    if job == "kto":
        return sum(len(e["prompt"]) + len(e["completion"]) for e in data["unpaired"][2 * data["batch"] :])
    return sum(tokens(job, e) for e in data["examples"][data["batch"] :])


def main(job, precision, folder, data_path, out_path):
    import trl

    with open(data_path) as file:
        data = json.load(file)
    trainer, clock = build(job, precision, folder, data)
    trainer.train()
    # The first step warms up; the rest are timed.
    seconds = clock.marks[-1] - clock.marks[0]
    first = next(entry for entry in trainer.state.log_history if "loss" in entry)
    same_work = {"first_loss": first["loss"]}
    if job == "dpo":
        same_work["logps_chosen"] = first["logps/chosen"]
    result = {
        "rate": timed_tokens(job, data) / seconds,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "same_work": same_work,
        "version": f"trl {trl.__version__}, torch {torch.__version__}",
    }
    with open(out_path, "w") as file:
        json.dump(result, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
