"""Writes docs/functions.md, every public function by area, from the program's registry: functions_page.py [BUILD_FOLDER] > docs/functions.md"""

import pathlib
import sys

from program_json import ask

ROOT = pathlib.Path(__file__).resolve().parents[1]
HEAD = """# Functions

<!-- Written by scripts/functions_page.py from the registry; change the registrations at the end of the sources. -->

Every public function, by area, with its schema, the file that holds its equation, and the systems that use it. The same name
serves in C++ (a typed function of the last part of the name in that file's header), in Python (`plaudit.area.name`), on the command
line (`plaudit call area.name`) and in numeric cases (`plaudit conform`).
"""


def sources():
    """Name of a function -> the source that registers it: its schema stands in a PLAUDIT_FUNCTIONS block of its area."""
    found = {}
    for path in sorted((ROOT / "plaudit").glob("*/*.cpp")):
        area = None
        for line in path.read_text().splitlines():
            if line.startswith("PLAUDIT_FUNCTIONS("):
                area = line.split("(")[1].split(",")[0]
            elif line.startswith("}"):
                area = None
            elif area:
                for text in line.split('"')[1:2]:
                    name = text.split("(")[0]
                    if "(" in text and name.isidentifier():
                        found.setdefault(f"{area}.{name}", path.relative_to(ROOT))
    return found


def page(build):
    functions, where, out, area = ask(build, "functions"), sources(), HEAD, None
    for function in functions:
        if function["name"].split(".")[0] != area:
            area = function["name"].split(".")[0]
            count = sum(f["name"].startswith(area + ".") for f in functions)
            out += f"\n## {area} ({count})\n\n"
        path = where.get(function["name"])
        source = f" [{path.name}](../{path})" if path else ""
        used = ", ".join(function["systems"])
        out += f"* `{area}.{function['schema']}`  \n  {function['doc']}{source}; systems {used}\n"
    return out


if __name__ == "__main__":
    print(page(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build"), end="")
