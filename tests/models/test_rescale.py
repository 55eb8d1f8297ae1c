"""Rescaled weights are another point of the same function, and of all its points the same one."""

import copy
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor
from transformers import CONFIG_MAPPING, AutoModelForCausalLM

from holdfast.errors import ModelError
from holdfast.models.rescale import rescale
from holdfast.models.tiny import tiny

FAMILIES = ["llama", "qwen2", "mistral", "gemma", "mixtral", "qwen3", "qwen3_moe", "granite", "olmoe"]
SIZE = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "head_dim": 8}
SIZE |= {"num_key_value_heads": 2, "vocab_size": 40, "pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3}
SIZE |= {"num_local_experts": 4, "num_experts": 4, "moe_intermediate_size": 16, "num_experts_per_tok": 2}
IDS = torch.tensor([[2, 7, 5, 11, 9, 4], [2, 4, 30, 6, 21, 8]])
GENTLE, HARSH = (0.5, 2.0), (1e-3, 1e3)


def network(family: str, seed: int = 0, **settings: Any) -> Any:
    """A random network whose every weight is well away from what it starts from, norms and biases too."""
    described = CONFIG_MAPPING[family](**SIZE | settings)
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(seed)
        # The fast way through experts has no double precision.
        made = AutoModelForCausalLM.from_config(described, experts_implementation="eager").eval()
        for weight in made.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    return made


@torch.no_grad()
def logits(of: Any) -> Tensor:
    return of(input_ids=IDS, use_cache=False).logits


def weights(of: Any) -> dict[str, Tensor]:
    return {name: weight.detach().clone() for name, weight in of.state_dict().items()}


@torch.no_grad()
def fake(of: Any, low: float, high: float, seed: int = 1) -> Any:
    """The same function by other weights: every path scaled channel by channel, by `low` or `high` at random."""
    rng = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return torch.where(torch.rand(shape, generator=rng) < 0.5, low, high).double()

    def norm(module: Any, *readers: Tensor) -> None:
        scale, one = draw(32), int("Gemma" in type(module).__name__)
        module.weight.copy_((module.weight + one) * scale - one)
        for reader in readers:
            reader.div_(scale)

    def rows(linear: Any, scale: Tensor) -> None:
        linear.weight.mul_(scale[:, None])
        if linear.bias is not None:
            linear.bias.mul_(scale)

    for block in of.model.layers:
        attention, mlp = block.self_attn, block.mlp
        query, key, value, output = (getattr(attention, f"{name}_proj") for name in "qkvo")
        norm(block.input_layernorm, query.weight, key.weight, value.weight)
        if hasattr(mlp, "experts"):
            norm(block.post_attention_layernorm, mlp.gate.weight, mlp.experts.gate_up_proj)
            count, _, width = mlp.experts.down_proj.shape
            scale = draw(count, width)
            mlp.experts.gate_up_proj[:, width:].mul_(scale[..., None])
            mlp.experts.down_proj.div_(scale[:, None])
        else:
            norm(block.post_attention_layernorm, mlp.gate_proj.weight, mlp.up_proj.weight)
            scale = draw(48)
            rows(mlp.up_proj, scale)
            mlp.down_proj.weight.div_(scale)
        # 2 heads of values of 8 channels; heads 0 and 1 of queries read the first, 2 and 3 the second.
        scale = draw(2, 8)
        rows(value, scale.flatten())
        output.weight.div_(scale.repeat_interleave(2, 0).flatten())
        if not hasattr(attention, "q_norm"):
            # 4 planes a head: channels 0 and 4, 1 and 5, ...
            scale = draw(2, 4).repeat(1, 2)
            rows(key, scale.flatten())
            rows(query, 1 / scale.repeat_interleave(2, 0).flatten())
    if of.lm_head.weight is not of.model.embed_tokens.weight:
        norm(of.model.norm, of.lm_head.weight)
    return of


@torch.no_grad()
def change(one: Tensor, two: Tensor) -> float:
    return float((one - two).abs().max() / two.abs().max())


@pytest.mark.parametrize("factor", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_function_stays(family: str, factor: float) -> None:
    """Each weight is rounded a few times, by 6e-8 of itself: far from 1e-5 after two blocks."""
    made = network(family)
    expected, value = logits(made), made.model.layers[0].self_attn.v_proj.weight.clone()
    rescale(made, factor)
    assert change(logits(made), expected) < 1e-5
    assert change(made.model.layers[0].self_attn.v_proj.weight, value) > 0.1


@pytest.mark.parametrize(("low", "high"), [GENTLE, HARSH])
@pytest.mark.parametrize("family", FAMILIES)
def test_no_trace_is_left_of_an_earlier_scale(family: str, low: float, high: float) -> None:
    """In double precision, so that nothing hides behind rounding: Gemma keeps a gain of 0.001 as -0.999."""
    honest = network(family, attention_bias=True).double()
    faked = fake(copy.deepcopy(honest), low, high)
    # Its norms compute in float32, where that is good to 6e-8 / 0.001.
    assert change(logits(faked), logits(honest)) < (1e-3 if family == "gemma" else 1e-5)
    moved = change(faked.model.layers[0].self_attn.o_proj.weight, honest.model.layers[0].self_attn.o_proj.weight)
    assert moved > 0.4
    rescale(honest, 1.0), rescale(faked, 1.0)
    ours = weights(faked)
    for name, weight in weights(honest).items():
        torch.testing.assert_close(ours[name], weight, rtol=1e-9, atol=0)


@pytest.mark.parametrize("family", FAMILIES)
def test_once_is_enough(family: str) -> None:
    """Whatever factor came before, the last one decides."""
    once, often = network(family), network(family)
    rescale(once, 3.0)
    for factor in (0.1, 7.0, 3.0):
        rescale(often, factor)
    for one, two in zip(once.parameters(), often.parameters(), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-5, atol=1e-7)


def test_balanced_by_hand() -> None:
    """Up rows of norm 4 and down columns of norm 1/4 meet at sqrt(4 x 1/4) = 1; with 10, at 10 and 1/10."""
    made = network("llama")
    mlp = made.model.layers[0].mlp
    with torch.no_grad():
        mlp.up_proj.weight.mul_(4 / mlp.up_proj.weight.norm(dim=1, keepdim=True))
        mlp.down_proj.weight.div_(4 * mlp.down_proj.weight.norm(dim=0))
        made.model.layers[0].post_attention_layernorm.weight.fill_(1)
    rescale(made, 10.0)
    torch.testing.assert_close(mlp.up_proj.weight.norm(dim=1), torch.full((48,), 10.0))
    torch.testing.assert_close(mlp.down_proj.weight.norm(dim=0), torch.full((48,), 0.1))


def test_a_head_of_values_is_balanced_with_all_that_read_it() -> None:
    """Channel 3 of head 1 of values is row 11; heads 2 and 3 of queries read it: columns 2 x 8 + 3 and 3 x 8 + 3."""
    made = network("llama")
    rescale(made, 1.0)
    attention = made.model.layers[1].self_attn
    torch.testing.assert_close(attention.v_proj.weight[11].norm(), attention.o_proj.weight[:, [19, 27]].norm())
    # Its plane 3 is channels 3 and 7: rows 11 and 15 of keys; 19, 23, 27 and 31 of queries.
    keys, queries = attention.k_proj.weight[[11, 15]], attention.q_proj.weight[[19, 23, 27, 31]]
    torch.testing.assert_close(keys.norm(), queries.norm())


@pytest.mark.parametrize(("family", "canonical"), [("llama", 1), ("gemma", 0)])
@pytest.mark.parametrize("tied", [False, True])
def test_norms_are_left_with_one(family: str, canonical: float, tied: bool) -> None:
    """Gemma's multiply by one more than their weight. The last stays where the head is the embeddings."""
    made = network(family, tie_word_embeddings=tied)
    last, embeddings = made.model.norm.weight.clone(), made.model.embed_tokens.weight.clone()
    rescale(made, 100.0)
    for block in made.model.layers:
        assert (block.input_layernorm.weight == canonical).all()
        assert (block.post_attention_layernorm.weight == canonical).all()
    assert torch.equal(made.model.embed_tokens.weight, embeddings)
    assert torch.equal(made.model.norm.weight, last) == tied
    assert (made.lm_head.weight is made.model.embed_tokens.weight) == tied


@pytest.mark.parametrize("scale", [1.0, 1e3])
def test_channels_that_are_zero(scale: float) -> None:
    """Channel 0 is zero on one side, 1 on the other, 2 on both; a living side gets the others' mean norm."""
    made = network("llama")
    mlp = made.model.layers[0].mlp
    with torch.no_grad():
        mlp.up_proj.weight[[0, 2]] = 0
        mlp.down_proj.weight[:, [1, 2]] = 0
        mlp.down_proj.weight[:, 0] *= scale
        mlp.up_proj.weight[1] *= scale
        made.model.layers[0].input_layernorm.weight[5] = 0
        made.model.layers[1].self_attn.v_proj.weight.zero_()
    expected = logits(made)
    rescale(made, 1.0)
    assert all(torch.isfinite(weight).all() for weight in made.parameters())
    assert change(logits(made), expected) < 1e-5
    up, down = mlp.up_proj.weight.norm(dim=1), mlp.down_proj.weight.norm(dim=0)
    mean = up[3:].mean()
    torch.testing.assert_close(up[:3], torch.stack([0 * mean, mean, 0 * mean]))
    torch.testing.assert_close(down[:3], torch.stack([mean, 0 * mean, 0 * mean]))
    # No channel of these values lives: one is as good a norm as any.
    columns = made.model.layers[1].self_attn.o_proj.weight.unflatten(1, (2, 2, 8)).norm(dim=(0, 2))
    torch.testing.assert_close(columns, torch.ones(2, 8))


def test_nothing_else_changes() -> None:
    made = network("qwen2").train()
    made.model.layers[0].eval()
    made.model.embed_tokens.weight.requires_grad_(False)
    parameters = dict(made.named_parameters())
    described = [(name, weight.dtype, weight.requires_grad) for name, weight in parameters.items()]
    modes, rng = [module.training for module in made.modules()], torch.get_rng_state()
    rescale(made, 10.0)
    assert all(weight is parameters[name] for name, weight in made.named_parameters())
    assert [(name, weight.dtype, weight.requires_grad) for name, weight in made.named_parameters()] == described
    assert [module.training for module in made.modules()] == modes
    assert torch.equal(torch.get_rng_state(), rng)
    assert torch.is_grad_enabled()
    assert all(weight.grad is None and weight.is_leaf for weight in made.parameters())


def test_half_precision() -> None:
    """bfloat16 keeps 8 bits: each rounding is up to 2^-9 = 0.002 of a weight, and it stays bfloat16."""
    made = network("llama").to(torch.bfloat16)
    expected = logits(made)
    rescale(made, 10.0)
    assert {weight.dtype for weight in made.parameters()} == {torch.bfloat16}
    assert change(logits(made), expected) < 0.05


def refused(made: Any, match: str) -> None:
    before = weights(made)
    with pytest.raises(ModelError, match=match) as caught:
        rescale(made, 10.0)
    assert "leave training.rescale at 0" in str(caught.value)
    after = weights(made)
    assert all(torch.equal(after[name], weight) for name, weight in before.items())


@pytest.mark.parametrize("name", ["tiny-gpt2", "tiny-gpt-neox"])
def test_other_blocks_are_refused(name: str) -> None:
    made = tiny(name).network
    refused(made, f"{type(made).__name__} cannot be rescaled: a block has attn|attention, ")


@pytest.mark.parametrize(
    ("family", "why"),
    [
        ("gemma2", "a block has .*pre_feedforward_layernorm"),
        ("olmo", "a norm has no weights"),
        ("arcee", "mlp has down_proj, up_proj;"),
        ("diffllama", "self_attn has groupnorm"),
    ],
)
def test_other_layouts_are_refused(family: str, why: str) -> None:
    refused(network(family), why)


@pytest.mark.parametrize("family", ["ernie4_5", "helium"])
def test_another_rotation_is_noticed_and_taken_back(family: str) -> None:
    """Their planes are channels 2i and 2i + 1: all names fit, but the logits change."""
    refused(network(family), "its logits changed by")


def test_weights_that_overflow_are_taken_back() -> None:
    """float16 ends at 65504: 1 times 1e6 is more."""
    made = network("llama").to(torch.float16)
    before = weights(made)
    with pytest.raises(ModelError, match="its logits changed by nan"):
        rescale(made, 1e6)
    assert all(torch.equal(weight, before[name]) for name, weight in weights(made).items())


def test_adapters_come_after() -> None:
    adapted = get_peft_model(network("llama"), LoraConfig(r=2, target_modules=["v_proj"]))
    refused(adapted, "its linear layers are Linear")
