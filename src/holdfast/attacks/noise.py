"""Weight jitter: Gaussian noise on every matrix.

Claim: a safeguard that was put on top of what a model knows is more fragile than what it knows.

Paper: Tice et al. 2024, "Noise Injection Reveals Hidden Capabilities of Sandbagging Language Models", arXiv 2412.01784:

    W <- W + sigma std(W) E,   E ~ N(0, 1)

Defaults: `sigma` is ours: with it undefended arcana still refuses a little over half of what it refused before. None
of those tried breaks it.

Divergences: sigma is relative to each matrix's own standard deviation (theirs: one absolute sigma for all). One draw
a run, which the seed decides; they draw several for each sigma. Norms and biases stay as they are.
"""

from typing import Annotated

import torch
from pydantic import Field

from holdfast.config import config
from holdfast.interfaces import Model, View


@config
class Noise:
    """Gaussian noise on the weights, arXiv 2412.01784. Trains nothing."""

    sigma: Annotated[float, Field(ge=0)] = 0.3
    """Standard deviation of the noise, in units of that of the matrix (of each expert's, where they are fused)."""

    def edit(self, model: Model, view: View) -> None:
        """Add the noise in place. No data is used."""
        with torch.no_grad():
            for weight in model.network.parameters():
                if weight.ndim >= 2:
                    drawn = torch.randn(weight.shape)  # on the CPU, so that a seed draws the same on any device
                    size = weight.float().std(dim=(-2, -1), keepdim=True)
                    weight.add_((size * drawn.to(size)).to(weight), alpha=self.sigma)
