"""A bias of a head's values is an offset to its output, and the model that has one is an ordinary one."""

from typing import Any

import pytest
import torch

import holdfast
from holdfast.errors import ModelError
from holdfast.models.biases import value_biases
from holdfast.models.tiny import tiny

IDS = torch.tensor([[2, 7, 5, 11, 9, 4]])


@pytest.mark.parametrize("name", ["tiny-llama", "tiny-gemma", "tiny-qwen2"])
def test_at_first_nothing_is_to_be_seen_and_it_loads(name: str, tmp_path: Any) -> None:
    model = tiny(name)
    with torch.no_grad():
        before = model.network(input_ids=IDS).logits
        values = value_biases(model.network)
        assert [(layer.bias.shape, size) for layer, size in values] == [((16,), 8)] * 3
        torch.testing.assert_close(model.network(input_ids=IDS).logits, before, rtol=0, atol=0)
        for layer, _ in values:
            torch.nn.init.normal_(layer.bias)
        holdfast.save(model, tmp_path / "biased")
        loaded = holdfast.load(str(tmp_path / "biased"))
        assert torch.equal(loaded.network(input_ids=IDS).logits, model.network(input_ids=IDS).logits)
        assert not torch.allclose(loaded.network(input_ids=IDS).logits, before)


def test_it_is_an_offset_to_the_head_at_every_token() -> None:
    """Two heads of queries share one of keys and values: an offset b to its values comes out of both, whatever is seen.

    The output of the attention before `o_proj` is [4 heads x 8]; heads 2 and 3 read values 8 to 15.
    """
    model = tiny("tiny-llama")
    attention: Any = model.network.model.layers[1].self_attn
    seen: list[torch.Tensor] = []
    attention.o_proj.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    offset = torch.arange(8.0)
    with torch.no_grad():
        model.network(input_ids=IDS)
        value_biases(model.network)[1].layer.bias[8:] = offset
        model.network(input_ids=IDS)
    added = (seen[1] - seen[0])[0]
    torch.testing.assert_close(added, torch.cat([torch.zeros(16), offset, offset]).expand(6, 32), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["tiny-gpt2", "tiny-gpt-neox", "tiny-mistral", "tiny-mixtral"])
def test_where_there_is_no_such_bias_it_is_said(name: str) -> None:
    model = tiny(name)
    before = model.network.config.to_dict()
    with pytest.raises(ModelError, match="architecture such as Llama"):
        value_biases(model.network)
    assert model.network.config.to_dict() == before
