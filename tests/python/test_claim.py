"""Claims from outside: exit codes, JSON, resume, and the mistakes of users."""

import json
import signal
import subprocess
import time

CLAIM = """claim: "99"
title: a preference loss reaches the optimum of a table
seeds: [0, 1]
parameters:
  steps: {doc: updates, default: 300}
  reversed: {doc: the worse answer is preferred, default: false}
stages:
  - answer_table: {prompts: 2, answers: 4, loss: dpo, beta: 0.5, steps: "${steps}", reversed: "${reversed}"}
variants:
  right: {}
  wrong-sign: {reversed: true}
metrics: {tv: total variation to the optimum, the worst prompt}
bars:
  - {name: reached, value: "{right tv}", at_most: 0.02, must_miss: {right: wrong-sign}}
"""


def claim(plaudit_cli, folder, *arguments, check=None, text=CLAIM):
    (folder / "claims").mkdir(exist_ok=True)
    (folder / "claims" / "99-table.yaml").write_text(text)
    return plaudit_cli("claim", *arguments, cwd=folder, check=check)


def test_a_claim_that_holds(plaudit_cli, tmp_path):
    result = claim(plaudit_cli, tmp_path, "99", "--json", "out.json", check=0)
    assert "PASS" in result.stdout and "FAIL" not in result.stdout
    found = json.loads((tmp_path / "out.json").read_text())["claims"][0]
    assert (found["claim"], found["seeds"], found["verdict"]) == ("99", [0, 1], "pass")
    reached, control = found["bars"]
    assert reached["value"] == max(reached["values"]) <= reached["bound"] == 0.02
    assert (reached["compare"], reached["pass"], reached["control"]) == ("<=", True, False)
    assert (control["compare"], control["pass"], control["control"]) == (">", True, True)
    folder = tmp_path / "runs/claims/99-table"
    assert {path.name for path in folder.iterdir()} == {"plot-1.svg", "result.json", "results", "table.md", "table.txt"}
    assert len(list((folder / "results").iterdir())) == 4


def test_a_bar_that_is_missed_exits_with_1(plaudit_cli, tmp_path):
    result = claim(plaudit_cli, tmp_path, "99", "--seeds", "3", "--set", "steps=1", "--json", "out.json", check=1)
    assert "FAIL" in result.stdout
    found = json.loads((tmp_path / "out.json").read_text())["claims"][0]
    assert found["verdict"] == "fail" and found["seeds"] == [3]
    assert found["bars"][0]["value"] > 0.02 and not found["bars"][0]["pass"]


def test_what_is_finished_is_not_run_again(plaudit_cli, tmp_path):
    claim(plaudit_cli, tmp_path, "99", check=0)
    results = tmp_path / "runs/claims/99-table/results"
    before = {path.name: path.read_text() for path in results.iterdir()}
    (results / "right-seed-1.json").unlink()
    stamps = {path.name: path.stat().st_mtime_ns for path in results.iterdir()}
    claim(plaudit_cli, tmp_path, "99", check=0)
    for path in results.iterdir():
        old, new = json.loads(before[path.name]), json.loads(path.read_text())
        assert old["metrics"] == new["metrics"]
        assert path.name == "right-seed-1.json" or stamps[path.name] == path.stat().st_mtime_ns


def test_ctrl_c_keeps_what_is_finished_and_the_same_command_goes_on(build_folder, plaudit_cli, tmp_path):
    def numbers(name):
        found = json.loads((tmp_path / name).read_text())["claims"][0]
        return {key: value for key, value in found.items() if not key.endswith("seconds")}

    claim(plaudit_cli, tmp_path, "99", "--jobs", "1", "--json", "whole.json", "--out", "whole", check=0)
    again = ["claim", "99", "--jobs", "1", "--json", "stopped.json", "--out", "stopped"]
    program = [str(build_folder / "plaudit"), *again]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(program, cwd=tmp_path, **pipes)
    results = tmp_path / "stopped/99-table/results"
    while not list(results.glob("*.json")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=300)
    assert process.returncode == 130, error
    assert "goes on with what is left of claim 99" in error
    assert not (tmp_path / "stopped.json").exists() and not (results.parent / "table.md").exists()
    stamps = {path: path.stat().st_mtime_ns for path in results.iterdir()}
    assert 1 <= len(stamps) < 4

    plaudit_cli(*again, cwd=tmp_path, check=0)
    assert len(list(results.iterdir())) == 4
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in stamps.items())
    assert numbers("stopped.json") == numbers("whole.json")


def test_the_users_mistakes(plaudit_cli, tmp_path):
    def refused(*arguments, text=CLAIM):
        return claim(plaudit_cli, tmp_path, *arguments, check=2, text=text).stderr

    assert "there is no claim '89', did you mean '99'?" in refused("89")
    for seeds in ["", "a", "1,", "-1", "1.5", "0,0"]:
        error = refused("99", f"--seeds={seeds}")
        assert "--seeds" in error, seeds
    assert "claims/99-table.yaml:14" in refused("99", text=CLAIM.replace("{right tv}", "{right tvv}"))
    assert "there is no metric 'tvv', did you mean 'tv'?" in refused("99", text=CLAIM.replace("{right tv}", "{right tvv}"))
    assert "there is no parameter 'step', did you mean 'steps'?" in refused("99", "--set", "step=3")
    assert "did you mean 'answer_table'?" in refused("99", text=CLAIM.replace("answer_table", "answers_table"))
    assert "--jobs" in refused("99", "--jobs", "0")
    refused()
