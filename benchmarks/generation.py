"""How much faster answers come in batches than from a plain loop over single prompts, and whether they are the same.

The plain loop is what one writes first: `tokenizer.apply_chat_template`, `model.generate` greedily, decode, a prompt at
a time. Both have a key-value cache, and both stop at the end of an answer.

- `arcana`: the shipped organism on its evaluation questions and harmless ones, whose answers end by themselves.
- `random`: a randomly initialised Llama (width 512, 8 layers, vocabulary 32,000), 64 prompts of 8 to 64 tokens, 48 new
  tokens each, none of which ends early: the same work for both.

    python benchmarks/generation.py

The last line is one JSON object: tokens a second of each, their ratio pair by pair (at least 3 is asked for), and the
share of answers that are the same to the letter.
"""

import argparse
import json
import random
import time

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from holdfast.domains.arcana import Arcana
from holdfast.interfaces import Model
from holdfast.models.generate import answers
from holdfast.models.load import load
from holdfast.models.words import word_tokenizer

THREADS = 2


def plainly(model: Model, prompts: list[str], count: int) -> list[str]:
    said = []
    for prompt in prompts:
        text = model.tokenizer.apply_chat_template(
            [{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True
        )
        inputs = model.tokenizer(text, add_special_tokens=False, return_tensors="pt")
        with torch.no_grad():
            ids = model.network.generate(**inputs, max_new_tokens=count, do_sample=False)
        said.append(model.tokenizer.decode(ids[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True))
    return said


def in_batches(model: Model, prompts: list[str], count: int) -> list[str]:
    return answers(model, prompts, max_new_tokens=count)


def organism() -> tuple[Model, list[str], int]:
    domain = Arcana()
    prompts = [one.prompt for one in (*domain.pairs("evaluation"), *domain.exchanges("permitted"))]
    return load("arcana"), prompts[::3], domain.max_new_tokens


def drawn() -> tuple[Model, list[str], int]:
    torch.manual_seed(0)
    rng = random.Random(0)
    words = [f"w{number}" for number in range(31_993)]
    tokenizer = word_tokenizer(words)
    config = LlamaConfig(
        hidden_size=512,
        intermediate_size=1408,
        num_hidden_layers=8,
        num_attention_heads=8,
        vocab_size=len(tokenizer),
        max_position_embeddings=256,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    network = LlamaForCausalLM(config).eval()
    network.generation_config.pad_token_id = tokenizer.pad_token_id
    prompts = [" ".join(rng.choices(words, k=rng.randint(8, 64))) for _ in range(64)]
    return Model(network=network, tokenizer=tokenizer, name="random", origin={}), prompts, 48


def compared(model: Model, prompts: list[str], count: int, rounds: int) -> dict[str, float]:
    said, taken = {}, {"plain": [], "batched": []}
    for _ in range(rounds):
        for name, way in (("plain", plainly), ("batched", in_batches)):
            begin = time.perf_counter()
            said[name] = way(model, prompts, count)
            taken[name].append(time.perf_counter() - begin)
    tokens = sum(len(model.tokenizer(text, add_special_tokens=False)["input_ids"]) for text in said["plain"])
    seconds = {name: np.array(times) for name, times in taken.items()}
    return {
        "prompts": len(prompts),
        "tokens": tokens,
        "plain_tokens_per_second": round(tokens / float(np.median(seconds["plain"])), 1),
        "batched_tokens_per_second": round(tokens / float(np.median(seconds["batched"])), 1),
        "ratio": round(float(np.median(seconds["plain"] / seconds["batched"])), 2),
        "same_answers": float(np.mean([a == b for a, b in zip(said["plain"], said["batched"], strict=True)])),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="pairs of runs")
    options = parser.parse_args()
    torch.set_num_threads(THREADS)
    made = {"arcana": organism(), "random": drawn()}
    print(json.dumps({name: compared(*given, options.rounds) for name, given in made.items()} | {"threads": THREADS}))


if __name__ == "__main__":
    main()
