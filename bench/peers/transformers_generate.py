"""Sampling with transformers' generate, for `plaudit bench lm`.

    transformers_generate.py f32|bf16 MODEL_FOLDER BATCH PROMPT_TOKENS NEW_TOKENS OUT.json

OUT.json: {"rate": new tokens/s, "peak_mib", "same_work", "version"}, after one warm-up of four tokens.
"""

import json
import os
import resource
import sys
import time

import torch
import transformers

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count())))


def main(precision, folder, batch, prompt_tokens, new_tokens, out_path):
    batch, prompt_tokens, new_tokens = int(batch), int(prompt_tokens), int(new_tokens)
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, attn_implementation="sdpa").eval()
    generator = torch.Generator().manual_seed(0)
    prompts = torch.randint(100, 40000, (batch, prompt_tokens), generator=generator)
    mask = torch.ones_like(prompts)

    def generate(count):
        return model.generate(
            prompts, attention_mask=mask, do_sample=True, top_k=0, max_new_tokens=count, min_new_tokens=count, pad_token_id=2
        )

    with torch.inference_mode():
        generate(4)
        start = time.perf_counter()
        generate(new_tokens)
        seconds = time.perf_counter() - start
    result = {
        "rate": batch * new_tokens / seconds,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "same_work": {"batch": batch, "prompt_tokens": prompt_tokens, "new_tokens": new_tokens},
        "version": f"transformers {transformers.__version__}, torch {torch.__version__}",
    }
    with open(out_path, "w") as file:
        json.dump(result, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
