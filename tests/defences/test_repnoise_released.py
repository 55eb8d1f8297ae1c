"""`variant="released"` gives the authors' own numbers, frozen in `data/released.safetensors`.

How they were made: `rep_noise_loss` of domenicrosati/representation-noising, commit
03689ff9702780e83b0c81f508771998aad0398c, was called in float32 on a random Llama and a random
Qwen2 (width 8, 3 layers, 24 words) with the weights stored in the file, `torch.randn_like`
replaced by the noise stored in the file, a layer at a time; then `backward()`. Its loss is

    CE(refusal) + beta * mean_l MMD2(h_l, eps_l) - alpha * log((CE(final) + sum_l CE(lens_l)) / (L + 1) + 1)

The batch below shows every defect that moves the number: shared tokens by chance, a member
shorter than the other on either side, padding that is not token 0 and padding that is, and token
0 inside an answer.
"""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, LlamaConfig, Qwen2Config

from holdfast.defences import _repnoise_released as module
from holdfast.defences.repnoise import RepNoise
from holdfast.interfaces import Progress
from holdfast.training.batches import Batch, Tokens

FROZEN = load_file(Path(__file__).parent / "data" / "released.safetensors")
SIZE: dict[str, Any] = {
    "hidden_size": 8,
    "intermediate_size": 12,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "vocab_size": 24,
    "max_position_embeddings": 16,
    "tie_word_embeddings": False,
}
CONFIGS: dict[str, Any] = {"llama": LlamaConfig, "qwen2": Qwen2Config}
PAD = 23
HARMFUL = (
    (1, 5, 6, 7, 8, 9, 10, 11, 2, PAD),  # 8 and 10 are at the same place in the refusal
    (1, 5, 12, 13, 14, 2, PAD, PAD, PAD, PAD),  # shorter than the refusal
    (1, 6, 7, 15, 0, 16, 0, 17, 18, 2),  # longer, with token 0 inside
)
REFUSAL = (
    (1, 5, 6, 19, 8, 20, 10, 21, 2, PAD),
    (1, 5, 12, 19, 20, 21, 22, 13, 2, PAD),
    (1, 6, 7, 19, 20, 0, 2, PAD, PAD, PAD),
)


def batch(pad: int) -> Batch:
    def tokens(rows: tuple[tuple[int, ...], ...]) -> Tokens:
        ids = torch.tensor(rows)
        seen = ids != PAD
        prompt = torch.arange(ids.shape[1]) < 3
        return Tokens(
            input_ids=ids.masked_fill(~seen, pad),
            attention_mask=seen.long(),
            answer_mask=seen & ~prompt,
            keys=torch.arange(len(ids)),
        )

    return {"harmful": tokens(HARMFUL), "refusal": tokens(REFUSAL)}


def frozen(prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in FROZEN.items() if name.startswith(prefix)}


@pytest.mark.parametrize(("noise_weight", "ascent_weight"), [(0.001, 1.0), (1.0, 0.1)])
@pytest.mark.parametrize("pad", [23, 0])
@pytest.mark.parametrize("family", CONFIGS)
def test_released_variant_is_the_release(
    family: str, pad: int, noise_weight: float, ascent_weight: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = AutoModelForCausalLM.from_config(CONFIGS[family](**SIZE), dtype=torch.float32).eval()
    model.load_state_dict(frozen(f"{family}/weights/"))
    noise = FROZEN[f"{family}/noise"]  # [layer, row, token, width]
    monkeypatch.setattr(module, "keyed_noise", lambda *_, layer, **__: noise[layer].flatten(0, 1))

    defence = RepNoise(variant="released", noise_weight=noise_weight, ascent_weight=ascent_weight)
    terms = defence.loss(model, batch(pad), Progress(0, 1))
    loss = torch.stack(list(terms.values())).sum()
    loss.backward()

    case = f"{family}/pad {pad}/noise {noise_weight:g} ascent {ascent_weight:g}"
    assert loss.item() == pytest.approx(FROZEN[f"{case}/loss"].item(), rel=1e-5)
    gradients = frozen(f"{case}/gradient/")
    weights = dict(model.named_parameters())
    assert set(gradients) == set(weights)
    for name, expected in gradients.items():
        got = weights[name].grad
        assert got is not None, name
        assert (got - expected).norm() <= 1e-5 * expected.norm(), name


def test_released_variant_leaves_no_hook() -> None:
    """The one defect that is not copied: the release registers a hook on every module at every call."""
    model = AutoModelForCausalLM.from_config(LlamaConfig(**SIZE), dtype=torch.float32).eval()
    RepNoise(variant="released").loss(model, batch(PAD), Progress(0, 1))
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in model.modules())
