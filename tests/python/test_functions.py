"""The functions as Python sees them: values and gradients against TRL, torch.compile, devices, dtypes, errors."""

import inspect
import json
import pathlib

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorDeviceMismatchError, FakeTensorMode

import plaudit


def pair_logps(batch=6, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return [-20 * torch.rand(batch, generator=generator, dtype=dtype) for _ in range(4)]


# --- against TRL -----------------------------------------------------------------------------------------------------


def assert_same_gradients(model, ours, theirs):
    """Both scalar losses agree, and so do their gradients in every parameter, to 1e-4 of the largest."""
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-4)
    parameters = [p for p in model.parameters() if p.requires_grad]
    expected = torch.autograd.grad(theirs, parameters, allow_unused=True)
    actual = torch.autograd.grad(ours, parameters, allow_unused=True)
    largest = max(g.abs().max() for g in expected if g is not None)
    for a, e in zip(actual, expected):
        assert (a is None) == (e is None)
        if e is not None:
            torch.testing.assert_close(a, e, rtol=1e-4, atol=1e-4 * largest.item())


def completion_logps(model, batch):
    labels = batch["input_ids"].masked_fill(batch["completion_mask"] == 0, -100)
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], use_cache=False).logits
    result = plaudit.preference.sequence_logps(logits, labels)
    return result.logps.chunk(2), result.lengths.chunk(2)


TRL_LOSSES = {
    "sigmoid": lambda pair, lengths: plaudit.preference.dpo_loss(*pair, beta=0.2).loss,
    "hinge": lambda pair, lengths: plaudit.preference.hinge_loss(*pair, beta=0.2).loss,
    "ipo": lambda pair, lengths: plaudit.preference.ipo_loss(
        *pair, chosen_lengths=lengths[0], rejected_lengths=lengths[1], tau=0.2).loss,
    "robust": lambda pair, lengths: plaudit.preference.robust_dpo_loss(*pair, beta=0.2, label_smoothing=0.1).loss,
}


@pytest.mark.parametrize("loss_type", TRL_LOSSES)
def test_preference_losses_equal_trl(loss_type, tmp_path):
    trl = pytest.importorskip("trl")
    from transformers import LlamaForCausalLM

    import trl_batch

    model, reference = trl_batch.llama(LlamaForCausalLM, 1), trl_batch.llama(LlamaForCausalLM, 2)
    config = trl.DPOConfig(loss_type=[loss_type], beta=0.2, label_smoothing=0.1 if loss_type == "robust" else 0.0,
                           **trl_batch.arguments(tmp_path))
    trainer = trl.DPOTrainer(model=model, ref_model=reference, args=config, train_dataset=trl_batch.pairs(),
                             processing_class=trl_batch.tokenizer())
    batch = next(iter(trainer.get_train_dataloader()))
    theirs = trainer.compute_loss(model, dict(batch))

    (chosen, rejected), lengths = completion_logps(model, batch)
    with torch.no_grad():
        (ref_chosen, ref_rejected), _ = completion_logps(reference, batch)
    ours = TRL_LOSSES[loss_type]((chosen, rejected, ref_chosen, ref_rejected), lengths)
    assert_same_gradients(model, ours, theirs)


def test_bradley_terry_equals_trl(tmp_path):
    trl = pytest.importorskip("trl")
    from transformers import LlamaForSequenceClassification

    import trl_batch

    model = trl_batch.llama(LlamaForSequenceClassification, 1, num_labels=1)
    config = trl.RewardConfig(center_rewards_coefficient=0.05, **trl_batch.arguments(tmp_path))
    trainer = trl.RewardTrainer(model=model, args=config, train_dataset=trl_batch.pairs(),
                                processing_class=trl_batch.tokenizer())
    batch = next(iter(trainer.get_train_dataloader()))
    theirs = trainer.compute_loss(model, dict(batch))

    hidden = model.model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state
    rewards = plaudit.reward.score(hidden, batch["attention_mask"], model.score.weight[0])
    ours = plaudit.preference.bradley_terry_loss(*rewards.chunk(2), center_coef=0.05).loss
    assert_same_gradients(model, ours, theirs)


# --- one step of training ----------------------------------------------------------------------------------------------


class NextToken(torch.nn.Module):
    """A tiny model of the next token."""

    def __init__(self, vocabulary=12, dtype=torch.float32):
        super().__init__()
        generator = torch.Generator().manual_seed(3)
        self.table = torch.nn.Parameter(torch.randn(vocabulary, vocabulary, generator=generator).to(dtype))

    def forward(self, ids):
        return self.table[ids]


