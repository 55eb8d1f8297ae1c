"""Answers by vLLM (https://docs.vllm.ai), in place of transformers: many times faster on a GPU, for what is measured.

vLLM holds the weights a second time, read from a directory. So they are written to one, and its engine lives until
other weights are asked: worth it where many questions are put to one model, not at each rung of an attack.
"""

import atexit
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from holdfast.errors import ConfigError, ModelError
from holdfast.interfaces import Model
from holdfast.models.chat import context_length
from holdfast.models.frozen import copied
from holdfast.models.identity import weights_hash

MEMORY: Final = 0.45
"""The share of a GPU's memory that vLLM may take: the network itself lies there, too."""
_STEP: Final = 1024
"""Tokens by which the length that an engine is made for is rounded up: another length is another engine."""


class _Engine(NamedTuple):
    weights: str
    length: int
    """Tokens that a prompt and its answer may have together."""
    llm: Any
    folder: Path


_engine: list[_Engine] = []
"""The one there is, if any."""


def generated(
    model: Model, chats: Sequence[str], *, max_new_tokens: int, temperature: float, seed: int, ends: Sequence[int]
) -> list[list[int]]:
    """The tokens that a model goes on with after each text. Arguments as for `models.generate.answers`.

    Args:
        chats: texts with all special tokens in them.
        ends: tokens that end an answer.

    Raises:
        ConfigError: vLLM is not installed.
        ModelError: it cannot run this model.
    """
    try:
        from vllm import SamplingParams  # type: ignore[import-not-found] - it is no dependency
    except ImportError:
        raise ConfigError(
            "vLLM is not installed here: install it as https://docs.vllm.ai says for this machine's GPU, "
            "or leave out --generator."
        ) from None
    encoded: Any = model.tokenizer(list(chats), add_special_tokens=False)
    asked = [{"prompt_token_ids": ids} for ids in encoded["input_ids"]]
    how = [
        SamplingParams(
            max_tokens=max_new_tokens,
            temperature=temperature,
            top_p=1.0,
            top_k=0,
            # vLLM draws for each prompt by itself: of one seed, equal prompts would have equal answers.
            seed=seed + number if temperature else None,
            stop_token_ids=list(ends),
            detokenize=False,
        )
        for number in range(len(asked))
    ]
    longest = max((len(ids) for ids in encoded["input_ids"]), default=0) + max_new_tokens
    told: Any = _running(model, longest).generate(asked, how, use_tqdm=False)
    return [list(one.outputs[0].token_ids) for one in told]


def _running(model: Model, longest: int) -> Any:
    """An engine with these weights, for texts that are so long."""
    weights = weights_hash(model.network)
    if not _engine or _engine[0].weights != weights or _engine[0].length < longest:
        end()
        # Not all of the context, which vLLM would keep room for: that of Llama 3.1 takes 17 GB.
        length = -(-longest // _STEP) * _STEP
        _engine.append(_started(model, weights, min(length, context_length(model.network) or length)))
    return _engine[0].llm


def _started(model: Model, weights: str, length: int) -> _Engine:
    from vllm import LLM  # type: ignore[import-not-found] - it is no dependency

    folder = Path(tempfile.mkdtemp(prefix="holdfast-vllm-"))
    try:
        _plain(model.network).save_pretrained(folder)
        model.tokenizer.save_pretrained(folder)
        llm = LLM(
            model=str(folder),
            dtype=str(model.network.dtype).removeprefix("torch."),
            max_model_len=length,
            gpu_memory_utilization=MEMORY,
            generation_config="vllm",  # not the model's own habits
        )
    except (OSError, RuntimeError, ValueError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise ModelError(f"vLLM cannot run {model.name}: {' '.join(str(error).split())[:300]}") from error
    return _Engine(weights, length, llm, folder)


def _plain(network: Any) -> Any:
    """A network with its adapter merged, in a copy: PEFT would write the adapter alone."""
    return copied(network).merge_and_unload() if hasattr(network, "peft_config") else network


@atexit.register
def end() -> None:
    """Leave nothing of the engine there is."""
    while _engine:
        shutil.rmtree(_engine.pop().folder, ignore_errors=True)
