"""How long the latent scale takes, on as many scores as the Rosetta Stone paper has.

179 models on 38 benchmarks, 1,324 scores drawn from a known scale; or a CSV file of your own. The fit alone, and 100
fits for the intervals in two processes, the start of which is counted.

    python benchmarks/scale.py
    python benchmarks/scale.py --scores scores.csv --anchor Winogrande

The last line is one JSON object, in seconds. At most 2 and 60 are asked.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
from scipy.special import expit

from holdfast.report.scale.benchmarks import read
from holdfast.statistics.scale.fit import Anchor, Penalty, fit
from holdfast.statistics.scale.resamples import resampled
from holdfast.statistics.scale.scores import Scores, scores

MODELS, BENCHMARKS, SCORES = 179, 38, 1324


def drawn() -> Scores:
    rng = np.random.default_rng(0)
    ability, difficulty = rng.uniform(0, 2.5, MODELS), rng.uniform(-0.5, 3, BENCHMARKS)
    slope = np.concatenate([[1.0], rng.uniform(1, 6, BENCHMARKS - 1)])
    value = np.clip(expit(slope * (ability[:, None] - difficulty)) + rng.normal(0, 0.05, (MODELS, BENCHMARKS)), 0, 1)
    places = rng.choice(MODELS * BENCHMARKS, SCORES, replace=False)
    pairs = [divmod(int(place), BENCHMARKS) for place in places]
    return scores((f"model {one}", f"benchmark {other}", float(value[one, other])) for one, other in pairs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scores", type=Path, help="a CSV file, as `holdfast scale --benchmarks` takes it")
    parser.add_argument("--anchor", default="benchmark 0")
    options = parser.parse_args()
    given = read(options.scores)[0] if options.scores else drawn()
    begin = time.perf_counter()
    scale = fit(given, Anchor(item=options.anchor), Penalty(kind="squares"))
    fitted = time.perf_counter()
    resampled(scale, 100, workers=2)
    done = time.perf_counter()
    figures = {"rows": len(given), "fit_seconds": fitted - begin, "resamples_seconds": done - fitted}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
