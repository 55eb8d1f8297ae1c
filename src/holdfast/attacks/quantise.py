"""Quantisation: weights rounded to a few bits, as whoever runs a model on less memory does.

Claim: a safeguard that rests on small changes of the weights is rounded away with them.

Paper: Zhang et al. 2024, "Catastrophic Failure of LLM Unlearning via Quantization", arXiv 2410.16454 (ICLR 2025), and
Egashira et al. 2024, "Exploiting LLM Quantization", arXiv 2405.18137 (NeurIPS 2024). Round to nearest, symmetric, a
scale for each output, as the baseline of GPTQ (Frantar et al. 2022, arXiv 2210.17323) has it:

    w <- s round(w / s),   s = max |w| / (2^(bits - 1) - 1)

Defaults: 4 bits, at which arXiv 2410.16454 sees unlearnt knowledge return; at 8 it does not there.

Divergences: weights are quantised and put back as floats, which computes what a quantised checkpoint would, but for
the rounding of its arithmetic. Linear layers of the blocks and experts alone: embeddings, head, norms and routers stay
as they are, as in GPTQ and LLM.int8() (arXiv 2208.07339). Neither groups, nor GPTQ's or AWQ's choice of what to round.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field

from holdfast.config import config
from holdfast.interfaces import Model, View
from holdfast.training.weights.outputs import by_output


@config
class Quantise:
    """Round-to-nearest quantisation of weights. Trains nothing."""

    PRESETS: ClassVar[Mapping[str, Mapping[str, Any]]] = {"int8": {"bits": 8}, "int4": {"bits": 4}}
    """Settings under names, as `quantise/int8`."""

    bits: Annotated[int, Field(ge=2, le=16)] = 4
    """Bits a weight."""

    def edit(self, model: Model, view: View) -> None:
        """Quantise in place. No data is used."""
        most = 2 ** (self.bits - 1) - 1
        for weight in by_output(model.network).values():
            rows = weight.reshape(-1, weight.shape[-1]).float()  # one row an output, of every expert
            scale = (rows.abs().amax(1) / most).clamp(min=torch.finfo(torch.float32).tiny)
            zero = torch.zeros_like(scale, dtype=torch.int32)
            rounded = torch.fake_quantize_per_channel_affine(rows, scale, zero, 0, -most, most)
            weight.copy_(rounded.view(weight.shape))