IDS = torch.randint(0, 12, (6, 5), generator=torch.Generator().manual_seed(5))
ANSWER = (torch.arange(5) >= 2).expand(6, 5)  # two tokens of prompt, three of answer


def answer_logps(model):
    """The log-probabilities of the answers: sums [6], lengths [6], tokens [6,4]."""
    return plaudit.preference.sequence_logps(model(IDS), IDS.masked_fill(~ANSWER, -100))


def dpo_step(model, reference):
    (w, l), (ref_w, ref_l) = answer_logps(model).logps.chunk(2), answer_logps(reference).logps.chunk(2)
    return plaudit.preference.dpo_loss(w, l, ref_w, ref_l, beta=0.5).loss


def simpo_step(model, reference):
    answers = answer_logps(model)
    return plaudit.preference.simpo_loss(*answers.logps.chunk(2), *answers.lengths.chunk(2)).loss


def grpo_step(model, reference):
    advantages = plaudit.advantage.group_relative(rewards=[1, 0, 0, 0, 2, 1], group=[0, 0, 0, 1, 1, 1])
    logps, mask = answer_logps(model).token_logps, ANSWER[:, 1:]
    with torch.no_grad():
        ref = answer_logps(reference).token_logps
    return plaudit.policy_gradient.grpo_loss(
        logps=logps, old_logps=logps.detach(), mask=mask, advantages=advantages, ref_logps=ref).loss


def sft_step(model, reference):
    return plaudit.policy_gradient.sft_loss(answer_logps(model).token_logps, ANSWER[:, 1:], weights=[1, 0, 1, 0, 2, 1]).loss


def superhf_step(model, reference):
    return plaudit.policy_gradient.superhf_loss(model(IDS)[:, :-1], reference(IDS)[:, :-1].detach(), IDS[:, 1:],
                                                ANSWER[:, 1:]).loss


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("step", [dpo_step, simpo_step, grpo_step, sft_step, superhf_step])
def test_trains_in_a_plain_loop(step, dtype):
    model, reference = NextToken(dtype=dtype), NextToken(dtype=dtype).requires_grad_(False)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    losses = []
    for _ in range(20):
        loss = step(model, reference)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert model.table.grad.dtype == dtype
    assert all(torch.isfinite(p).all() for p in model.parameters())
    assert not torch.equal(model.table, reference.table)
    if step is not grpo_step:  # its loss says nothing: the ratio is 1 at every step
        assert losses[-1] < losses[0]
    else:
        change = answer_logps(model).logps - answer_logps(reference).logps
        assert change[0] > change[1] and change[4] > change[3]


def test_is_the_loss_of_a_trl_trainer(tmp_path):
    trl = pytest.importorskip("trl")
    from transformers import LlamaForCausalLM

    import trl_batch

    class Trainer(trl.DPOTrainer):
        def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
            (w, l), lengths = completion_logps(model, inputs)
            loss = plaudit.preference.simpo_loss(w, l, *lengths).loss
            return (loss, {}) if return_outputs else loss

    model = trl_batch.llama(LlamaForCausalLM, 1)
    before = [p.detach().clone() for p in model.parameters()]
    config = trl.DPOConfig(max_steps=4, learning_rate=1e-2, **trl_batch.arguments(tmp_path))
    trainer = Trainer(model=model, ref_model=trl_batch.llama(LlamaForCausalLM, 2), args=config,
                      train_dataset=trl_batch.pairs(), processing_class=trl_batch.tokenizer())
    batch = next(iter(trainer.get_train_dataloader()))
    first = trainer.compute_loss(model, dict(batch)).item()
    trainer.train()
    assert any(not torch.equal(p, b) for p, b in zip(model.parameters(), before))
    assert trainer.compute_loss(model, dict(batch)).item() < first


# --- torch.compile ---------------------------------------------------------------------------------------------------


def mask_of(rows, columns):
    return (torch.arange(columns) < torch.arange(1, rows + 1).unsqueeze(1).clamp_max(columns)).long()


