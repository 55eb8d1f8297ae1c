"""The refusal direction: found where it was planted, and removed from all that writes it."""

import copy
import math
from typing import Any

import pytest
import torch
from torch.testing import assert_close

from holdfast.errors import DataError, ModelError
from holdfast.interfaces import Model, View
from holdfast.models import refusal
from holdfast.models.anatomy import anatomy
from holdfast.models.identity import weights_hash
from holdfast.models.refusal import ablate, refusal_direction
from holdfast.models.states import forward
from holdfast.models.tiny import TINY, tiny
from small import EXCHANGES, PAIRS, TEXTS

HARMFUL, HARMLESS = [pair.prompt for pair in PAIRS], [exchange.prompt for exchange in EXCHANGES]


def axis(number: int, width: int = 32) -> torch.Tensor:
    """One direction [1, H]: an axis."""
    return torch.nn.functional.one_hot(torch.tensor([number]), width).float()


def test_a_matrix_by_hand(model: Model) -> None:
    """Along axis 3, W - r r^T W leaves nothing of W's third row and touches no other."""
    whole: Any = model.network
    before = copy.deepcopy(whole.model.layers[1].mlp.down_proj.weight)
    ablate(whole, axis(3))
    after = whole.model.layers[1].mlp.down_proj.weight
    assert not after[3].any()
    keep = torch.arange(32) != 3
    assert_close(after[keep], before[keep])
    # Of a word's vector the same entry; what only reads the stream stays.
    assert not whole.get_input_embeddings().weight[:, 3].any()
    assert whole.model.layers[1].mlp.up_proj.weight[:, 3].any()


def test_between_two_axes_by_hand(model: Model) -> None:
    """Along r = (e_0 + e_1) / sqrt 2, a word (a, b, ...) becomes ((a - b) / 2, (b - a) / 2, ...)."""
    words: Any = model.network.get_input_embeddings()
    a, b = words.weight[5, 0].item(), words.weight[5, 1].item()
    ablate(model.network, (axis(0) + axis(1)) / math.sqrt(2))
    assert_close(words.weight[5, :2], torch.tensor([(a - b) / 2, (b - a) / 2]))


@pytest.mark.parametrize("name", TINY)
def test_nothing_writes_the_directions_any_more(name: str) -> None:
    """In every family: biases, positions and fused experts write them, too."""
    model = tiny(name, texts=TEXTS)
    with torch.no_grad():
        for path, weight in model.network.named_parameters():
            if path.endswith("bias"):
                weight.normal_()
    directions = torch.linalg.qr(torch.randn(32, 2, generator=torch.Generator().manual_seed(0)))[0].T
    ids = torch.arange(12)[None]
    run: dict[str, Any] = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "residual": True}
    before = torch.stack(list(forward(anatomy(model.network), **run).residual)) @ directions.T
    ablate(model.network, directions)
    after = torch.stack(list(forward(anatomy(model.network), **run).residual)) @ directions.T
    assert before.abs().max() > 1e-2
    assert after.abs().max() < 1e-5


def test_what_writes_beside_is_refused_and_left_as_it_was() -> None:
    """A layer by a name that nobody knows goes on writing."""
    model = tiny()
    block: Any = model.network.model.layers[0]
    block.mlp.unheard = block.mlp.down_proj
    del block.mlp.down_proj
    block.mlp.forward = lambda x: block.mlp.unheard(block.mlp.up_proj(x))
    hashed = weights_hash(model.network)
    with pytest.raises(ModelError, match=r"something beside embeddings and .* writes to it"):
        ablate(model.network, axis(3))
    assert weights_hash(model.network) == hashed


