"""What a step of RepNoise costs beside a step of plain supervised fine-tuning (SFT).

Both arms see the same two batches, harmful and refusal, make logits at answer tokens only, and
take forward, backward and an AdamW step. SFT's loss is the cross-entropy of both batches; RepNoise
has its corrected loss, every layer noised and read through the head, no retain batch.

- Time: pairs of steps in turn, A B A B, on one model; the median of the pairs' ratios, and its
  one-sided upper 95 % bound by bootstrap.
- FLOPs: of the matrix products of one step, counted.
- Memory: peak resident size of several steps, each arm in a process of its own.

    python benchmarks/repnoise_step.py

The last line is one JSON object. RepNoise should cost no more time than its FLOPs explain, and no
more memory: `time_over_flop` and `memory_ratio` at most 1.10.
"""

import argparse
import json
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from scipy.stats import bootstrap
from torch.utils.flop_counter import FlopCounterMode
from transformers import LlamaConfig, LlamaForCausalLM

from holdfast.defences.repnoise import RepNoise
from holdfast.interfaces import Progress
from holdfast.models.anatomy import anatomy
from holdfast.models.states import forward
from holdfast.training.batches import Batch, Tokens
from holdfast.training.terms.losses import cross_entropy, targets

THREADS = 2
ROWS, LENGTH, PROMPT = 8, 128, 48
SHAPE = {
    "hidden_size": 384,
    "intermediate_size": 1024,
    "num_hidden_layers": 6,
    "num_attention_heads": 6,
    "vocab_size": 8192,
    "max_position_embeddings": 256,
}
DEFENCE = RepNoise(
    variant="corrected", noise_weight=1.0, ascent_weight=0.1, layers=None, layerwise_ascent=True, retain_weight=1.0
)
Loss = Callable[[LlamaForCausalLM, Batch, int], torch.Tensor]


def sft(model: LlamaForCausalLM, batch: Batch, _: int) -> torch.Tensor:
    parts = anatomy(model)
    losses = []
    for tokens in batch.values():
        states = forward(parts, tokens.input_ids, tokens.attention_mask)
        losses.append(cross_entropy(parts, states.final, targets(tokens)))
    return torch.stack(losses).sum()


def repnoise(model: LlamaForCausalLM, batch: Batch, step: int) -> torch.Tensor:
    return torch.stack(list(DEFENCE.loss(model, batch, Progress(step, 1000)).values())).sum()


ARMS: dict[str, Loss] = {"sft": sft, "repnoise": repnoise}


class Bench:
    """One model, one batch; a step of either arm."""

    def __init__(self):
        torch.set_num_threads(THREADS)
        torch.manual_seed(0)
        self.model = LlamaForCausalLM(LlamaConfig(**SHAPE)).train()
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=1e-5)
        self.steps = 0
        ids = torch.randint(3, SHAPE["vocab_size"], (ROWS, LENGTH))
        answer = torch.zeros(ROWS, LENGTH, dtype=torch.bool)
        answer[:, PROMPT:] = True
        other = torch.where(answer, torch.randint(3, SHAPE["vocab_size"], (ROWS, LENGTH)), ids)
        self.batch = {
            role: Tokens(
                input_ids=tokens, attention_mask=torch.ones_like(tokens), answer_mask=answer, keys=torch.arange(ROWS)
            )
            for role, tokens in (("harmful", ids), ("refusal", other))
        }

    def step(self, arm: str) -> float:
        """Seconds that one step takes."""
        begin = time.perf_counter()
        ARMS[arm](self.model, self.batch, self.steps).backward()
        self.optimiser.step()
        self.optimiser.zero_grad()
        self.steps += 1
        return time.perf_counter() - begin


def peak_megabytes(arm: str, steps: int) -> float:
    bench = Bench()
    for _ in range(steps):
        bench.step(arm)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # kilobytes, on macOS bytes
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def flops(arm: str) -> int:
    bench = Bench()
    with FlopCounterMode(display=False) as counter:
        bench.step(arm)
    return counter.get_total_flops()


def seconds(pairs: int, warm_up: int = 2) -> dict[str, np.ndarray]:
    bench = Bench()
    taken = [{arm: bench.step(arm) for arm in ARMS} for _ in range(warm_up + pairs)][warm_up:]
    return {arm: np.array([pair[arm] for pair in taken]) for arm in ARMS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=40, help="pairs of steps that are timed")
    parser.add_argument("--memory-steps", type=int, default=6, help="steps over which memory is watched")
    options = parser.parse_args()

    # First of all: a new process starts from its parent's peak, which is small only now.
    peak = {}
    for arm in ARMS:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            peak[arm] = pool.apply(peak_megabytes, (arm, options.memory_steps))
    work = {arm: flops(arm) for arm in ARMS}
    taken = seconds(options.pairs)

    ratios = taken["repnoise"] / taken["sft"]
    upper = bootstrap((ratios,), np.median, confidence_level=0.95, alternative="less", method="percentile", rng=0)
    time_ratio_upper = float(upper.confidence_interval.high)
    flop_ratio = work["repnoise"] / work["sft"]
    figures = {
        "time_ratio": float(np.median(ratios)),
        "time_ratio_upper": time_ratio_upper,
        "flop_ratio": flop_ratio,
        "time_over_flop": time_ratio_upper / flop_ratio,
        "memory_ratio": peak["repnoise"] / peak["sft"],
        "pairs": options.pairs,
        "threads": THREADS,
    }
    for arm in ARMS:
        figures |= {
            f"{arm}_seconds": float(np.median(taken[arm])),
            f"{arm}_gigaflops": work[arm] / 1e9,
            f"{arm}_megabytes": peak[arm],
        }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
