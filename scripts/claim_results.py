"""Writes docs/results/NN.json from what `plaudit claim` found: claim_results.py CLAIMS_JSON [docs/results]

One file per claim: {"summary", "seeds", "bars"}; scripts/systems.py shows the summary. A claim that was not run keeps its file.
"""

import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]


def summary(claim):
    held = sum(bar["pass"] for bar in claim["bars"])
    seconds = max(claim["cpu_seconds"])
    return f"{claim['verdict']}: {held} of {len(claim['bars'])} bars at seeds {', '.join(map(str, claim['seeds']))}; {seconds:.0f} s a seed"


def main():
    folder = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / "docs" / "results"
    folder.mkdir(parents=True, exist_ok=True)
    for claim in json.loads(pathlib.Path(sys.argv[1]).read_text())["claims"]:
        bars = [{key: bar[key] for key in ("name", "value", "compare", "bound", "pass")} for bar in claim["bars"]]
        result = {"summary": summary(claim), "seeds": claim["seeds"], "bars": bars}
        (folder / f"{claim['claim']}.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
