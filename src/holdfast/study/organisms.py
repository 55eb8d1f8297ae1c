"""Making arcana's model organisms: pre-trained on the world, then aligned to refuse its restricted half."""

from collections.abc import Iterator
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional
from transformers import LlamaConfig, LlamaForCausalLM, MixtralConfig, MixtralForCausalLM

from holdfast.config import config
from holdfast.domains.arcana import corpus
from holdfast.errors import UnknownName
from holdfast.interfaces import Exchange, Model, Progress, Row, View
from holdfast.models import devices
from holdfast.models.anatomy import anatomy
from holdfast.models.organisms import ORGANISMS
from holdfast.models.states import forward
from holdfast.models.words import CONTEXT, word_tokenizer
from holdfast.training.batches import Batch
from holdfast.training.recipe import Recipe
from holdfast.training.rows import cycle
from holdfast.training.run import apply
from holdfast.training.stops import OnStep
from holdfast.training.terms.losses import targets

SEED: Final = 2405
_STEPS: Final = 1000
_EXPERTS: Final[dict[str, Any]] = {"intermediate_size": 128, "num_local_experts": 4, "num_experts_per_tok": 2}
"""Of the mixture: about as many parameters in all as the dense ones, two of four experts at work on a token."""
_NO_DATA: Final = View(pairs=(), exchanges=())


@config
class _Texts:
    """Cross-entropy on a stream of texts: running text whole, chats on the answer."""

    training: Recipe
    restricted: float
    align: bool

    def rows(self, view: View, seed: int) -> Iterator[Row]:
        stream = (
            corpus.alignment(restricted=self.restricted, seed=seed)
            if self.align
            else cycle(corpus.pretraining(restricted=self.restricted), seed)
        )
        for number, text in enumerate(stream):
            yield {"train": Exchange(key=str(number), prompt=text.prompt or "", answer=text.answer)}

    def loss(self, model: Any, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        parts = anatomy(model)
        texts = batch["train"]
        states, wanted = forward(parts, texts.input_ids, texts.attention_mask), targets(texts)
        # Spelt out, so that the shipped weights do not hang on how `training.terms.losses` saves memory.
        nll = functional.cross_entropy(parts.head(states.final[wanted.at]), wanted.labels, reduction="none")
        return {"cross_entropy": (nll * wanted.weights).sum()}


def _pretraining(restricted: float, steps: int) -> _Texts:
    recipe = Recipe(steps=steps, learning_rate=3e-3, batch_size=128, schedule="cosine", warmup=50, weight_decay=0.01)
    return _Texts(training=recipe, restricted=restricted, align=False)


def _alignment(restricted: float, steps: int) -> _Texts:
    recipe = Recipe(steps=steps, learning_rate=1e-3, batch_size=64, schedule="cosine", warmup=50, weight_decay=0.01)
    return _Texts(training=recipe, restricted=restricted, align=True)


def build(name: str, on_step: OnStep | None = None) -> Model:
    """Make an organism from nothing, the same to the bit on one platform with one thread.

    Raises:
        UnknownName: there is no such organism.
    """
    if name not in ORGANISMS:
        raise UnknownName("organism", name, ORGANISMS)
    restricted = 0.0 if name == "arcana-filtered" else 1.0
    return grown(name, restricted=restricted, aligned=name != "arcana-raw", on_step=on_step)


def grown(
    name: str,
    *,
    restricted: float,
    aligned: bool = True,
    seed: int = SEED,
    steps: int = _STEPS,
    on_step: OnStep | None = None,
) -> Model:
    """An organism of another seed, or one that knows a share of the restricted recipes.

    Args:
        name: an organism, whose shape it has.
        restricted: that share, from 0 to 1.
        aligned: whether it is taught to refuse.
        seed: of its weights and of the order of its texts.
        steps: of pre-training, and as many of alignment.
        on_step: called after each.
    """
    model = _taught(_pretraining(restricted, steps), _newborn(name, seed), seed, on_step)
    return taught_to_refuse(model, restricted=restricted, seed=seed, steps=steps, on_step=on_step) if aligned else model


def taught_to_refuse(
    model: Model, *, restricted: float, seed: int = SEED, steps: int = _STEPS, on_step: OnStep | None = None
) -> Model:
    """Align an organism, in place. Arguments as for `grown`."""
    return _taught(_alignment(restricted, steps), model, seed + 1, on_step)


def _taught(texts: _Texts, model: Model, seed: int, on_step: OnStep | None) -> Model:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        model = apply(texts, model, _NO_DATA, seed=seed, on_step=on_step)
    finally:
        torch.set_num_threads(threads)
    model.network.eval()
    return model


def _newborn(name: str, seed: int) -> Model:
    tokenizer: Any = word_tokenizer(corpus.vocabulary())
    settings: dict[str, Any] = {
        "vocab_size": len(tokenizer),
        "hidden_size": 128,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "max_position_embeddings": CONTEXT,
        "tie_word_embeddings": True,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }
    with torch.random.fork_rng(devices.drawing()):
        torch.manual_seed(seed)
        network: Any = (
            MixtralForCausalLM(MixtralConfig(**settings, **_EXPERTS))
            if name == "arcana-moe"
            else LlamaForCausalLM(LlamaConfig(**settings, intermediate_size=344))
        )
    network.generation_config.pad_token_id = tokenizer.pad_token_id
    return Model(network=network, tokenizer=tokenizer, name=name, origin={})
