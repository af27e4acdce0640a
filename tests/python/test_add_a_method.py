"""The steps of docs/add-a-method.md, followed as they stand: its loss is compiled, checked, listed and trained with.

The page's source becomes a small library that is loaded before the program, in place of a build of the whole tree: it is compiled
by the same command as plaudit's own losses and registers itself in the same way."""

import json
import pathlib
import re
import shlex
import subprocess

import pytest
from test_run import recipe, tiny_folder  # noqa: F401

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/add-a-method.md").read_text()
NAME = "truncated-quadratic"


def page_files():
    """Path -> content of the files that the page asks for."""
    blocks = re.findall(r"^ *`([\w/.-]+)`\n\n *```(?:cpp|json|yaml)\n(.*?)\n *```", PAGE, re.M | re.S)
    return {path: re.sub(r"^   ", "", text, flags=re.M) + "\n" for path, text in blocks}


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    folder = tmp_path_factory.mktemp("method")
    for path, text in page_files().items():
        assert not (ROOT / path).exists(), f"{path} is part of plaudit: the page must add something new"
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def compiled(source, build_folder):
    """The source as a library, made by the command that makes plaudit's own losses."""
    commands = json.loads((build_folder / "compile_commands.json").read_text())
    own = "plaudit/train/preference_losses.cpp"  # by itself, or in a group with its neighbours
    entry = next(e for e in commands if e["file"].endswith(own) or own in pathlib.Path(e["file"]).read_text())
    words = shlex.split(entry["command"])
    place = words.index("-o")
    assert words[place + 2] == "-c"
    words = words[:place]
    if pathlib.Path(words[0]).name == "cmake":  # the compiler cache is not needed
        words = words[next(i for i, word in enumerate(words) if pathlib.Path(word).name == "ccache") + 1:]
    library = source.with_suffix(".so")
    subprocess.run([*words, "-c", str(source), "-o", str(source.with_suffix(".o"))],
                   check=True, cwd=entry["directory"])
    subprocess.run([words[0], "-shared", str(source.with_suffix(".o")), "-o", str(library),
                    str(build_folder / "libplaudit.so"), f"-Wl,-rpath,{build_folder}"], check=True)
    return library


@pytest.fixture(scope="module")
def with_method(tree, build_folder, plaudit_cli):
    library = compiled(tree / "plaudit/train/loss_truncated_quadratic.cpp", build_folder)
    return lambda *arguments, **how: plaudit_cli(*arguments, env={"LD_PRELOAD": str(library)}, cwd=tree, **how)


def test_the_page_has_ten_steps_and_names_what_exists():
    assert re.findall(r"^(\d+)\. \*\*", PAGE, re.M) == [str(i) for i in range(1, 11)]
    made = set(page_files())
    assert {pathlib.Path(path).suffix for path in made} == {".cpp", ".json", ".yaml"}
    for path in re.findall(r"`((?:plaudit|tests|scripts|docs)/[\w/.-]+\.\w+)", PAGE):
        assert path in made or (ROOT / path).exists(), path
    for path in re.findall(r"`((?:core|data|objective|train|run|feedback)/[\w/.-]+\.(?:h|cpp))", PAGE):
        assert (ROOT / "plaudit" / path).exists(), path
    for path in re.findall(r"\]\(([\w./-]+)\)", PAGE):
        assert (ROOT / "docs" / path).exists(), path


def test_the_loss_is_new(plaudit_cli):
    assert NAME not in plaudit_cli("list", "losses", check=0).stdout


def test_the_numeric_case_holds(with_method, plaudit_cli):
    case = "tests/train/data/truncated-quadratic.json"
    assert "1 passed" in with_method("conform", case, check=0).stdout


def test_it_is_listed_and_shown(with_method, tree):
    with_method("list", "losses", "--json", "losses.json", check=0)
    losses = {loss["name"]: loss for loss in json.loads((tree / "losses.json").read_text())["losses"]}
    assert losses[NAME]["options"] == ["beta"] and losses[NAME]["needs_reference"]
    assert len(losses) > 9, "the losses of plaudit are still there"
    assert NAME in with_method("show", NAME, check=0).stdout


def test_a_setting_that_it_does_not_use_is_refused(with_method, recipe):  # noqa: F811
    data = recipe.parent / "pairs.jsonl"
    failed = with_method("run", "recipes/truncated-quadratic.yaml", f"data={data}", "stages.train.margin=2", check=2)
    assert "margin" in failed.stderr and NAME in failed.stderr


def test_a_recipe_trains_with_it(with_method, tree, recipe, tiny_folder):  # noqa: F811
    data = recipe.parent / "pairs.jsonl"
    with_method("run", "recipes/truncated-quadratic.yaml", f"data={data}", f"model={tiny_folder}", "--out", "out",
                check=0)
    steps = [json.loads(line) for line in (tree / "out/metrics.jsonl").read_text().splitlines()]
    steps = [step for step in steps if "loss" in step]
    assert steps[0]["loss"] == pytest.approx(1, abs=1e-6), "the policy starts as its own reference: h = 0"
    assert steps[-1]["loss"] < steps[0]["loss"]
    assert steps[-1]["rewards/margin"] > 0
