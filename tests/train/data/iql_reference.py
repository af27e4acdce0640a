"""Writes iql-updates.safetensors: 20 updates of IQL and of robust IQL in plain PyTorch, from the equations of the papers.

Kostrikov et al., 2021, arXiv 2110.06169; Yang et al., 2024, arXiv 2310.12955. Per variant: the first weights of all networks, and
the losses of every update (value, critic, policy); shared: 20 batches. The order within an update is V(s') and advantages, V,
critics, target critics, policy.

    python tests/train/data/iql_reference.py
"""

import copy
import math
import pathlib

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

STEPS, ROWS, S, A, H = 20, 32, 3, 2, 16
GAMMA, TAU, EXPECTILE, BETA, RATE, SCHEDULE = 0.97, 0.01, 0.7, 3.0, 1e-3, 40


def mlp(inputs, outputs, *last):
    return nn.Sequential(nn.Linear(inputs, H), nn.ReLU(), nn.Linear(H, H), nn.ReLU(), nn.Linear(H, outputs), *last)


def huber(d, sigma):
    return torch.where(d.abs() < 1 / sigma**2, sigma**2 * d**2 / 2, d.abs() - 1 / (2 * sigma**2))


class Iql:
    def __init__(self, critics, policy, robust):
        self.robust, self.gaussian = robust, policy == "gaussian"
        self.value = mlp(S, 1)
        self.critics = nn.ModuleList([mlp(S + A, 1) for _ in range(critics)])
        self.targets = copy.deepcopy(self.critics).requires_grad_(False)
        self.policy = nn.ModuleDict({"net": mlp(S, A, nn.Tanh())})
        if self.gaussian:
            self.policy.log_std = nn.Parameter(torch.zeros(A))
        self.adams = {name: torch.optim.Adam(getattr(self, name).parameters(), lr=RATE) for name in ("value", "critics", "policy")}
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self.adams["policy"], SCHEDULE)

    def weights(self):
        nets = {"value": self.value, "policy": self.policy["net"]} | {f"critic{j}": net for j, net in enumerate(self.critics)}
        return {f"{name}.{key}": tensor.detach().clone() for name, net in nets.items() for key, tensor in net.state_dict().items()}

    def step(self, name, loss):
        self.adams[name].zero_grad()
        loss.backward()
        self.adams[name].step()
        return loss.item()

    def update(self, s, a, r, s2, terminal):
        pair = torch.cat([s, a], 1)
        with torch.no_grad():
            next_v = self.value(s2).squeeze(1)
            q = torch.stack([net(pair).squeeze(1) for net in self.targets])
            q = torch.quantile(q, 0.25, dim=0) if self.robust else q.min(0).values
        advantage = q - self.value(s).squeeze(1)
        below = (advantage.detach() < 0).float()
        value = self.step("value", ((EXPECTILE - below).abs() * advantage**2).mean())

        target = r + GAMMA * (1 - terminal) * next_v
        online = torch.stack([net(pair).squeeze(1) for net in self.critics])
        if self.robust:
            critic = self.step("critics", huber(online - target.clamp(-2, 2), 3.0).mean())
        else:
            critic = self.step("critics", sum(functional.mse_loss(row, target) for row in online) / len(online))
        for old, new in zip(self.targets.parameters(), self.critics.parameters()):
            old.data.copy_((1 - TAU) * old.data + TAU * new.data)

        weight = torch.exp((BETA * advantage.detach()).clamp(max=math.log(100.0)))
        mean = self.policy["net"](s)
        if self.gaussian:
            law = torch.distributions.Normal(mean, self.policy.log_std.clamp(-20, 2).exp())
            bc = -law.log_prob(a).sum(1)
        else:
            bc = ((mean - a) ** 2).sum(1)
        policy = self.step("policy", (weight * bc).mean())
        self.schedule.step()
        return [value, critic, policy]


def main():
    torch.manual_seed(0)
    batches = {
        "observations": torch.randn(STEPS, ROWS, S),
        "actions": torch.randn(STEPS, ROWS, A).tanh(),
        "rewards": 3 * torch.randn(STEPS, ROWS),
        "next_observations": torch.randn(STEPS, ROWS, S),
        "terminals": (torch.rand(STEPS, ROWS) < 0.1).float(),
    }
    out = dict(batches)
    for variant, settings in {
        "deterministic": (2, "deterministic", False),
        "gaussian": (2, "gaussian", False),
        "robust": (5, "deterministic", True),
    }.items():
        learner = Iql(*settings)
        out |= {f"{variant}/{name}": tensor for name, tensor in learner.weights().items()}
        losses = [learner.update(*(column[i] for column in batches.values())) for i in range(STEPS)]
        out[f"{variant}/losses"] = torch.tensor(losses, dtype=torch.float64)
        print(variant, losses[0], losses[-1])
    save_file(out, str(pathlib.Path(__file__).with_name("iql-updates.safetensors")))


if __name__ == "__main__":
    main()
