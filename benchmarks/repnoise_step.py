"""What a step of RepNoise costs beside a step of plain supervised fine-tuning (SFT).

All arms see the same two batches, harmful and refusal, and take forward, backward and an AdamW
step. SFT's loss is the cross-entropy of both batches, with logits at answer tokens only; RepNoise
has its corrected loss, every layer noised and read through the head, no retain batch; `released` is
the loss of the authors' code, with logits of every token at every layer.

- Time: steps of the arms in turn, A B A B, on one model; the median of the rounds' ratios, and its
  one-sided upper 95 % bound by bootstrap.
- FLOPs: of the matrix products of one step, counted.
- Memory: peak resident size of several steps, each arm in a process of its own, and of it what
  comes on top of weights, gradients and optimiser. On a GPU what torch has held there at most.
- On a GPU also the share that SFT has of the rate at which this GPU multiplies matrices of 8,192 x 8,192.

    python benchmarks/repnoise_step.py
    python benchmarks/repnoise_step.py --shape large --released
    python benchmarks/repnoise_step.py --shape 1b --device cuda

The last line is one JSON object. RepNoise should cost no more time than its FLOPs explain, and no
more memory. `small` (width 384, 6 layers, vocabulary 8,192): `time_over_flop` and `memory_ratio` at
most 1.10. `large` (width 1,024, 8 layers, vocabulary 128,256, 4 x 256 tokens): 1.15 and 1.25.
`1b` (Llama 3.2's, in bfloat16, 8 x 1,024 tokens), on a GPU: 1.20 of time; SFT at least .45 of the rate.
"""

import argparse
import json
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Shape:
    """A model and a batch for it."""

    config: dict[str, int]
    rows: int
    length: int
    prompt: int
    dtype: torch.dtype = torch.float32


SHAPES = {
    "small": Shape(
        {
            "hidden_size": 384,
            "intermediate_size": 1024,
            "num_hidden_layers": 6,
            "num_attention_heads": 6,
            "vocab_size": 8192,
            "max_position_embeddings": 256,
        },
        rows=8,
        length=128,
        prompt=48,
    ),
    "large": Shape(
        {
            "hidden_size": 1024,
            "intermediate_size": 2816,
            "num_hidden_layers": 8,
            "num_attention_heads": 16,
            "vocab_size": 128256,
            "max_position_embeddings": 512,
        },
        rows=4,
        length=256,
        prompt=96,
    ),
    "1b": Shape(
        {
            "hidden_size": 2048,
            "intermediate_size": 8192,
            "num_hidden_layers": 16,
            "num_attention_heads": 32,
            "num_key_value_heads": 8,
            "vocab_size": 128256,
            "max_position_embeddings": 2048,
            "tie_word_embeddings": True,
        },
        rows=8,
        length=1024,
        prompt=256,
        dtype=torch.bfloat16,
    ),
}
DEFENCE = RepNoise(
    variant="corrected", noise_weight=1.0, ascent_weight=0.1, layers=None, layerwise_ascent=True, retain_weight=1.0
)
RELEASED = RepNoise(variant="released", noise_weight=1.0, ascent_weight=0.1)
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


def released(model: LlamaForCausalLM, batch: Batch, step: int) -> torch.Tensor:
    return torch.stack(list(RELEASED.loss(model, batch, Progress(step, 1000)).values())).sum()


ARMS: dict[str, Loss] = {"sft": sft, "repnoise": repnoise, "released": released}


