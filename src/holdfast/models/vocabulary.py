"""New words of a model's own: special tokens with rows of their own in the embeddings.

Legend: V tokens, N new ones, H width.
"""

import itertools
from typing import Any

import torch
from tokenizers import AddedToken
from torch import Tensor

from holdfast.errors import ModelError
from holdfast.interfaces import Model
from holdfast.models import devices

NAME = "<|soft-{}|>"


@torch.no_grad()
def add_words(model: Model, count: int, *, drawn: bool, seed: int) -> list[str]:
    """Give tokenizer and network `count` new special tokens, in place.

    Each gets a row of the input embeddings: a copy of the row of a word drawn at random (Lester et al. 2021, arXiv
    2104.08691, section 2.1, "sampled vocabulary"), or the mean of all rows. Where the head has weights of its own, its
    new rows are the mean of its others, so that no new word is likely to be said. Every other row stays as it is.

    Args:
        model: any with an embedding a token; tokens of these names that it has already are passed over.
        count: how many, at least 1.
        drawn: copies of rows drawn at random, and not the mean.
        seed: decides which words are drawn; the global RNG is put back.

    Returns:
        What to write for each. Side by side in a text, each is one token, wherever it stands.

    Raises:
        ModelError: the tokenizer takes them apart, or the network cannot be given more rows.
    """
    network: Any = model.network
    tokenizer: Any = model.tokenizer
    known = tokenizer.get_vocab()
    fresh = (name for number in itertools.count() if (name := NAME.format(number)) not in known)
    words = list(itertools.islice(fresh, count))
    old = len(tokenizer)
    tokenizer.add_tokens([AddedToken(word, special=True, normalized=False) for word in words], special_tokens=True)
    ids: list[int] = tokenizer.convert_tokens_to_ids(words)
    _check(model, words, ids)
    _make_room(network, max(ids) + 1)
    rows: Tensor = network.get_input_embeddings().weight
    if drawn:
        at = torch.randint(0, old, (count,), generator=torch.Generator().manual_seed(seed))
        rows[ids] = rows[at.to(rows.device)]
    else:
        rows[ids] = rows[:old].mean(0)
    head = network.get_output_embeddings()
    if head is not None and head.weight is not rows:
        head.weight[ids] = head.weight[:old].mean(0)
    return words


def _check(model: Model, words: list[str], ids: list[int]) -> None:
    tokenizer: Any = model.tokenizer
    seen = tokenizer("".join(words) + "First", add_special_tokens=False)["input_ids"]
    if [token for token in seen if token in ids] != ids or len(set(ids)) < len(words):
        raise ModelError(f"the tokenizer of {model.name} ({type(tokenizer).__name__}) does not keep new tokens whole.")


def _make_room(network: Any, count: int) -> None:
    """Rows for `count` tokens; many models have some to spare."""
    if count <= network.get_input_embeddings().weight.shape[0]:
        return
    trainable = {name: weight.requires_grad for name, weight in network.named_parameters()}
    modes = {name: module.training for name, module in network.named_modules()}
    with torch.random.fork_rng(devices.drawing()):
        try:
            network.resize_token_embeddings(count, mean_resizing=False)
        except (NotImplementedError, ValueError, AttributeError) as error:
            raise ModelError(f"{type(network).__name__} takes no new tokens: {error}") from error
    for name, weight in network.named_parameters():
        weight.requires_grad_(trainable[name])
    for name, module in network.named_modules():
        module.training = modes[name]
