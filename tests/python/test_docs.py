"""Pages that the program writes are those that it would write now, and what it lists can be shown."""

import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_recipes_page_is_current(build_folder):
    page = subprocess.run(
        [sys.executable, ROOT / "scripts/recipes_page.py", build_folder], check=True, capture_output=True, text=True
    ).stdout
    current = (ROOT / "docs/recipes.md").read_text()
    assert current == page, "run: .venv/bin/python scripts/recipes_page.py > docs/recipes.md"


def test_functions_page_is_current(build_folder):
    page = subprocess.run(
        [sys.executable, ROOT / "scripts/functions_page.py", build_folder], check=True, capture_output=True, text=True
    ).stdout
    assert page.count("](../plaudit/") == page.count("\n* `"), "every function names its source"
    current = (ROOT / "docs/functions.md").read_text()
    assert current == page, "run: .venv/bin/python scripts/functions_page.py > docs/functions.md"


def test_everything_that_is_listed_can_be_shown(plaudit_cli, tmp_path):
    out = tmp_path / "all.json"
    plaudit_cli("list", "--json", out, check=0)
    everything = json.loads(out.read_text())
    assert list(everything) == ["models", "recipes", "claims", "runs", "stages", "sections", "judges", "losses"]
    for kind in ["stages", "sections", "judges", "losses"]:
        assert everything[kind]
        for thing in everything[kind]:
            assert thing["doc"], thing["name"]
            assert thing["name"] in plaudit_cli("show", thing["name"], check=0).stdout
    for recipe in everything["recipes"]:
        assert recipe["doc"], recipe["path"]
        assert recipe["path"] in plaudit_cli("show", recipe["path"], check=0).stdout


def test_every_option_says_what_it_is(plaudit_cli, tmp_path):
    out = tmp_path / "stages.json"
    plaudit_cli("list", "stages", "--json", out, check=0)

    def check(options, where):
        for option in options:
            assert option["doc"] and option["type"], f"{where}.{option['key']}"
            check(option.get("options", []), f"{where}.{option['key']}")

    for stage in json.loads(out.read_text())["stages"]:
        check(stage["options"], stage["name"])


def test_a_kind_or_name_that_is_not_there_names_the_nearest(plaudit_cli):
    assert "did you mean 'stages'?" in plaudit_cli("list", "stage", check=2).stderr
    assert "did you mean 'train'?" in plaudit_cli("show", "trian", check=2).stderr


def test_every_trap_names_a_test_that_exists():
    page = (ROOT / "docs/traps.md").read_text()
    sources = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*.cpp"))
    defined = {f"{suite}.{name}" for suite, name in re.findall(r"^TEST(?:_F|_P)?\((\w+), (\w+)\)", sources, re.M)}
    for path in (ROOT / "tests/python").glob("test_*.py"):
        defined |= {f"{path.name}::{name}" for name in re.findall(r"^def (test_\w+)", path.read_text(), re.M)}
    rows = [line for line in page.splitlines() if line.startswith("| ") and not line.startswith(("| trap", "| ---"))]
    assert len(rows) > 20
    for row in rows:
        named = re.findall(r"`([\w.:]+)`", row.rsplit("|", 2)[1])
        assert named, row
        for name in named:
            assert name in defined, name


def test_no_two_headers_define_a_type_of_one_name():
    """In one namespace that is undefined behaviour, of which no compiler and no linker says a word."""
    found = {}
    for header in sorted((ROOT / "plaudit").rglob("*.h")):
        text = header.read_text()
        for match in re.finditer(r"^(?:struct|class|enum class) (\w+)(?: final)?(?: : [^{;]*)? ?\{", text, re.M):
            spaces = re.findall(r"^namespace ([\w:]*) ?\{", text[: match.start()], re.M)
            found.setdefault((spaces[-1] if spaces else "", match[1]), []).append(header.name)
    assert len(found) > 500
    assert {name: headers for name, headers in found.items() if len(headers) > 1} == {}


def local_names(text):
    """What a .cpp file defines for itself alone, in its unnamed namespaces."""
    names = set()
    for part in re.findall(r"^namespace \{$(.*?)^\}  // namespace$", text, re.M | re.S):
        names.update(re.findall(r"^(?:struct|class|enum class) (\w+)\b", part, re.M))
        starts = r"^(?!template|using|struct|class|enum|namespace|//|\}|#)[A-Za-z_\[][^\n(=;{]*?[ &*>]"
        names.update(re.findall(starts + r"(\w+)(?=\(|\{| =|;|\[)", part, re.M))
    return names


def test_files_that_are_compiled_together_name_their_own_things_differently():
    """A group is one translation unit (cmake/groups.cmake): another file's function could be a better match."""
    clashes = []
    for folder in [*ROOT.glob("plaudit/*/"), ROOT / "cli", ROOT / "bench"]:
        owner = {}
        for path in sorted(folder.glob("*.cpp")):
            for name in local_names(path.read_text()):
                if name in owner:
                    clashes.append(f"{name}: {owner[name]} and {path.relative_to(ROOT)}")
                owner[name] = path.relative_to(ROOT)
    assert not clashes, "\n".join(clashes)
