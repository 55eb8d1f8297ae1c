"""The routers of mixtures of experts: found in each family, read as the blocks read them, and left as they were."""

from typing import Any

import pytest
import torch
from torch.nn import functional
from transformers import CONFIG_MAPPING, AutoModelForCausalLM

from holdfast.errors import ModelError
from holdfast.models.anatomy import anatomy
from holdfast.models.routers import routers, routing
from holdfast.models.tiny import TINY, tiny
from holdfast.training.lora import add_lora
from holdfast.training.recipe import Recipe

IDS = torch.tensor([[2, 5, 8, 9, 10, 3], [2, 5, 8, 11, 3, 0]])
SEEN = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 0]])
SMALL: dict[str, Any] = {
    "vocab_size": 33,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 32,
    "num_experts_per_tok": 2,
}
MIXTURES = {"tiny-mixtral", "tiny-olmoe", "tiny-qwen2-moe", "tiny-qwen3-moe", "tiny-gpt-oss"}
FAMILIES: dict[str, dict[str, Any]] = {
    "mixtral": {"num_local_experts": 4},
    "olmoe": {"num_experts": 4},
    "qwen2_moe": {"num_experts": 4, "moe_intermediate_size": 16, "shared_expert_intermediate_size": 16},
    "qwen3_moe": {"num_experts": 4, "moe_intermediate_size": 16, "head_dim": 8},
    "granitemoe": {"num_local_experts": 4},
    "phimoe": {"num_local_experts": 4},
}


def mixture(family: str, **more: Any) -> Any:
    config: Any = CONFIG_MAPPING[family]
    torch.manual_seed(0)
    settings = config(**SMALL, **FAMILIES[family], pad_token_id=0, bos_token_id=1, eos_token_id=2, **more)
    return AutoModelForCausalLM.from_config(settings, dtype=torch.float32).eval()


@pytest.mark.parametrize("family", FAMILIES)
def test_each_familys_logits(family):
    """One router a block, and its logits are its weight times what enters the block's mixture."""
    parts = anatomy(mixture(family))
    entering: list[torch.Tensor] = []
    handles = [mlp.register_forward_pre_hook(lambda _, inputs: entering.append(inputs[0])) for mlp in parts.mlps]
    read = routing(parts, IDS, SEEN)
    for handle in handles:
        handle.remove()
    assert [one.shape for one in read] == [(2, 6, 4)] * 3
    for one, states, router in zip(read, entering, routers(parts), strict=True):
        assert torch.allclose(one, functional.linear(states, router.weight), atol=1e-5)


def test_blocks_without_experts_have_none():
    """Of a Qwen whose middle block is dense, two routers; the gate of a shared expert is none."""
    parts = anatomy(mixture("qwen2_moe", mlp_only_layers=[1]))
    assert routers(parts) == [parts.mlps[0].gate, parts.mlps[2].gate]


@pytest.mark.parametrize("name", [name for name in TINY if name not in MIXTURES])
def test_a_dense_model_has_none(name):
    with pytest.raises(ModelError, match="has no routers: it is not a mixture of experts"):
        routers(anatomy(tiny(name).network))


def test_nothing_is_left_behind():
    """No hook stays, where transformers' own way of reading routers leaves one on each of them."""
    network: Any = tiny("tiny-mixtral").network
    parts = anatomy(network)
    routing(parts, IDS, SEEN)
    assert not any(module._forward_hooks for module in network.modules())
    network(input_ids=IDS, attention_mask=SEEN, output_router_logits=True)
    assert all(router._forward_hooks for router in routers(parts))


def test_padding_changes_no_token():
    parts = anatomy(tiny("tiny-mixtral").network)
    padded, short = routing(parts, IDS, SEEN), routing(parts, IDS[1:, :5], SEEN[1:, :5])
    for one, other in zip(padded, short, strict=True):
        assert torch.allclose(one[1:, :5], other, atol=1e-6)


def test_the_gradient_reaches_routers_and_what_is_below():
    """The first router's logits train it and the first attention, and nothing above."""
    network: Any = tiny("tiny-mixtral").network
    routing(anatomy(network), IDS, SEEN)[0].square().sum().backward()
    moved = {name for name, weight in network.named_parameters() if weight.grad is not None and weight.grad.norm() > 0}
    assert {"model.layers.0.mlp.gate.weight", "model.layers.0.self_attn.q_proj.weight"} <= moved
    assert not any(".1." in name or "experts" in name for name in moved)


# PEFT 0.21 gives ranks to experts under names that it then does not find.
@pytest.mark.filterwarnings("ignore:The following .*_pattern keys:RuntimeWarning")
def test_through_an_adapter():
    """A fresh adapter changes no logit, and where it is on the routers too it is trained by them."""
    network: Any = tiny("tiny-mixtral").network
    plain = routing(anatomy(network), IDS, SEEN)
    adapted: Any = add_lora(network, Recipe(lora_rank=2))
    read = routing(anatomy(adapted), IDS, SEEN)
    for one, other in zip(read, plain, strict=True):
        assert torch.allclose(one, other, atol=1e-6)
    read[0].square().sum().backward()
    trained = {
        name for name, weight in adapted.named_parameters() if weight.grad is not None and weight.grad.norm() > 0
    }
    assert any("layers.0.mlp.gate" in name for name in trained)
    assert any("layers.0.self_attn" in name for name in trained)


def test_reentrant_checkpointing_is_refused():
    network: Any = tiny("tiny-mixtral").network.train()
    network.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": True})
    network.enable_input_require_grads()
    with pytest.raises(ModelError, match="use_reentrant=False"):
        routing(anatomy(network), IDS, SEEN)
    network.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
    routing(anatomy(network), IDS, SEEN)[-1].sum().backward()
    assert network.model.layers[0].mlp.gate.weight.grad.norm() > 0
