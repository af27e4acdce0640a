"""Updates per second of control learners, for `plaudit bench control`.

    control_updates.py LEARNER THREADS SECONDS OUT.json

LEARNER is iql or sac. iql: the equations of IQL in plain PyTorch, as single-file implementations write them (three networks of
256x256, batches of 256 of a logged set with the widths of HalfCheetah, cosine decay of the policy's rate). sac: the SAC of
Stable-Baselines3 with its default networks on a full replay buffer of the same widths. OUT.json:
{"rate": updates/s, "peak_mib", "version"}.
"""

import copy
import json
import resource
import sys
import time

import numpy
import torch
from torch import nn
from torch.nn import functional

OBSERVATIONS, ACTIONS, BATCH, ROWS = 17, 6, 256, 100_000


def mlp(inputs, outputs, *last):
    return nn.Sequential(nn.Linear(inputs, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, outputs), *last)


class Iql:
    """V, twin Q and a deterministic policy; Kostrikov et al., 2021, arXiv 2110.06169."""

    def __init__(self, steps, gamma=0.99, tau=0.005, expectile=0.7, beta=3.0):
        self.gamma, self.tau, self.expectile, self.beta = gamma, tau, expectile, beta
        self.value = mlp(OBSERVATIONS, 1)
        self.critics = nn.ModuleList([mlp(OBSERVATIONS + ACTIONS, 1) for _ in range(2)])
        self.targets = copy.deepcopy(self.critics).requires_grad_(False)
        self.policy = mlp(OBSERVATIONS, ACTIONS, nn.Tanh())
        adam = lambda module: torch.optim.Adam(module.parameters(), lr=3e-4)
        self.value_adam, self.critic_adam, self.policy_adam = adam(self.value), adam(self.critics), adam(self.policy)
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self.policy_adam, steps)

    def update(self, observations, actions, rewards, next_observations, terminals):
        with torch.no_grad():
            next_v = self.value(next_observations).squeeze(1)
            pair = torch.cat([observations, actions], 1)
            target_q = torch.min(*(critic(pair).squeeze(1) for critic in self.targets))
        losses = {}
        advantage = target_q - self.value(observations).squeeze(1)
        loss = (torch.abs(self.expectile - (advantage < 0).float()) * advantage**2).mean()
        losses["value"] = self.step(self.value_adam, loss)

        targets = rewards + (1 - terminals) * self.gamma * next_v
        pair = torch.cat([observations, actions], 1)
        loss = sum(functional.mse_loss(critic(pair).squeeze(1), targets) for critic in self.critics) / 2
        losses["critic"] = self.step(self.critic_adam, loss)
        for target, source in zip(self.targets.parameters(), self.critics.parameters()):
            target.data.copy_((1 - self.tau) * target.data + self.tau * source.data)

        weights = torch.exp(self.beta * advantage.detach()).clamp(max=100.0)
        loss = (weights * ((self.policy(observations) - actions) ** 2).sum(1)).mean()
        losses["policy"] = self.step(self.policy_adam, loss)
        self.schedule.step()
        return losses

    @staticmethod
    def step(optimizer, loss):
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()


def logged():
    rng = numpy.random.default_rng(0)
    column = lambda *sizes: rng.normal(size=(ROWS, *sizes)).astype(numpy.float32)
    terminals = (rng.uniform(size=ROWS) < 0.01).astype(numpy.float32)
    return column(OBSERVATIONS), numpy.tanh(column(ACTIONS)), column(), column(OBSERVATIONS), terminals


def iql_update():
    columns = [torch.from_numpy(column) for column in logged()]
    learner = Iql(steps=1_000_000)

    def update(count):
        for _ in range(count):
            rows = numpy.random.randint(0, ROWS, size=BATCH)
            learner.update(*(column[rows] for column in columns))

    return update, f"torch {torch.__version__}"


def sac_update():
    import gymnasium
    import stable_baselines3

    model = stable_baselines3.SAC("MlpPolicy", gymnasium.make("HalfCheetah-v5"), buffer_size=ROWS, device="cpu", batch_size=BATCH)
    model._setup_learn(1)
    observations, actions, rewards, next_observations, terminals = logged()
    buffer = model.replay_buffer
    buffer.observations[:, 0] = observations
    buffer.next_observations[:, 0] = next_observations
    buffer.actions[:, 0] = actions
    buffer.rewards[:, 0] = rewards
    buffer.dones[:, 0] = terminals
    buffer.full, buffer.pos = True, 0
    return lambda count: model.train(gradient_steps=count, batch_size=BATCH), f"stable-baselines3 {stable_baselines3.__version__}"


def main(learner, threads, seconds, out):
    torch.set_num_threads(int(threads))
    update, version = {"iql": iql_update, "sac": sac_update}[learner]()
    update(20)
    count, begin = 0, time.perf_counter()
    while (taken := time.perf_counter() - begin) < float(seconds):
        update(20)
        count += 20
    result = {"rate": count / taken, "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "version": version}
    with open(out, "w") as file:
        json.dump(result, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
