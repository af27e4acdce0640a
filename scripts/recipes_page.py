"""Writes docs/recipes.md from what the program says of itself: recipes_page.py [BUILD_FOLDER] > docs/recipes.md"""

import json
import pathlib
import sys

from program_json import ask

HEAD = """# Recipes

<!-- Written by scripts/recipes_page.py from the declarations of the program; change those. -->

A recipe is a YAML file that lists stages. Stages read and write named artefacts; each finished stage is a point to resume
from. Everything is checked before any work: a mistake stops with file, line, key and the nearest valid key.

    doc: DPO on your own pairs.
    seed: 0
    device: auto                # auto, cpu, cuda
    parameters:                 # given on the command line: data=pairs.jsonl
      data: {doc: a file of preference pairs}
      model: {doc: the model to start from, default: smollm2-135m}
    policy: {model: "${model}"} # a section: something that stages share
    stages:
      - read: {data: "${data}"}
      - train: {objective: dpo, beta: 0.1}
        name: warm-up           # names the stage's folder and prefixes its metrics
      - repeat: {times: 3, stages: [sample, label, train]}

* `plaudit run RECIPE key=value ...` runs it. The key is a parameter, or a path of dots to any value: `policy.model=...`,
  `stages.1.train.beta=0.2`; a kind or name that occurs once stands for its stage: `stages.train.beta=0.2`.
* Ctrl-C once finishes the step and saves; `plaudit run --resume FOLDER` goes on, bit for bit, also after `kill -9`.
* The run folder holds `recipe.yaml` (running it repeats the run), `versions.json`, `metrics.jsonl`, TensorBoard events, one
  folder per stage below `stages/`, `report.html` and, at the end, `summary.json`.
* `plaudit show NAME` prints a part of this page; `plaudit list` says what there is.
"""


def cell(text):
    return str(text).replace("|", "\\|")


def rows(options, prefix=""):
    for option in options:
        key = prefix + option["key"]
        kind = f"{option['type']} {option['constraint']}".strip()
        nested = option.get("options", [])
        default = "" if nested or option["default"] is None else f"`{json.dumps(option['default'])}`"
        yield f"| `{key}` | {cell(kind)} | {cell(default)} | {cell(option['doc'])} |"
        yield from rows(nested, key + ".")


def table(options):
    if not options:
        return ["It has no options."]
    return ["| option | type | default | meaning |", "| --- | --- | --- | --- |", *rows(options)]


def names(artefacts):
    return ", ".join(f"`{name}`" for name in artefacts) or "nothing"


def page(things):
    yield HEAD
    yield "## Sections\n\nA section makes the artefact of its name when a stage first asks for it."
    for section in things["sections"]:
        yield f"\n### `{section['name']}`\n\n{section['doc']}\n"
        yield from table(section["options"])
    yield "\n## Stages\n\nWhat a stage reads and writes is given for its default options; `?` marks what it reads if it is there."
    for stage in things["stages"]:
        yield f"\n### `{stage['name']}`\n\n{stage['doc']} Reads {names(stage['reads'])}; writes {names(stage['writes'])}.\n"
        yield from table(stage["options"])
    yield "\n## Judges\n\n| judge | options | what it does |\n| --- | --- | --- |"
    for judge in things["judges"]:
        yield f"| `{judge['name']}` | {names(judge['options']) if judge['options'] else ''} | {cell(judge['doc'])} |"
    yield "\n## Losses of preference training\n\n| objective | options | what it is |\n| --- | --- | --- |"
    for loss in things["losses"]:
        yield f"| `{loss['name']}` | {names(loss['options']) if loss['options'] else ''} | {cell(loss['doc'])} |"


if __name__ == "__main__":
    root = pathlib.Path(__file__).resolve().parent.parent
    build = root / (sys.argv[1] if len(sys.argv) > 1 else "build")
    print("\n".join(page(ask(build, "list"))))
