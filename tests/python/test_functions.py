"""The functions as Python sees them: values and gradients against TRL, torch.compile, devices, dtypes, errors."""

import inspect

import pytest
import torch

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


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_cuda_equals_cpu():
    logps = pair_logps()
    on_gpu = plaudit.preference.dpo_loss(*[t.cuda() for t in logps])
    assert on_gpu.loss.is_cuda
    torch.testing.assert_close(on_gpu.losses.cpu(), plaudit.preference.dpo_loss(*logps).losses)


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


def test_bad_calls_raise_type_error():
    with pytest.raises(TypeError, match="has no argument 'beat'"):
        plaudit.preference.dpo_loss(*pair_logps(), beat=0.1)
    with pytest.raises(TypeError, match="needs the argument 'ref_chosen_logps'"):
        plaudit.preference.dpo_loss([0.0], [0.0])
    with pytest.raises(TypeError, match="two values"):
        plaudit.preference.dpo_loss(*pair_logps(), chosen_logps=[0.0])
