"""Writes docs/systems.md: one row per published system, from what the tree holds.

    systems.py [--check]

Titles and papers come from docs/systems.json; the functions of a system from `build/plaudit functions --json`; recipes and
claims are the files that carry the system's number; results are docs/results/NN.json, which scripts/claim_results.py writes.
"""

import json
import pathlib
import sys

from program_json import ask

ROOT = pathlib.Path(__file__).resolve().parents[1]
HEAD = """# The systems

One row per published system: where its equations, recipe and claim are, and what was measured. An empty cell means that
this part is not there yet. `scripts/systems.py` writes this page; edit `docs/systems.json` for titles and papers.

| no. | system | paper | functions | recipe | claim | result |
| --- | --- | --- | --- | --- | --- | --- |
"""


def functions_by_system():
    table = {}
    for function in ask(ROOT / "build", "functions"):
        for system in function["systems"]:
            table.setdefault(system, []).append(function["name"])
    return table


def files(pattern):
    links = (path.relative_to(ROOT) for path in sorted(ROOT.glob(pattern)))
    return ", ".join(f"[{path.name}](../{path})" for path in links)


def result(number):
    path = ROOT / "docs" / "results" / f"{number}.json"
    return json.loads(path.read_text())["summary"] if path.exists() else ""


def row(system, functions):
    number = system["number"]
    names = functions.get(number, [])
    shown = "<br>".join(f"`{name}`" for name in names[:4]) + (f"<br>and {len(names) - 4} more" if len(names) > 4 else "")
    paper = f"[{system['paper']}]({system['url']})"
    cells = [number, system["title"], paper, shown, files(f"recipes/{number}-*.yaml"), files(f"claims/{number}*.yaml"), result(number)]
    return "| " + " | ".join(cells) + " |\n"


def main():
    systems = json.loads((ROOT / "docs" / "systems.json").read_text())
    functions = functions_by_system()
    page = HEAD + "".join(row(system, functions) for system in systems)
    target = ROOT / "docs" / "systems.md"
    if "--check" in sys.argv:
        if not target.exists() or target.read_text() != page:
            sys.exit("docs/systems.md is out of date: run scripts/systems.py")
        return
    target.write_text(page)


if __name__ == "__main__":
    main()
