"""Functions of bfloat16 tensors are computed in single precision: values and gradients are those of the inputs as f32."""

import pytest
import torch

import plaudit

BATCH, STEPS, WORDS, HIDDEN = 6, 9, 40, 16


def draw(*sizes, low=-2.0, high=2.0):
    return low + (high - low) * torch.rand(*sizes, generator=draw.generator)


def lengths():
    return torch.randint(1, 10, (BATCH,), generator=draw.generator)


def mask():
    return (torch.arange(STEPS) < torch.randint(1, STEPS + 1, (BATCH, 1), generator=draw.generator)).long()


def steps(count, **bounds):
    return [draw(BATCH, STEPS, **bounds) for _ in range(count)]


def logps(count, *sizes):
    return [draw(*(sizes or (BATCH,)), low=-20, high=0) for _ in range(count)]


# name -> a function that draws (floating arguments, other arguments) and how they are called
CASES = {
    "dpo_loss": lambda: (plaudit.preference.dpo_loss, logps(4), []),
    "ipo_loss": lambda: (
        lambda *x: plaudit.preference.ipo_loss(*x[:4], chosen_lengths=x[4], rejected_lengths=x[5]), logps(4),
        [lengths(), lengths()]),
    "simpo_loss": lambda: (plaudit.preference.simpo_loss, logps(2), [lengths(), lengths()]),
    "kto_loss": lambda: (plaudit.preference.kto_loss, logps(2),
                         [torch.tensor([1, 0, 1, 1, 0, 0]), torch.tensor(0.1)]),
    "bradley_terry_loss": lambda: (plaudit.preference.bradley_terry_loss, [draw(BATCH), draw(BATCH)], []),
    "gae": lambda: (plaudit.advantage.gae, steps(2), [mask()]),
    "td_lambda_returns": lambda: (plaudit.advantage.td_lambda_returns, steps(2), [mask()]),
    "returns_to_go": lambda: (plaudit.advantage.returns_to_go, steps(1), [mask()]),
    "masked_whiten": lambda: (plaudit.advantage.masked_whiten, steps(1), [mask()]),
    "group_relative": lambda: (plaudit.advantage.group_relative, [draw(BATCH)], [torch.tensor([0, 0, 0, 1, 1, 1])]),
    "ppo_clip_loss": lambda: (plaudit.policy_gradient.ppo_clip_loss, steps(3, low=-1, high=0), [mask()]),
    "ppo_value_loss": lambda: (plaudit.policy_gradient.ppo_value_loss, steps(3), [mask()]),
    "grpo_loss": lambda: (plaudit.policy_gradient.grpo_loss, [*steps(3, low=-1, high=0), draw(BATCH)], [mask()]),
    "sft_loss": lambda: (plaudit.policy_gradient.sft_loss, steps(1, low=-5, high=0), [mask()]),
    "sequence_logps": lambda: (plaudit.preference.sequence_logps, [draw(BATCH, STEPS, WORDS)],
                               [torch.randint(WORDS, (BATCH, STEPS), generator=draw.generator)]),
}


def results(function, floating, others):
    out = function(*floating, *others)
    out = out.values() if isinstance(out, dict) else out if isinstance(out, tuple) else [out]
    return [t for t in out if isinstance(t, torch.Tensor)]


@pytest.mark.parametrize("name", CASES)
def test_bfloat16_equals_the_same_numbers_in_single(name):
    draw.generator = torch.Generator().manual_seed(3)
    for _ in range(5):
        function, floating, others = CASES[name]()
        half = [t.bfloat16().requires_grad_() for t in floating]
        single = [t.detach().float().requires_grad_() for t in half]
        ours, expected = results(function, half, others), results(function, single, others)
        assert len(ours) == len(expected) > 0
        for a, e in zip(ours, expected):
            if a.is_floating_point():
                assert a.dtype == torch.float32
            torch.testing.assert_close(a.float(), e.float(), rtol=2e-6, atol=1e-6)
        loss, same = ours[0].sum(), expected[0].sum()
        if not same.requires_grad:
            continue
        gradients = torch.autograd.grad(loss, half, allow_unused=True)
        for a, e in zip(gradients, torch.autograd.grad(same, single, allow_unused=True)):
            assert (a is None) == (e is None)
            if e is not None:  # rounded once, at the end
                assert a.dtype == torch.bfloat16
                torch.testing.assert_close(a.float(), e, rtol=2**-8, atol=1e-5)


def test_token_logps_of_bfloat16_weights():
    """The head multiplies bfloat16 numbers as they are and sums in single precision."""
    draw.generator = torch.Generator().manual_seed(4)
    hidden, weight = draw(3, 4, HIDDEN).bfloat16(), draw(WORDS, HIDDEN).bfloat16()
    targets = torch.randint(WORDS, (3, 4), generator=draw.generator)
    ours = plaudit.decode.token_logps(hidden, weight, targets, torch.ones(3, 4))
    expected = plaudit.decode.token_logps(hidden.float(), weight.float(), targets, torch.ones(3, 4))
    torch.testing.assert_close(ours.logps.float(), expected.logps, rtol=2**-8, atol=1e-3)
    torch.testing.assert_close(ours.entropy.float(), expected.entropy, rtol=2**-7, atol=2e-3)