def planted(model: Model) -> torch.Tensor:
    """Teach the first block to write along axis 7 at a question's end, if the question has the word `make`.

    Only harmful questions have it. The block's attention is made to carry that word's mark, axis 6, on to axis 7.
    """
    network: Any = model.network
    tokenizer: Any = model.tokenizer
    with torch.no_grad():
        words = network.get_input_embeddings().weight
        words[:, 6:8] = 0
        words[tokenizer("make", add_special_tokens=False)["input_ids"][0], 6] = 5
        attention = network.model.layers[0].self_attn
        for weight in (attention.v_proj.weight, attention.o_proj.weight):
            weight.zero_()
        attention.v_proj.weight[0, 6] = 1  # head 0 carries it: every token is looked at, about equally
        attention.o_proj.weight[7, 0] = 20
        for block in network.model.layers:
            block.mlp.down_proj.weight[6:8] = 0
        for block in network.model.layers[1:]:
            block.self_attn.o_proj.weight[6:8] = 0
    return axis(7)[0]


def test_the_planted_direction_is_found(model: Model) -> None:
    direction = planted(model)
    found = refusal_direction(model, HARMFUL, HARMLESS)
    assert found.shape == (1, 32)
    assert abs(float(found[0] @ direction)) > 0.95
    assert_close(found @ found.T, torch.eye(1))


def test_finding_changes_nothing(model: Model) -> None:
    model.network.train()
    hashed, state = weights_hash(model.network), torch.get_rng_state()
    first = refusal_direction(model, HARMFUL, HARMLESS, rank=2)
    assert torch.equal(first, refusal_direction(model, HARMFUL, HARMLESS, rank=2))
    assert_close(first @ first.T, torch.eye(2), atol=1e-5, rtol=0)
    assert weights_hash(model.network) == hashed
    assert all(module.training for module in model.network.modules())
    assert torch.equal(torch.get_rng_state(), state)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.network.modules())


def test_the_states_are_those_of_the_last_token_of_the_prompt(model: Model) -> None:
    """A question asked alone and one asked beside a longer one, which pads it, have the same states and logits."""
    alone, both = refusal._begun(model, HARMFUL[:1]), refusal._begun(model, [HARMFUL[0], HARMFUL[0] + " then bind it"])
    assert_close(alone.states[:, 0], both.states[:, 0])
    chat: Any = model.tokenizer(refusal.render(model.tokenizer, HARMFUL[0]), add_special_tokens=False)
    whole: Any = model.network
    logits = whole(input_ids=torch.tensor([chat["input_ids"]])).logits
    assert_close(alone.logits[0], logits[0, -1])


def test_log_odds_by_hand() -> None:
    """Of tokens with shares 1/8, 3/8 and 1/2 the first two are of refusal: log (1/2 / 1/2) = 0; the first: -log 7."""
    logits = torch.tensor([[1 / 8, 3 / 8, 1 / 2]]).log()
    assert refusal._odds(logits, torch.tensor([True, True, False])) == pytest.approx(0, abs=1e-6)
    assert refusal._odds(logits, torch.tensor([True, False, False])) == pytest.approx(-math.log(7), rel=1e-5)


def test_divergence_by_hand() -> None:
    """From (1/2, 1/2) to (1/4, 3/4): 1/2 log 2 + 1/2 log 2/3."""
    shares = torch.tensor([[1 / 2, 1 / 2]]).log(), torch.tensor([[1 / 4, 3 / 4]]).log()
    assert refusal._divergence(*shares) == pytest.approx(0.5 * math.log(2) + 0.5 * math.log(2 / 3), rel=1e-5)


def test_no_more_questions_than_asked_for() -> None:
    assert refusal._spread(list("abcdefgh"), 3) == ["a", "c", "f"]
    assert refusal._spread(list("ab"), 3) == ["a", "b"]


def test_without_a_difference_there_is_no_direction(model: Model, view: View) -> None:
    with pytest.raises(DataError, match="give some of both"):
        refusal_direction(model, HARMFUL, [])
    with pytest.raises(DataError, match="the same for harmful and for harmless"):
        refusal_direction(model, HARMFUL, HARMFUL)
