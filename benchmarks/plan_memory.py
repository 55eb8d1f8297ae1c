"""How near `holdfast plan-memory` comes to what the run itself holds and takes.

A randomly initialised model of Qwen2's 0.5B shape (width 896, 24 blocks, vocabulary 151,936, tied) and a smaller Llama
(width 512, 16 blocks, vocabulary 32,000), written to a folder with arcana's words as tokenizer. For each case the plan
is asked first, then `holdfast harden` is run as a user would, in a process of its own: peak resident size by the
operating system, seconds a step and in all.

    python benchmarks/plan_memory.py
    python benchmarks/plan_memory.py --only qwen-lora

The last line is one JSON object: of each case planned over measured, of memory and of time. Within 0.8 and 1.2 is
asked.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

from holdfast.interfaces import Model
from holdfast.models.load import load
from holdfast.models.save import save

QWEN = {
    "hidden_size": 896,
    "intermediate_size": 4864,
    "num_hidden_layers": 24,
    "num_attention_heads": 14,
    "num_key_value_heads": 2,
    "vocab_size": 151_936,
    "tie_word_embeddings": True,
}
LLAMA = {
    "hidden_size": 512,
    "intermediate_size": 1408,
    "num_hidden_layers": 36,
    "num_attention_heads": 8,
    "vocab_size": 32_000,
}
SMALL_STEPS = {"training.steps": 8, "training.batch_size": 4}
CASES = {
    "llama-repnoise": ("llama", "repnoise", SMALL_STEPS),
    "llama-tar": ("llama", "tar", SMALL_STEPS),
    "qwen-repnoise": ("qwen", "repnoise", SMALL_STEPS),
    "qwen-lora": ("qwen", "repnoise", {**SMALL_STEPS, "training.lora_rank": 16, "training.freeze_embeddings": False}),
    "qwen-npo": ("qwen", "npo", {**SMALL_STEPS, "training.accumulation": 4}),
}


def written(name: str, place: Path) -> None:
    tokenizer = load("arcana").tokenizer
    ids = {
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "max_position_embeddings": 256,
    }
    torch.manual_seed(0)
    network = (
        Qwen2ForCausalLM(Qwen2Config(**QWEN, **ids))
        if name == "qwen"
        else LlamaForCausalLM(LlamaConfig(**LLAMA, **ids))
    )
    save(Model(network=network, tokenizer=tokenizer, name=name, origin={}), place)


def planned(place: Path, defence: str, settings: list[str]) -> dict[str, float]:
    command = ["holdfast", "plan-memory", str(place), "--defence", defence, *settings, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def measured(place: Path, defence: str, settings: list[str], output: Path) -> tuple[float, float]:
    """Bytes at most, and seconds."""
    begin = time.perf_counter()
    command = ["holdfast", "harden", str(place), defence, *settings, "-o", str(output), "--quiet"]
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, f"{command} failed"
    unit = 1 if sys.platform == "darwin" else 1024
    return usage.ru_maxrss * unit, time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=CASES, action="append", help="which cases; all unless given")
    options = parser.parse_args()
    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for case in options.only or CASES:
            name, defence, given = CASES[case]
            place, output = Path(folder, name), Path(folder, f"{case}-hardened")
            if not place.exists():
                written(name, place)
            settings = [part for field, value in given.items() for part in ("-s", f"{field}={json.dumps(value)}")]
            plan = planned(place, defence, settings)
            peak, seconds = measured(place, defence, settings, output)
            figures[case] = {
                "planned_gigabytes": round(plan["peak"] / 1e9, 2),
                "measured_gigabytes": round(peak / 1e9, 2),
                "memory": round(plan["peak"] / peak, 3),
                "planned_seconds": round(plan["seconds"], 1),
                "measured_seconds": round(seconds, 1),
                "time": round(plan["seconds"] / seconds, 3),
            }
            print(case, json.dumps(figures[case]), file=sys.stderr)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
