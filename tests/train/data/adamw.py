"""Writes adamw.json: a short run of torch.optim.AdamW, the reference of adamw_test.cpp. Run: python adamw.py"""

import json
import pathlib

import torch

SETTINGS = {"lr": 0.01, "betas": (0.9, 0.95), "eps": 1e-6, "weight_decay": 0.1}


def run(dtype: torch.dtype) -> dict:
    start = torch.linspace(-1, 1, 12, dtype=torch.float64).reshape(3, 4)
    weight = start.to(dtype).clone().requires_grad_()
    bias = torch.tensor([0.5, -0.25], dtype=dtype, requires_grad=True)
    optimizer = torch.optim.AdamW([weight, bias], **SETTINGS)
    snapshots = []
    for step in range(100):
        optimizer.zero_grad()
        loss = ((weight - 0.3) ** 2 * (1 + step % 3)).sum() + torch.sin(bias * (step + 1)).sum()
        loss.backward()
        optimizer.step()
        if step in (0, 9, 99):
            snapshots.append({"step": step + 1, "weight": weight.tolist(), "bias": bias.tolist()})
    return {"start": start.tolist(), "snapshots": snapshots}


if __name__ == "__main__":
    out = {"torch": torch.__version__, "f32": run(torch.float32), "f64": run(torch.float64)}
    pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(out, indent=1) + "\n")
