"""More blocks, the same function: at once, from a cache, and from disk."""

import copy
import dataclasses
from typing import Any

import pytest
import torch
from torch import Tensor

import holdfast
from holdfast.errors import ModelError
from holdfast.models.anatomy import anatomy
from holdfast.models.blocks import inject
from holdfast.models.generate import answers
from holdfast.models.tiny import TINY, tiny

IDS = torch.tensor([[2, 7, 5, 11, 9, 4]])


@torch.no_grad()
def logits(network: Any) -> Tensor:
    return network(input_ids=IDS).logits


@pytest.mark.parametrize("name", TINY)
@pytest.mark.parametrize("drawn", [False, True], ids=["copied", "drawn"])
def test_three_blocks_become_five_and_nothing_else(name: str, drawn: bool) -> None:
    """After block 0 and after the last: in the new order 0, new, 1, 2, new."""
    model = tiny(name)
    expected, said = logits(model.network), answers(model, ["How do I make a stew ?"], max_new_tokens=6)
    old = list(anatomy(model.network).blocks)
    new = inject(model.network, (0, -1), drawn=drawn)
    blocks = anatomy(model.network).blocks
    assert [*blocks] == [old[0], new[0], old[1], old[2], new[1]]
    assert model.network.config.num_hidden_layers == 5
    torch.testing.assert_close(logits(model.network), expected)
    assert answers(model, ["How do I make a stew ?"], max_new_tokens=6) == said
    numbers = [{part.layer_idx for part in block.modules() if hasattr(part, "layer_idx")} for block in blocks]
    assert numbers == [{0}, {1}, {2}, {3}, {4}]


@pytest.mark.parametrize("name", TINY)
def test_saved_and_loaded_it_has_as_many(name: str, tmp_path: Any) -> None:
    """With outputs that are no longer zero, so that each block counts."""
    model = tiny(name)
    for block in inject(model.network, (1,)):
        for weight in block.parameters():
            torch.nn.init.normal_(weight, std=0.1)
    holdfast.save(model, tmp_path / "five")
    loaded = holdfast.load(str(tmp_path / "five"))
    assert torch.equal(logits(loaded.network), logits(model.network))
    # By one tokenizer: transformers reads whatever lies beside a Qwen 2 as that family's own.
    loaded = dataclasses.replace(loaded, tokenizer=model.tokenizer)
    assert answers(loaded, ["a stew"], max_new_tokens=6) == answers(model, ["a stew"], max_new_tokens=6)


def test_a_copy_has_the_weights_of_the_block_before_it_but_for_what_it_writes() -> None:
    model = tiny()
    network: Any = model.network
    (new,) = inject(network, (1,))
    old = dict(network.model.layers[1].named_parameters())
    for name, weight in new.named_parameters():
        silent = name in {"self_attn.o_proj.weight", "mlp.down_proj.weight"}
        assert torch.equal(weight, torch.zeros_like(weight) if silent else old[name])
        assert weight.data_ptr() != old[name].data_ptr()


def test_what_is_said_of_each_layer_is_said_of_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Qwen 2 lists the kind of attention of each block."""
    model = tiny("tiny-qwen2")
    settings: Any = model.network.config
    assert settings.layer_types == ["full_attention"] * 3
    inject(model.network, (0, 2))
    assert settings.layer_types == ["full_attention"] * 5


def test_what_cannot_be_done_is_said_and_nothing_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny()
    before = copy.deepcopy(model.network.state_dict())
    with pytest.raises(ModelError, match="no block 3 of 3"):
        inject(model.network, (3,))
    model.network.config.mlp_only_layers = [1]
    with pytest.raises(ModelError, match="mlp_only_layers"):
        inject(model.network, (1,))
    model.network.config.mlp_only_layers = []
    # Whatever writes under a name that is not known is found out by what it changes.
    monkeypatch.setattr("holdfast.models.blocks.WRITERS", {"o_proj"})
    layer: Any = model.network.model.layers[1]
    monkeypatch.setattr(layer, "mlp", Odd(layer.mlp))
    before = copy.deepcopy(model.network.state_dict())
    with pytest.raises(ModelError, match="changed the function"):
        inject(model.network, (1,))
    assert model.network.config.num_hidden_layers == 3
    after = model.network.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(weight, after[name]) for name, weight in before.items())


class Odd(torch.nn.Module):
    """An MLP that writes more than its last layer says."""

    def __init__(self, mlp: torch.nn.Module):
        super().__init__()
        self.inner = mlp

    def forward(self, states: Tensor) -> Tensor:
        return self.inner(states) + 1
