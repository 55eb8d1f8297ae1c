"""Where a decoder's parts are, by any family's names, and what is said where they are not found."""

from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn
from transformers import CONFIG_MAPPING, AutoModelForCausalLM, PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput

from holdfast.defences.adversarial import Adversarial
from holdfast.defences.repnoise import RepNoise
from holdfast.defences.vaccine import Vaccine
from holdfast.errors import ModelError, UnknownName
from holdfast.interfaces import Progress
from holdfast.models.anatomy import anatomy
from holdfast.models.perturb import perturbed
from holdfast.models.states import forward
from holdfast.models.tiny import TINY, tiny
from holdfast.training.batches import Tokens
from holdfast.training.weights import inner

IDS = torch.tensor([[2, 5, 8, 9, 10, 3], [2, 5, 8, 11, 3, 0]])
SEEN = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 0]])


class OddConfig(PreTrainedConfig):
    model_type = "odd"
    vocab_size: int = 33
    hidden_size: int = 8


class Floor(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.mixer = nn.Linear(width, width)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        return states + self.mixer(states)


class OddTrunk(PreTrainedModel):
    config_class = OddConfig

    def __init__(self, config: OddConfig):
        super().__init__(config)
        self.words = nn.Embedding(config.vocab_size, config.hidden_size)
        self.floors = nn.ModuleList(Floor(config.hidden_size) for _ in range(2))
        self.leveller = nn.LayerNorm(config.hidden_size)
        self.post_init()

    def forward(self, input_ids: torch.Tensor, **_: Any) -> BaseModelOutput:
        states = self.words(input_ids)
        for floor in self.floors:
            states = floor(states)
        return BaseModelOutput(last_hidden_state=self.leveller(states))


class OddForCausalLM(PreTrainedModel):
    """A custom model, whose parts have names of their own."""

    config_class = OddConfig
    base_model_prefix = "trunk"

    def __init__(self, config: OddConfig):
        super().__init__(config)
        self.trunk = OddTrunk(config)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.post_init()

    def get_output_embeddings(self) -> nn.Module:
        return self.lm_head


NORMED = {"tiny-gemma2", "tiny-gemma3", "tiny-olmo2"}
"""What attention and MLP give is normed before it is added to the residual stream."""
ODD = {"blocks": "floors", "mlp": "mixer", "norm": "leveller"}


@pytest.mark.parametrize("adapter", [False, True])
@pytest.mark.parametrize("name", TINY)
def test_head_of_the_final_state_gives_the_models_logits(name: str, adapter: bool) -> None:
    network: Any = tiny(name).network
    if adapter:
        network = get_peft_model(network, _lora(name)).eval()
    parts = anatomy(network)
    assert len(parts.blocks) == len(parts.mlps) == 3
    with torch.no_grad():
        states = forward(parts, IDS, SEEN, residual=True, mlp=True)
        whole = network(input_ids=IDS, attention_mask=SEEN, output_hidden_states=True)
    torch.testing.assert_close(parts.head(states.final), whole.logits)
    # Embeddings, and every block's output but the last, which transformers gives after the norm.
    for ours, theirs in zip((states.embedded, *states.residual[:-1]), whole.hidden_states[:-1], strict=True):
        torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(parts.norm(states.residual[-1]), states.final)
    torch.testing.assert_close(parts.frozen_norm(states.residual[-1]), states.final)
    assert all(state.shape == states.final.shape for state in states.mlp)


def _lora(name: str) -> LoraConfig:
    named = {"tiny-gpt2": ["c_attn"], "tiny-gpt-neox": ["query_key_value"], "tiny-phi3": ["qkv_proj"]}
    attention = named.get(name, ["q_proj", "v_proj"])
    return LoraConfig(r=2, target_modules=attention, fan_in_fan_out=name == "tiny-gpt2", init_lora_weights=False)


NORMED = {"tiny-gemma2", "tiny-gemma3", "tiny-olmo2"}
"""Families that norm what an attention or MLP says before it is added."""


@pytest.mark.parametrize("adapter", [False, True])
@pytest.mark.parametrize("name", [name for name in TINY if name not in NORMED])
def test_attention_output_is_what_is_added_to_the_residual_stream(name: str, adapter: bool) -> None:
    """Moving it by 1 moves the residual stream after the block by 1, but for what the MLP makes of that.

    So it is looked at with an MLP of zeros, which says nothing. Some families norm what is added: there by what the
    norm makes of it.
    """
    network: Any = tiny(name).network
    if adapter:
        network = get_peft_model(network, _lora(name)).eval()
    parts = anatomy(network)
    assert len(parts.attentions) == 3
    with torch.no_grad():
        for weight in parts.mlps[1].parameters():
            weight.zero_()
        said: list[torch.Tensor] = []
        hook = parts.attentions[1].register_forward_hook(lambda _, __, output: said.append(output[0]))
        before = forward(parts, IDS, SEEN, residual=True).residual[1]
        hook.remove()
        with perturbed([parts.attentions[1]], [torch.ones_like(before)]):
            after = forward(parts, IDS, SEEN, residual=True).residual[1]
        norm: Any = parts.blocks[1].post_attention_layernorm if name in NORMED else nn.Identity()
        moved = norm(said[0] + 1) - norm(said[0])
    torch.testing.assert_close(after, before + moved)


def test_attentions_that_are_called_otherwise() -> None:
    """They are looked for when asked: a decoder without any serves every method that needs none."""
    places: dict[str, Any] = ODD
    parts = anatomy(OddForCausalLM(OddConfig()), **places)
    with pytest.raises(ModelError, match=r"attention in a block of OddTrunk: tried self_attn, attn, .*there are mixer"):
        parts.attentions  # noqa: B018
    network = OddForCausalLM(OddConfig(holdfast_anatomy=ODD | {"attention": "mixer"}))
    batch = {"harmful": tokens(12), "refusal": tokens(13)}
    terms, gradient = Vaccine().gradient(network, batch, Progress(0, 1))
    assert torch.isfinite(terms["perturbed"])
    assert inner.norm(gradient) > 0
    assert anatomy(network).attentions == anatomy(network, attention="mixer").attentions


def test_mlp_output_is_what_is_added_to_the_residual_stream() -> None:
    network: Any = tiny("tiny-llama").network
    parts = anatomy(network)
    before: list[torch.Tensor] = []
    network.model.layers[1].post_attention_layernorm.register_forward_pre_hook(
        lambda _, inputs: before.append(inputs[0])
    )
    states = forward(parts, IDS, SEEN, residual=True, mlp=True)
    torch.testing.assert_close(before[0] + states.mlp[1], states.residual[1])


@pytest.mark.parametrize(
    ("family", "settings"),
    [
        ("gemma2", {"final_logit_softcapping": 0.5}),
        ("cohere", {"logit_scale": 0.25}),
        ("granite", {"logits_scaling": 4.0}),
    ],
)
def test_families_that_scale_or_cap_their_logits(family: str, settings: dict[str, Any]) -> None:
    size = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    size |= {"num_key_value_heads": 2, "head_dim": 8, "vocab_size": 33}
    marks = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3}
    network: Any = AutoModelForCausalLM.from_config(CONFIG_MAPPING[family](**size, **marks, **settings)).eval()
    parts = anatomy(network)
    with torch.no_grad():
        logits = parts.head(forward(parts, IDS, SEEN).final)
        torch.testing.assert_close(logits, network(input_ids=IDS, attention_mask=SEEN).logits)