COMPILED = {
    "dpo_loss": lambda n: (plaudit.preference.dpo_loss, pair_logps(n)),
    "bradley_terry_loss": lambda n: (plaudit.preference.bradley_terry_loss, pair_logps(n)[:2]),
    "simcse_loss": lambda n: (plaudit.contrastive.simcse_loss,
                              [torch.randn(n, 8, dtype=torch.float64), torch.randn(n, 8, dtype=torch.float64)]),
    "score": lambda n: (lambda hidden, weight: plaudit.reward.score(hidden, mask_of(n, 5), weight, pooling="mean"),
                        [torch.randn(n, 5, 8, dtype=torch.float64), torch.randn(8, dtype=torch.float64)]),
    "token_logps": lambda n: (lambda hidden, weight: plaudit.decode.token_logps(
        hidden, weight, torch.arange(n * 5).view(n, 5) % 7, mask_of(n, 5), temperature=0.7, softcap=3.0, chunk=4),
        [torch.randn(n, 5, 8, dtype=torch.float64), torch.randn(7, 8, dtype=torch.float64)]),
    "sequence_kl": lambda n: (lambda a, b: plaudit.eval.sequence_kl(a, b, mask_of(n, 5), estimator="k3"),
                              [torch.randn(n, 5, dtype=torch.float64), torch.randn(n, 5, dtype=torch.float64)]),
}


@pytest.mark.parametrize("name", COMPILED)
def test_compiles_to_one_graph(name):
    function, tensors = COMPILED[name](6)

    def loss(*args):
        out = function(*args)
        return (out if isinstance(out, torch.Tensor) else out[0]).sum()

    results = []
    for run in (loss, torch.compile(loss, fullgraph=True, backend="aot_eager")):
        leaves = [t.clone().requires_grad_() for t in tensors]
        value = run(*leaves)
        results.append((value, torch.autograd.grad(value, leaves)))
    torch.testing.assert_close(results[1], results[0])


def test_compiled_loss_takes_any_batch_size():
    compiled = torch.compile(lambda *x: plaudit.preference.dpo_loss(*x).loss, fullgraph=True, backend="aot_eager")
    for batch in (2, 3, 5, 9):
        logps = pair_logps(batch)
        torch.testing.assert_close(compiled(*logps), plaudit.preference.dpo_loss(*logps).loss)


def test_compiled_loss_takes_any_number():
    compiled = torch.compile(lambda beta, *x: plaudit.preference.dpo_loss(*x, beta=beta).loss, fullgraph=True,
                             backend="aot_eager")
    for beta in (0.1, 0.2, 0.5, 1):
        logps = pair_logps(3)
        torch.testing.assert_close(compiled(beta, *logps), plaudit.preference.dpo_loss(*logps, beta=beta).loss)


def test_compiles_with_inductor():
    logps = [t.requires_grad_() for t in pair_logps(8, dtype=torch.float32)]
    compiled = torch.compile(lambda *x: plaudit.preference.dpo_loss(*x).loss, fullgraph=True)
    torch.testing.assert_close(compiled(*logps), plaudit.preference.dpo_loss(*logps).loss)
    compiled(*logps).backward()
    assert all(torch.isfinite(t.grad).all() for t in logps[:2])


# --- dtypes, devices, arguments --------------------------------------------------------------------------------------


def test_half_precision_is_computed_in_single():
    logps = [t.bfloat16().requires_grad_() for t in pair_logps()]
    result = plaudit.preference.dpo_loss(*logps)
    assert result.loss.dtype == torch.float32
    assert torch.equal(result.losses, plaudit.preference.dpo_loss(*[t.float() for t in logps]).losses)
    result.loss.backward()
    assert logps[0].grad.dtype == torch.bfloat16


MIXED = {
    "simcse_loss": lambda t: plaudit.contrastive.simcse_loss(t[0].view(2, 3), t[1].view(2, 3)),
    "swav_loss": lambda t: plaudit.contrastive.swav_loss(*[x.view(2, 3) for x in t[:3]]),
    "metarm_linear_step": lambda t: plaudit.bilevel.metarm_linear_step(t[0][:3], t[1].view(2, 3), t[2].view(2, 3),
                                                                       t[3].view(1, 2, 3)),
    "neumann_inverse_product": lambda t: plaudit.bilevel.neumann_inverse_product(t[0][:4].view(2, 2), t[1][:2], 0.1, 3),
    "implicit_gradient": lambda t: plaudit.bilevel.implicit_gradient(t[0][:2], t[1][:4].view(2, 2), t[2].view(2, 3)),
    "expected_win_rate": lambda t: plaudit.eval.expected_win_rate(t[0][:1] * 0 + 1, t[1][:1] * 0 + 1, t[2][:1, None] * 0 + 0.5),
    "nash_gap": lambda t: plaudit.eval.nash_gap(t[0][:1, None] * 0 + 0.5, t[1][:1] * 0 + 1),
    "revision_distribution": lambda t: plaudit.decode.revision_distribution(t[0][:1] * 0 + 1, t[1][:1, None] * 0 + 1),
    "gru_cell": lambda t: plaudit.policy_gradient.gru_cell(t[0][:1, None], t[1][:1, None], t[2][:3, None], t[3][:3, None],
                                                           t[0][3:], t[1][3:]),
    "temporal_recall_linear": lambda t: plaudit.policy_gradient.temporal_recall_linear(
        t[0][:1, None], t[1][:3].view(1, 3, 1), t[2][:1, None], t[3][:1, None]),
    "combine_steps": lambda t: plaudit.reward.combine_steps(t[0].view(2, 3), t[1][:3] * 0 - 1, t[2][:3] * 0 + 1, t[3][:3]),
}


