"""The program from outside: help, exit codes, messages and JSON files."""

import json


def test_version(plaudit_cli):
    assert plaudit_cli("--version", check=0).stdout.startswith("plaudit 0.")


def test_help_fits_a_screen(plaudit_cli):
    text = plaudit_cli("--help", check=0).stdout
    assert len(text.splitlines()) <= 40
    assert max(map(len, text.splitlines())) <= 120


def test_every_command_shows_an_example(plaudit_cli):
    commands = [
        line.split()[0]
        for line in plaudit_cli("--help").stdout.split("Subcommands:")[1].splitlines()
        if line.startswith("  ") and not line.startswith("   ")
    ]
    assert len(commands) >= 3
    for command in commands:
        assert "Example" in plaudit_cli(command, "--help", check=0).stdout, command


def test_call_answers_in_json(call):
    result = call("preference.bradley_terry_loss", chosen_rewards=[1.0, 0.0], rejected_rewards=[0.0, 0.0])
    assert abs(result["losses"][1] - 0.6931471805599453) < 1e-12
    assert result["accuracy"] == 0.5


def test_the_users_mistakes_exit_with_2_and_name_the_nearest_choice(plaudit_cli):
    result = plaudit_cli("call", "preference.dpo_los", stdin="{}", check=2)
    assert "did you mean 'preference.dpo_loss'?" in result.stderr
    result = plaudit_cli("call", "eval.best_of_n_kl", stdin='{"m": 3}', check=2)
    assert "eval.best_of_n_kl: has no argument 'm'" in result.stderr
    result = plaudit_cli("call", "eval.best_of_n_kl", stdin='{"n": 0}', check=2)
    assert result.stderr.strip() == "plaudit: eval.best_of_n_kl: n must be >= 1, got 0"
    assert "not JSON" in plaudit_cli("call", "eval.best_of_n_kl", stdin="{", check=2).stderr
    assert "cal: is no command of plaudit, did you mean 'call'?" in plaudit_cli("cal", check=2).stderr
    assert "did you mean 'preference.dpo_loss'?" in plaudit_cli("functions", "preference.dpo_los", check=2).stderr
    plaudit_cli(check=2)


def test_functions_are_listed_with_their_schema(plaudit_cli, tmp_path):
    out = tmp_path / "functions.json"
    plaudit_cli("functions", "eval", "--json", out, check=0)
    functions = {f["name"]: f for f in json.loads(out.read_text())}
    best = functions["eval.best_of_n"]
    assert best["schema"].startswith("best_of_n(Tensor scores") and best["doc"] and best["systems"] == ["18", "40"]
    assert all(f["doc"].endswith(".") for f in functions.values())


def test_conform_counts_and_exits_with_1_on_a_failure(plaudit_cli, tmp_path):
    cases = tmp_path / "cases.json"
    good = {"id": "good", "function": "eval.best_of_n_kl", "params": {"n": 1}, "expect": {"kl": 0.0}}
    bad = {**good, "id": "bad", "expect": {"kl": 1.0}}
    lost = {**good, "id": "lost", "function": "eval.nothing"}
    cases.write_text(json.dumps({"system": "x", "cases": [good, bad, lost]}))
    out = tmp_path / "result.json"
    result = plaudit_cli("conform", cases, "--json", out, check=1)
    assert result.stdout.strip().endswith("1 passed, 2 failed")
    report = json.loads(out.read_text())
    assert (report["passed"], report["failed"]) == (1, 2)
    assert [c["status"] for c in report["cases"]] == ["pass", "fail", "missing"]
    cases.write_text(json.dumps({"cases": [good, lost]}))
    plaudit_cli("conform", cases, "--allow-missing", check=0)
    plaudit_cli("conform", tmp_path / "no.json", check=2)


def test_a_flag_that_would_be_ignored_is_refused(plaudit_cli, tmp_path):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("stages:\n  - read: {path: x.jsonl, kind: prompts}\n")
    assert "--check" in plaudit_cli("run", recipe, "--check", "--json", tmp_path / "x.json", check=2).stderr
    assert "--check" in plaudit_cli("run", recipe, "--check", "--out", tmp_path / "x", check=2).stderr
    records = tmp_path / "prompts.jsonl"
    records.write_text('{"prompt": "Say hello."}\n')
    plaudit_cli("data", records, check=0)
    assert "is for control data" in plaudit_cli("data", records, "--max-episode-steps", 5, check=2).stderr
    result = plaudit_cli("data", records, "--kind", "control", "--columns", "prompt=x", check=2)
    assert "--columns: is for text records" in result.stderr
    program = tmp_path / "reward.py"
    program.write_text("def reward(self, action):\n    return 1.0\n")
    assert "--python: is for --sandbox process" in plaudit_cli("program", program, "--python", "python3", check=2).stderr
    assert "--no-peers" in plaudit_cli("bench", "lm", "--no-peers", "--peers", tmp_path, check=2).stderr
