"""Adds up the results of all test runners: totals.py RESULTS_FOLDER"""

import json
import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def junit(path):
    """(passed, failed, skipped) of one JUnit or GoogleTest file."""
    passed = failed = skipped = 0
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None or case.get("result") == "skipped":
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def main(folder):
    totals = [0, 0, 0]
    for path in sorted(pathlib.Path(folder).glob("*.xml")):
        totals = [a + b for a, b in zip(totals, junit(path))]
    conform = pathlib.Path(folder) / "conform.json"
    if conform.exists():
        statuses = [case["status"] for case in json.loads(conform.read_text())["cases"]]
        missing = statuses.count("missing")
        totals = [totals[0] + statuses.count("pass"), totals[1] + statuses.count("fail"), totals[2] + missing]
        if missing:
            print(f"{missing} conformance cases name functions that are not there yet (counted as skipped)")
    print(f"{totals[0]} passed, {totals[1]} failed, {totals[2]} skipped")
    return 0 if totals[1] == 0 and totals[0] > 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