class Bench:
    """One model, one batch; a step of any arm."""

    def __init__(self, shape: Shape, device: str):
        torch.set_num_threads(THREADS)
        torch.manual_seed(0)
        self.device = torch.device(device)
        self.model = LlamaForCausalLM(LlamaConfig(**shape.config)).to(self.device, shape.dtype).train()
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=1e-5)
        self.steps = 0
        vocabulary, size = shape.config["vocab_size"], (shape.rows, shape.length)
        ids = torch.randint(3, vocabulary, size)
        answer = torch.zeros(*size, dtype=torch.bool)
        answer[:, shape.prompt :] = True
        other = torch.where(answer, torch.randint(3, vocabulary, size), ids)
        self.batch = {
            role: Tokens(
                input_ids=tokens.to(self.device),
                attention_mask=torch.ones_like(tokens, device=self.device),
                answer_mask=answer.to(self.device),
                keys=torch.arange(shape.rows, device=self.device),
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
        waited(self.device)
        return time.perf_counter() - begin


def waited(device: torch.device) -> None:
    """Until what was asked of a GPU is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def peak_megabytes(shape: Shape, device: str, arm: str, steps: int) -> float:
    bench = Bench(shape, device)
    for _ in range(steps):
        bench.step(arm)
    if bench.device.type == "cuda":
        return torch.cuda.max_memory_allocated(bench.device) / 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # kilobytes, on macOS bytes
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def state_megabytes(shape: Shape) -> float:
    """Weights, gradients and AdamW's two moments, all in one type."""
    with torch.device("meta"):
        model = LlamaForCausalLM(LlamaConfig(**shape.config))
    return 4 * shape.dtype.itemsize * sum(weight.numel() for weight in model.parameters()) / 2**20


def flops(shape: Shape, device: str, arm: str) -> int:
    bench = Bench(shape, device)
    with FlopCounterMode(display=False) as counter:
        bench.step(arm)
    return counter.get_total_flops()


def matmul_rate(device: str, dtype: torch.dtype, size: int = 8192, times: int = 20) -> float:
    """FLOPs a second of a product of two square matrices, the median of several."""
    on, taken = torch.device(device), []
    one, other = (torch.randn(size, size, device=on).to(dtype) for _ in range(2))
    for _ in range(times):
        waited(on)
        begin = time.perf_counter()
        one @ other
        waited(on)
        taken.append(time.perf_counter() - begin)
    return 2 * size**3 / float(np.median(taken))


def seconds(shape: Shape, device: str, arms: list[str], rounds: int, warm_up: int) -> dict[str, np.ndarray]:
    bench = Bench(shape, device)
    taken: list[dict[str, float]] = []
    for number in range(warm_up + rounds):
        taken.append({arm: bench.step(arm) for arm in arms})
        print(
            f"round {number}: " + ", ".join(f"{arm} {took:.2f} s" for arm, took in taken[-1].items()), file=sys.stderr
        )
    taken = taken[warm_up:]
    return {arm: np.array([each[arm] for each in taken]) for arm in arms}


def compared(arm: str, taken: dict[str, np.ndarray], work: dict[str, int], peak: dict[str, float]) -> dict[str, float]:
    """An arm beside SFT."""
    ratios, flop_ratio = taken[arm] / taken["sft"], work[arm] / work["sft"]
    time_ratio_upper = float(ratios.max())
    if len(ratios) > 1:
        upper = bootstrap((ratios,), np.median, confidence_level=0.95, alternative="less", method="percentile", rng=0)
        time_ratio_upper = float(upper.confidence_interval.high)
    return {
        "time_ratio": float(np.median(ratios)),
        "time_ratio_upper": time_ratio_upper,
        "flop_ratio": flop_ratio,
        "time_over_flop": time_ratio_upper / flop_ratio,
        "memory_ratio": peak[arm] / peak["sft"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", choices=SHAPES, default="small", help="how large a model")
    parser.add_argument("--device", default="cpu", help="cpu, or cuda")
    parser.add_argument("--released", action="store_true", help="measure the released formulation, too")
    parser.add_argument("--rounds", type=int, help="rounds of steps that are timed; 40 of the small shape, else 12")
    parser.add_argument("--warm-up", type=int, default=2, help="rounds before them that are not timed")
    parser.add_argument("--memory-steps", type=int, default=3, help="steps over which memory is watched")
    options = parser.parse_args()
    shape, arms = SHAPES[options.shape], ["sft", "repnoise", *(["released"] if options.released else [])]
    rounds = options.rounds or (40 if options.shape == "small" else 12)

    # First of all: a new process starts from its parent's peak, which is small only now.
    peak = {}
    for arm in arms:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            peak[arm] = pool.apply(peak_megabytes, (shape, options.device, arm, options.memory_steps))
        print(f"{arm}: {peak[arm]:,.0f} MB", file=sys.stderr)
    work = {arm: flops(shape, options.device, arm) for arm in arms}
    taken = seconds(shape, options.device, arms, rounds, options.warm_up)

    figures: dict[str, object] = {"shape": options.shape, "rounds": rounds, "threads": THREADS}
    figures |= compared("repnoise", taken, work, peak)
    if options.released:
        figures |= {f"released_{name}": value for name, value in compared("released", taken, work, peak).items()}
    if options.device == "cuda":
        rate = matmul_rate(options.device, shape.dtype)
        figures |= {"gpu": torch.cuda.get_device_name(), "matmul_teraflops": rate / 1e12}
        figures |= {"sft_of_matmul": work["sft"] / float(np.median(taken["sft"])) / rate}
    for arm in arms:
        figures |= {
            f"{arm}_seconds": float(np.median(taken[arm])),
            f"{arm}_gigaflops": work[arm] / 1e9,
            f"{arm}_megabytes": peak[arm],
            f"{arm}_megabytes_beyond_state": peak[arm] - state_megabytes(shape),
        }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