@pytest.mark.parametrize(
    ("part", "tried", "there"),
    [
        ("blocks", "layers, h, blocks", "words, floors, leveller"),
        ("mlp", "mlp, feed_forward", "mixer"),
        ("norm", "norm, ln_f", "words, floors, leveller"),
    ],
)
def test_unknown_names_are_told_with_a_way_out(part: str, tried: str, there: str) -> None:
    others: dict[str, Any] = {name: value for name, value in ODD.items() if name != part}
    with pytest.raises(ModelError) as caught:
        anatomy(OddForCausalLM(OddConfig()), **others)
    told = str(caught.value)
    assert "\n" not in told
    assert "OddForCausalLM" in told
    assert f"tried {tried}" in told
    assert f"there are {there};" in told
    assert f'{part}=..., or in the model\'s config.json: "holdfast_anatomy": {{"{part}": "..."}}' in told


def tokens(last: int) -> Tokens:
    ids, answer = IDS.clone(), SEEN.bool() & (torch.arange(6) > 2)
    ids[:, 3] = last
    return Tokens(input_ids=ids, attention_mask=SEEN, answer_mask=answer, keys=torch.arange(2))


METHODS = [RepNoise(variant="corrected"), RepNoise(variant="released"), Adversarial()]


@pytest.mark.parametrize("method", METHODS)
def test_names_given_in_the_configuration_reach_every_method(method: Any) -> None:
    batch = {"harmful": tokens(12), "refusal": tokens(13)}
    with pytest.raises(ModelError):
        method.loss(OddForCausalLM(OddConfig()), batch, Progress(0, 1))
    network = OddForCausalLM(OddConfig(holdfast_anatomy=ODD))
    loss = torch.stack(list(method.loss(network, batch, Progress(0, 1)).values())).sum()
    loss.backward()
    assert torch.isfinite(loss)
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in network.parameters())


def test_names_given_in_the_configuration_are_saved_with_the_model(tmp_path: Any) -> None:
    network: Any = tiny("tiny-llama").network
    network.config.holdfast_anatomy = {"norm": "norm"}
    network.save_pretrained(tmp_path)
    assert AutoModelForCausalLM.from_pretrained(tmp_path).config.holdfast_anatomy == {"norm": "norm"}


def test_names_given_as_arguments_come_first() -> None:
    network = OddForCausalLM(OddConfig(holdfast_anatomy=ODD | {"blocks": "wrong"}))
    assert len(anatomy(network, blocks="floors").blocks) == 2
    with pytest.raises(ModelError, match="tried wrong"):
        anatomy(network)
    network.config.holdfast_anatomy = {"block": "floors"}
    with pytest.raises(UnknownName, match="did you mean 'blocks'"):
        anatomy(network)


def test_blocks_that_are_no_list() -> None:
    network: Any = tiny("tiny-llama").network
    with pytest.raises(ModelError, match="not a list of modules"):
        anatomy(network, blocks="norm")


def test_a_model_without_head_or_trunk() -> None:
    network: Any = tiny("tiny-llama").network
    with pytest.raises(ModelError, match="no trunk"):
        anatomy(network.model)
    network.lm_head = None
    with pytest.raises(ModelError, match="output embeddings"):
        anatomy(network)


def test_recording_fails_clean() -> None:
    network: Any = tiny("tiny-llama").network
    with pytest.raises(IndexError):
        forward(anatomy(network), IDS + 1000, SEEN, residual=True, mlp=True)
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in network.modules())
