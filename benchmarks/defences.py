"""What each defence costs in training, beside plain supervised fine-tuning (SFT) over the same data.

    python benchmarks/defences.py [--only NAME ...] [--steps 4] [--pairs 3]

On arcana, with every default but the number of steps. Each defence takes turns with SFT in pairs of short runs, and
each of the two is measured in a process of its own as well, for its memory:

- a defence that acts before: its own rows, all roles of which SFT trains on as answers, batch for batch;
- one that acts during: SFT on the attacker's pairs, with its guard and without;
- one that acts after: the seconds of mending, in steps of SFT at batch 16.

`step` is the median ratio of the time of a step, `memory` that of the peak resident size above a process that has
only loaded the model, `start` the seconds before the first step. Prints one JSON object, a line a defence above it.
"""

import argparse
import itertools
import json
import multiprocessing
import os
import resource
import statistics
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

KILOBYTES = 1 if sys.platform == "darwin" else 1024


def setting(name, steps):
    """The defence, the model, the two parties' data, and SFT over the rows that the defence would see."""
    import torch

    from holdfast import plugins
    from holdfast.config import build, fields
    from holdfast.domains.arcana import Arcana
    from holdfast.models.load import load
    from holdfast.study.view import attacker, defender

    torch.set_num_threads(1)
    kind = plugins.find("defences", name)
    defence = build(kind, {"training.steps": steps} if "training.steps" in fields(kind) else {})
    model = load("arcana-moe" if name == "safe_moe" else "arcana")
    return defence, model, defender(Arcana()), attacker(Arcana())


def plain(recipe, rows):
    """SFT on every answer of some rows."""
    import torch

    from holdfast.training.terms.answers import answer_loss

    class Plain:
        training = recipe

        def rows(self, *_):
            return iter(rows)

        def loss(self, model, batch, _):
            return {"sft": torch.stack([answer_loss(model, tokens) for tokens in batch.values()]).sum()}

    return Plain()


def run(name, steps, arm):
    """Seconds a step, seconds before the first, and bytes at the peak, of one arm in this process."""
    from holdfast.attacks.sft import Sft
    from holdfast.methods import stage_of
    from holdfast.training.recipe import Recipe
    from holdfast.training.run import apply

    defence, model, own, other = setting(name, steps)
    loaded = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    stage, marks = stage_of(defence), []
    guard, method, view = None, defence, own
    began = time.perf_counter()
    if stage == "before":
        if arm == "sft":
            source = defence.start(copy_of(model), own, 0) if hasattr(defence, "start") else defence
            source = source if hasattr(source, "rows") else defence
            drawn = list(itertools.islice(source.rows(own, 0), steps * defence.training.batch_size))
            method = plain(defence.training, drawn)
            began = time.perf_counter()
    else:
        method, view = Sft(training=Recipe(steps=steps, learning_rate=1e-4)), other
        if stage == "during" and arm != "sft":
            guard = defence.guard(model, own, 0)
    aligned = copy_of(model) if stage == "after" else None
    apply(method, model, view, seed=0, guard=guard, on_step=lambda *_: marks.append(time.perf_counter()))
    steps_taken = [after - before for before, after in itertools.pairwise(marks)]
    told = {"step": statistics.median(steps_taken), "start": marks[0] - began - statistics.median(steps_taken)}
    if aligned is not None and arm != "sft":
        began = time.perf_counter()
        defence.mend(model, aligned, own)
        told["step"] = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {**told, "memory": (peak - loaded) * KILOBYTES}


def copy_of(model):
    import dataclasses

    from holdfast.models.frozen import frozen

    return dataclasses.replace(model, network=frozen(model.network))


def measured(name, steps, pairs):
    """One defence beside SFT, a fresh process a run, in turn."""
    runs = {"sft": [], "defence": []}
    for _ in range(pairs):
        for arm, found in runs.items():
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                found.append(pool.apply(run, (name, steps, arm)))
    ratio = [one["step"] / other["step"] for one, other in zip(runs["defence"], runs["sft"], strict=True)]
    memory = [one["memory"] / max(1, other["memory"]) for one, other in zip(runs["defence"], runs["sft"], strict=True)]
    start = statistics.median(one["start"] for one in runs["defence"])
    return {
        "step": round(statistics.median(ratio), 2),
        "memory": round(statistics.median(memory), 2),
        "start": round(start, 1),
        "seconds_a_step": round(statistics.median(one["step"] for one in runs["defence"]), 3),
    }


def main():
    from holdfast import plugins

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", choices=plugins.names("defences"))
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--pairs", type=int, default=3)
    chosen = parser.parse_args()
    told = {}
    for name in chosen.only or [name for name in plugins.names("defences") if name not in {"none", "token_buncher"}]:
        told[name] = measured(name, chosen.steps, chosen.pairs)
        print(f"{name}: {told[name]}", file=sys.stderr)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
