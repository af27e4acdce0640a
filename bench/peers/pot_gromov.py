"""Entropic Gromov-Wasserstein plans with POT, for `plaudit bench functions`.

    pot_gromov.py OUT.json IN.json      IN: {"source": [N,3], "target": [N,3], "eps", "outer", "iters"}

OUT.json: {"rate": plans/s, "peak_mib", "same_work": {"objective"}, "version"}; the objective of POT's plan by the
marginals that it has.
"""

import json
import resource
import sys
import time

import numpy as np
import ot


def distances(points):
    d = np.sqrt(((points[:, None] - points[None]) ** 2).sum(-1))
    return d / d.max()


def objective(source, target, plan):
    p, q = plan.sum(1), plan.sum(0)
    cost = ((source**2) @ p)[:, None] + ((target**2) @ q)[None] - 2 * source @ plan @ target
    return float((cost * plan).sum())


def main(out_path, in_path):
    with open(in_path) as file:
        given = json.load(file)
    source, target = (distances(np.array(given[key])) for key in ("source", "target"))
    p, q = (np.full(len(c), 1 / len(c)) for c in (source, target))
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        plan = ot.gromov.entropic_gromov_wasserstein(
            source, target, p, q, "square_loss", epsilon=given["eps"], symmetric=True, max_iter=given["outer"],
            numItermax=given["iters"],
        )  # fmt: skip
        seconds.append(time.perf_counter() - start)
    result = {
        "rate": 1 / min(seconds),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "same_work": {"objective": objective(source, target, plan)},
        "version": f"POT {ot.__version__}, numpy {np.__version__}",
    }
    with open(out_path, "w") as file:
        json.dump(result, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
