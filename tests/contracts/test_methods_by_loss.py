"""What every method that has a loss keeps to: no answer token is left out, and micro-batches add up."""

import copy
import itertools
from typing import Any

import pytest
import torch

from holdfast import plugins
from holdfast.config import build, fields, replace
from holdfast.interfaces import Model, Progress, View
from holdfast.models.anatomy import anatomy
from holdfast.study.view import attacker, defender
from holdfast.training.batches import Tokens, as_batch
from holdfast.training.collate import Collator
from holdfast.training.recipe import Recipe
from holdfast.training.run import apply
from holdfast.training.terms.losses import targets
from small import FakeDomain

EVERY = [
    (kind, name)
    for kind in ("defences", "attacks")
    for name in plugins.names(kind)
    if hasattr(plugins.find(kind, name), "loss") or hasattr(plugins.find(kind, name), "start")
]
FEW = {"texts": 32, "each": 2}
"""Of what a model writes first; a few show as much."""
plugin = pytest.mark.parametrize(("kind", "name"), EVERY, ids=[f"{kind}-{name}" for kind, name in EVERY])
NOT_LINEAR = {
    "repnoise": "its MMD compares all answers of a batch with each other, and it takes the log of a batch's mean",
    "triplet": "what pushes harmful states apart is their mean over the batch",
}

OF_STATES = dict.fromkeys(
    ("circuit_breakers", "rmu", "triplet"),
    "it reads states below the last block; its own tests look where its gradient arrives",
)


@pytest.fixture
def view(kind: str) -> View:
    """What a party may use: all that a domain has for it."""
    return attacker(FakeDomain()) if kind == "attacks" else defender(FakeDomain())


def by_loss(method: Any, model: Model, view: View) -> Any:
    """What has the loss: the method, or what it makes of the model at the start."""
    started = method.start(model, view, 0) if hasattr(method, "start") else method
    if not hasattr(started, "loss"):
        pytest.skip("it gives a gradient that no single loss has")
    return started


def few(kind: str, name: str, settings: dict[str, Any] | None = None) -> Any:
    """A plug-in with its defaults, but for little that it has written."""
    cls = plugins.find(kind, name)
    return build(cls, {field: value for field, value in {**FEW, **(settings or {})}.items() if field in fields(cls)})


def place(tokens: Tokens, ids: torch.Tensor) -> tuple[slice, slice] | None:
    """Where a role's rows are in a forward pass [B, T], which may be of several roles."""
    rows, columns = tokens.input_ids.shape
    for first in range(len(ids) - rows + 1):
        where = (slice(first, first + rows), slice(columns))
        if torch.equal(ids[where], tokens.input_ids):
            return where
    return None


@plugin
def test_the_gradient_reaches_every_answer_token(kind, name, model, view):
    """After the last block no token sees another, so the gradient at a state there is that of its own logits.

    An ascent that ends at ln V leaves out tokens whose loss is above it, on purpose; it is switched off.
    """
    if name in OF_STATES:
        pytest.skip(OF_STATES[name])
    method = few(kind, name, {"bounded": False})
    started = by_loss(method, model, view)
    rows = (started if hasattr(started, "rows") else method).rows(view, 0)
    batch = as_batch(Collator(model.tokenizer, None)(list(itertools.islice(rows, 4))))
    passes: list[tuple[torch.Tensor, torch.Tensor]] = []
    parts = anatomy(model.network)

    def keep_ids(_: Any, args: Any, kwargs: Any) -> None:
        passes.append((kwargs["input_ids"], torch.empty(0)))

    def keep_states(_: Any, inputs: Any, output: Any) -> None:
        states = output[0] if isinstance(output, tuple) else output
        states.retain_grad()
        passes[-1] = (passes[-1][0], states)

    with (
        parts.trunk.register_forward_pre_hook(keep_ids, with_kwargs=True),
        parts.blocks[-1].register_forward_hook(keep_states),
    ):
        terms = started.loss(model.network, batch, Progress(0, 10))
    torch.stack([term.reshape(()) for term in terms.values()]).sum().backward()
    # A method may leave a role of its rows alone, but not all of them.
    used = {role for role, tokens in batch.items() if any(place(tokens, ids) for ids, _ in passes)}
    assert used
    for role in used:
        tokens = batch[role]
        reached = torch.zeros_like(tokens.answer_mask)
        for ids, states in passes:
            there = place(tokens, ids)
            if there and states.grad is not None:
                reached |= states.grad[there].abs().amax(-1) > 0
        wanted = targets(tokens).at
        # All of a chat's answer; of running text all but its first token, before which there is nothing.
        assert wanted.sum() == tokens.answer_mask[:, 1:].sum()
        assert (reached & wanted).sum() == wanted.sum(), f"{role}: {wanted & ~reached}"
        # Nothing comes from padding, nor from the prompt but for its last token, which predicts the answer.
        stray = reached & ~wanted & ~tokens.answer_mask
        assert not stray.any(), f"{role}: {stray}"


@plugin
def test_one_micro_batch_equals_four(kind, name, model, view):
    if name in NOT_LINEAR:
        pytest.skip(NOT_LINEAR[name])
    short = few(kind, name)
    by_loss(short, model, view)
    ends = []
    frozen = short.training.freeze_embeddings  # a method may insist on it
    plain = Recipe(steps=2, batch_size=8, optimiser="sgd", learning_rate=0.1, freeze_embeddings=frozen)
    for accumulation in (1, 4):
        recipe = replace(plain, {"accumulation": accumulation})
        copied = replace(model, {"network": copy.deepcopy(model.network)})
        method = replace(short, {"training": recipe})
        ends.append(list(apply(method, copied, view, seed=0).network.parameters()))
    for one, four in zip(*ends, strict=True):
        torch.testing.assert_close(one, four, atol=2e-6, rtol=0)
