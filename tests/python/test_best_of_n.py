"""Best-of-n estimators of 100,000 answers against arithmetic of 60 digits: finite, and exact to rounding."""

import decimal
import fractions
import math

import pytest
import torch

import plaudit

TOTAL = 100_000
SIZES = [1, 2, 10, 1000, 50_000, 99_999, 100_000]
decimal.getcontext().prec = 60
D = decimal.Decimal


def weights(total, n):
    """C(i-1, n-1)/C(total, n) for ranks i = 1..total, ascending: w_total = n/total, w_i = w_{i+1} (i-n+1)/i."""
    law = [D(0)] * total
    law[-1] = D(n) / total
    for i in range(total - 1, n - 1, -1):
        law[i - 1] = law[i] * (i - n + 1) / i
    return law


def expected(law, values):
    return float(sum(w * D(v) for w, v in zip(law, values)))


def tied_means(scores, gold):
    """Scores ascending, and the mean gold of the answers with each one's score."""
    groups = {}
    for score, value in zip(scores, gold):
        groups.setdefault(score, []).append(D(value))
    ordered = sorted(groups)
    return ([s for s in ordered for _ in groups[s]],
            [m for s in ordered for m in [sum(groups[s]) / len(groups[s])] * len(groups[s])])


@pytest.fixture(scope="module")
def answers():
    """Scores with ties and gold of mixed signs, far from 0."""
    generator = torch.Generator().manual_seed(0)
    scores = (torch.randn(TOTAL, generator=generator, dtype=torch.float64) * 1000).round() / 1000
    return scores, 3 + torch.randn(TOTAL, generator=generator, dtype=torch.float64)


def test_the_reference_is_the_ratio_of_binomials():
    for n in (1, 7, 1000):
        law = weights(2000, n)
        for rank in (n, (n + 2000) // 2, 2000):
            exact = fractions.Fraction(math.comb(rank - 1, n - 1), math.comb(2000, n))
            assert law[rank - 1] == pytest.approx(D(exact.numerator) / D(exact.denominator), rel=D("1e-50"))


@pytest.mark.parametrize("n", SIZES)
def test_estimators_are_exact(answers, n):
    scores, gold = answers
    law = weights(TOTAL, n)
    sorted_scores, shared = tied_means(scores.tolist(), gold.tolist())
    best, value = expected(law, sorted_scores), expected(law, shared)
    assert plaudit.eval.best_of_n_reward(scores, n).item() == pytest.approx(best, rel=1e-13, abs=1e-13)
    assert plaudit.eval.best_of_n(scores[None], gold[None], n).item() == pytest.approx(value, rel=1e-13)
    curve = plaudit.eval.best_of_n_curve(scores, gold, [n])
    assert curve.proxy.item() == pytest.approx(best, rel=1e-13, abs=1e-13)
    assert curve.gold.item() == pytest.approx(value, rel=1e-13)
    kl = D(n).ln() - D(n - 1) / D(n)
    assert curve.kl.item() == pytest.approx(float(kl), rel=1e-13, abs=1e-15)
    assert plaudit.eval.best_of_n_kl(n) == curve.kl.item()


@pytest.mark.parametrize("wrong", [99_999, 99_990, 50_000, 10, 0])
@pytest.mark.parametrize("k", [1, 2, 1000, 99_999, 100_000])
def test_pass_at_k_is_exact(wrong, k):
    exact = 1 - fractions.Fraction(math.comb(wrong, k), math.comb(TOTAL, k)) if wrong >= k else 1
    assert plaudit.eval.pass_at_k(TOTAL, TOTAL - wrong, k) == pytest.approx(float(exact), rel=1e-12)


@pytest.mark.parametrize("n", [1, 16, TOTAL])
def test_the_law_of_best_of_n_is_exact(n):
    probs = torch.tensor([0.5, 1e-7, 0.25, 0.25 - 2e-7, 1e-7], dtype=torch.float64)
    rewards = torch.tensor([0.0, 3.0, 1.0, 1.0, 2.0], dtype=torch.float64)
    p, r = [D(x) for x in probs.tolist()], rewards.tolist()
    total = sum(p)
    law = []
    for mass, reward in zip(p, r):
        below = sum((q for q, other in zip(p, r) if other < reward), D(0)) / total
        group = sum(q for q, other in zip(p, r) if other == reward) / total
        law.append(((below + group) ** n - below**n) * mass / (group * total))
    kl = sum(q * (q / m).ln() for q, m in zip(law, p) if q > 0)
    got = plaudit.eval.best_of_n_distribution(probs, rewards, n)
    assert got.probs.tolist() == pytest.approx([float(q) for q in law], rel=1e-9, abs=1e-300)
    assert got.kl.item() == pytest.approx(float(kl), rel=1e-9, abs=1e-12)
    assert got.expected.item() == pytest.approx(float(sum(q * D(x) for q, x in zip(law, r))), rel=1e-9)


@pytest.mark.parametrize("rate", [1e-12, 1e-6, 0.3, 1 - 1e-9])
def test_pass_rates_of_best_of_n_are_exact(rate):
    p = D(rate)
    wrong = (1 - p) ** TOTAL
    beta = (1 - wrong).ln() - wrong.ln() - p.ln() + (1 - p).ln()
    got = plaudit.tabular.best_of_n_binary(rate, TOTAL)
    assert got.bon_pass_rate == pytest.approx(float(1 - wrong), rel=1e-13)
    assert got.inverse_beta == pytest.approx(float(beta), rel=1e-12)