@pytest.mark.parametrize("low", [0, 1, 2, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", MIXED)
def test_arguments_of_several_types_meet_in_the_widest(name, dtype, low):
    generator = torch.Generator().manual_seed(1)
    tensors = [torch.randn(6, generator=generator).bfloat16().double() for _ in range(4)]
    expected = MIXED[name](tensors)
    leaves = [t.clone().to(dtype if i == low else t.dtype).requires_grad_() for i, t in enumerate(tensors)]
    actual = MIXED[name](leaves)
    for a, e in zip(*[[r] if isinstance(r, torch.Tensor) else r for r in (actual, expected)]):
        torch.testing.assert_close(a.double(), e.double(), rtol=0.02, atol=0.02)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_cuda_equals_cpu():
    logps = pair_logps()
    on_gpu = plaudit.preference.dpo_loss(*[t.cuda() for t in logps])
    assert on_gpu.loss.is_cuda
    torch.testing.assert_close(on_gpu.losses.cpu(), plaudit.preference.dpo_loss(*logps).losses)


CASES = pathlib.Path(__file__).resolve().parents[3] / "shared" / "cases"


def fake_gpu_arguments(operator, arguments):
    """Tensors of the same shapes and types on a GPU that is not there."""
    types = {a.name: str(a.type) for a in operator._schema.arguments}

    def on_gpu(value):
        as_number = lambda v: float(v) if isinstance(v, str) else v
        walk = lambda v: [walk(x) for x in v] if isinstance(v, list) else as_number(v)
        real = torch.tensor(walk(value))
        dtype = torch.float64 if real.is_floating_point() else real.dtype
        return torch.empty(real.shape, dtype=dtype, device="cuda")

    return {k: on_gpu(v) if "Tensor" in types.get(k, "") and v is not None else v for k, v in arguments.items()}


@pytest.mark.skipif(not CASES.exists(), reason="needs ../shared/cases")
def test_tensors_of_a_gpu_meet_no_tensor_of_the_processor():
    """A fake GPU has no values, so functions that read them (exact solvers, on the processor) end there; the others must run."""
    ran, mixed = set(), {}
    for path in sorted(CASES.glob("*.json")):
        for case in json.loads(path.read_text())["cases"]:
            area, name = case["function"].split(".", 1)
            function = getattr(getattr(plaudit, area, None), name, None)
            if "error" in case or function is None or case["function"] in ran:
                continue
            operator = getattr(getattr(torch.ops, "plaudit_" + area), name).default
            try:
                with FakeTensorMode(allow_non_fake_inputs=True):
                    function(**fake_gpu_arguments(operator, {**case.get("inputs", {}), **case.get("params", {})}))
                ran.add(case["function"])
            except FakeTensorDeviceMismatchError as error:
                mixed[case["function"]] = str(error)
            except (RuntimeError, AssertionError, TypeError):
                pass
    assert not mixed
    assert len(ran) >= 280


def test_lists_and_numbers_stand_for_tensors():
    result = plaudit.preference.kto_loss([-3.0, -5.0], [-4.0, -4.0], desirable=[True, False], kl=0.1)
    tensors = plaudit.preference.kto_loss(torch.tensor([-3.0, -5.0]), torch.tensor([-4.0, -4.0]),
                                          torch.tensor([True, False]), torch.tensor(0.1))
    assert result.loss.dtype == torch.float64
    assert result.loss.item() == pytest.approx(tensors.loss.item(), rel=1e-6)
    assert plaudit.reward.last_token_index([[1, 1, 0]]).tolist() == [1]


def test_results_are_named_and_single_results_are_bare():
    moments = plaudit.reward.running_moments([1.0, 2.0, 4.0], mean=0.0, var=1.0, count=0)
    assert moments._fields == ("mean", "var", "std", "count")
    assert moments.count == 3
    assert isinstance(plaudit.filter.flip_weakest([1.0, 2.0]), torch.Tensor)


def test_signature_and_documentation_come_from_the_library():
    signature = inspect.signature(plaudit.preference.dpo_loss)
    assert list(signature.parameters)[:2] == ["chosen_logps", "rejected_logps"]
    assert signature.parameters["beta"].default == 0.1
    assert "Systems: 48" in plaudit.preference.dpo_loss.__doc__
    assert all(f.doc and f.systems for f in plaudit.functions())
    from plaudit.preference import dpo_loss

    assert dpo_loss is plaudit.preference.dpo_loss


@pytest.mark.parametrize("change, message", [
    ({"beta": 0.0}, r"^preference\.dpo_loss: beta must be > 0, got 0$"),
    ({"chosen_logps": torch.zeros(3)}, r"^preference\.dpo_loss: rejected_logps has shape \[2\], expected \[3\]"),
    ({"rejected_logps": [float("nan"), 0.0]}, r"^preference\.dpo_loss: rejected_logps holds NaN or infinity$"),
])
def test_bad_values_raise_value_error(change, message):
    arguments = dict(chosen_logps=torch.zeros(2), rejected_logps=torch.zeros(2), ref_chosen_logps=torch.zeros(2),
                     ref_rejected_logps=torch.zeros(2))
    with pytest.raises(ValueError, match=message):
        plaudit.preference.dpo_loss(**{**arguments, **change})


@pytest.mark.parametrize("kind, call, argument", [
    ("shape", lambda: plaudit.policy_gradient.sft_loss(torch.zeros(2, 3), torch.ones(2, 2)), "mask"),
    ("value", lambda: plaudit.advantage.gae([[1.0]], [[0.0]], [[1]], gamma=2.0), "gamma"),
    ("value", lambda: plaudit.eval.sequence_kl([[0.0]], [[0.0]], [[1]], estimator="k4"), "estimator"),
    ("empty", lambda: plaudit.preference.treg_loss(*[torch.zeros(1, 2)] * 8), "mask"),
    ("nan", lambda: plaudit.filter.best_of_k([[float("nan"), 1.0]]), "rewards"),
    ("type", lambda: plaudit.decode.value_augmented_logits([[0.0, 1.0]], [[0.5]], [[1.0]]), "candidate_ids"),
    ("type", lambda: plaudit.verify.score_request("/classify", {"input": 5}), "input"),
])
def test_every_kind_of_error_is_a_value_error(kind, call, argument):
    with pytest.raises(ValueError, match=argument):
        call()


def dpo_with_beta(beta):
    return plaudit.preference.dpo_loss(*pair_logps(), beta=beta)


@pytest.mark.parametrize("call, message", [
    (lambda: plaudit.reward.norm([[1.0, 2.0], [3.0]]), r"reward\.norm: reward is ragged"),
    (lambda: plaudit.reward.norm([torch.zeros(2), torch.zeros(3)]), r"reward\.norm: reward is a list .* equal size"),
    (lambda: plaudit.reward.norm([torch.zeros(2), None]), r"reward\.norm: reward is a list that makes no tensor"),
    (lambda: plaudit.reward.norm("x"), r"reward\.norm: reward must hold numbers .*, got 'x'"),
    (lambda: plaudit.reward.norm({"a": 1}), r"reward\.norm: reward must hold numbers .*, got {'a': 1}"),
    (lambda: plaudit.reward.norm([1.0, None]), r"reward\.norm: reward must hold numbers .*, got \[1.0, None\]"),
    (lambda: plaudit.reward.norm(2**70), r"reward\.norm: reward must hold numbers of at most 64 bits, got 118"),
    (lambda: plaudit.verify.score_request("/classify", {1}), r"verify\.score_request: body has no JSON form: .* set"),
    (lambda: plaudit.verify.score_request("/classify", None), r"verify\.score_request: body must be a str, got None"),
    (lambda: plaudit.eval.best_of_n([1.0], [1.0], n=2.5), r"eval\.best_of_n: n must be a int, got 2\.5"),
    (lambda: plaudit.eval.best_of_n_curve([1.0], [1.0], ns=[1.5]), r"eval\.best_of_n_curve: ns must be a List\[int\], got"),
    (lambda: dpo_with_beta("x"), r"preference\.dpo_loss: beta must be a float, got 'x'"),
    (lambda: dpo_with_beta([0.1, 0.2]), r"preference\.dpo_loss: beta must be a float, got \[0\.1, 0\.2\]"),
    (lambda: dpo_with_beta(float("nan")), r"preference\.dpo_loss: beta must be a number, got nan"),
    (lambda: dpo_with_beta("nan"), r"preference\.dpo_loss: beta must be a number, got nan"),
    (lambda: dpo_with_beta(torch.tensor(float("nan"))), r"preference\.dpo_loss: beta must be a number, got nan"),
    (lambda: plaudit.policy_gradient.ppo_value_loss([1.0], [1.0], [1.0], [1.0], clip=float("nan")),
     r"policy_gradient\.ppo_value_loss: clip must be a number, got nan"),
])
def test_what_does_not_fit_is_named(call, message):
    with pytest.raises(ValueError, match="^" + message):
        call()


def test_infinity_may_be_text():
    assert plaudit.reward.norm([1.0, -3.0], order="inf").item() == 3
    assert plaudit.reward.sampled_distance([1.0, 2.0], [1.0, 2.0], order="inf").item() == 0
    world = [[[1.0]]], [[[1.0]]], [[[2.0]]], 0.9  # one state, one action
    assert plaudit.reward.starc_distance(*world, norm_order="inf").equal(
        plaudit.reward.starc_distance(*world, norm_order=float("inf")))


def test_text_stays_text_and_objects_come_back_as_objects():
    assert plaudit.verify.extract_answer("<answer>[1, 2]</answer>") == "[1, 2]"
    assert plaudit.verify.request_key({"b": 1.0, "a": 2}).canonical == '{"a":2,"b":1}'
    assert plaudit.verify.gsm8k("[]", "1").extracted == "[]"
    assert plaudit.verify.score_request("/classify", {"input": "x"}) == [{"text": "x"}]
    assert plaudit.verify.score_response("/reward", [2.5]) == 2.5


def test_an_argument_named_like_a_keyword_takes_an_underscore():
    mean, std = [[1.0, 2.0]], [[0.1, 0.2]]
    named = plaudit.reward.robust(mean, std, lambda_=0.25)
    assert named.reward.equal(plaudit.reward.robust(mean, std, **{"lambda": 0.25}).reward)
    assert named.reward.equal(plaudit.reward.robust(mean, std, 0.25).reward)
    assert "lambda_" in inspect.signature(plaudit.reward.robust).parameters
    with pytest.raises(TypeError, match="two values"):
        plaudit.reward.robust(mean, std, 0.25, lambda_=0.25)


def test_bad_calls_raise_type_error():
    with pytest.raises(TypeError, match="has no argument 'beat'"):
        plaudit.preference.dpo_loss(*pair_logps(), beat=0.1)
    with pytest.raises(TypeError, match="needs the argument 'ref_chosen_logps'"):
        plaudit.preference.dpo_loss([0.0], [0.0])
    with pytest.raises(TypeError, match="two values"):
        plaudit.preference.dpo_loss(*pair_logps(), chosen_logps=[0.0])


# --- against POT -----------------------------------------------------------------------------------------------------


def unit_distances(points):
    distances = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")
    return distances / distances.max()


@pytest.mark.parametrize("size, seed", [(100, 5), (200, 0)])
def test_gromov_wasserstein_equals_pot_to_the_end(size, seed):
    """With rounds enough to meet the marginals, after 50 linearisations; short of them, both plans miss the marginals by
    up to 1e-4, and objectives cannot be compared beyond that."""
    ot = pytest.importorskip("ot")
    torch.manual_seed(seed)
    source = unit_distances(torch.randn(size, 3, dtype=torch.float64))
    target = unit_distances(torch.randn(size, 3, dtype=torch.float64) * torch.tensor([1.0, 2.0, 0.5]))
    theirs = ot.gromov.entropic_gromov_wasserstein(source.numpy(), target.numpy(), None, None, "square_loss",
                                                   epsilon=5e-3, symmetric=True, max_iter=50, numItermax=100_000,
                                                   stopThr=1e-13)
    expected = plaudit.transport.gromov_wasserstein_cost(source, target, torch.from_numpy(theirs)).item()
    for warm_start in (False, True):
        ours = plaudit.transport.entropic_gromov_wasserstein(source, target, iters=20_000, warm_start=warm_start)
        assert ours.cost.item() <= expected * (1 + 1e-10)
        torch.testing.assert_close(ours.plan, torch.from_numpy(theirs), rtol=0, atol=1e-9)
