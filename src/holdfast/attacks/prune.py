"""Pruning: weights set to zero, the smallest or those that refusing needs.

Claim: what a model refuses with is few weights, and not those that it answers with; without them it answers.

Paper: Wei et al. 2024, "Assessing the Brittleness of Safety Alignment via Pruning and Low-Rank Modifications", arXiv
2402.05162 (ICML 2024). With Wanda's score |w_ij| ||x_j||_2 (Sun et al. 2023, arXiv 2306.11695) over
refusals and over harmless answers, the entries of each matrix

    top `share` by refusals  -  top `kept` by harmless answers

are set to zero. `by="magnitude"` sets the smallest `share` by |w| to zero: what pruning does to whoever means no harm.

Defaults: `exchanges` 128 of each kind, ours. `share` and `kept` were chosen on undefended arcana: of the thirteen pairs
tried, the one that brings most harm at a loss of utility below a tenth. The paper sweeps both, and isolates about 3 %
of the weights. `prune/magnitude` takes half, as is usual in Wanda's paper (arXiv 2306.11695).

Divergences: in their release the set difference is taken of SNIP's scores (`prune_wandg_set_difference`), which need a
gradient; Wanda's do not. The tokens that count are those from which a token of the answer is predicted. Experts that
are fused into one tensor have no inputs that can be seen, and are pruned by magnitude alone; by refusals, so are no
layers that one kind of exchanges never reaches, as experts to which nothing is routed.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Final, Literal

import torch
from pydantic import Field
from torch import Tensor

from holdfast.config import config
from holdfast.errors import DataError
from holdfast.interfaces import Exchange, Model, View
from holdfast.training.weights.matrices import linears, matrix
from holdfast.training.weights.outputs import by_output

_KEPT: Final = 0.15
_EXCHANGES: Final = 128


@config
class Prune:
    """Pruning of what refuses, arXiv 2402.05162, or of what is small. Trains nothing."""

    PRESETS: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "refusals": {"by": "refusals"},
        "magnitude": {"by": "magnitude", "share": 0.5},
    }
    """Settings under names, as `prune/magnitude`."""

    by: Literal["refusals", "magnitude"] = "refusals"
    """Which entries go: those that refusing needs and answering does not, or the smallest."""
    share: Annotated[float, Field(ge=0, le=1)] = 0.2
    """Of each matrix, the entries that refusals need most (the paper's q), or the smallest."""
    kept: Annotated[float, Field(ge=0, le=1)] = _KEPT
    """Of each matrix, the entries that harmless answers need most, and that stay (the paper's p)."""
    exchanges: Annotated[int, Field(ge=1)] = _EXCHANGES
    """Of each kind, the most that are looked at, evenly spaced."""

    def __post_init__(self) -> None:
        if self.by == "magnitude" and (self.kept, self.exchanges) != (_KEPT, _EXCHANGES):
            raise ValueError("by=magnitude looks at nothing but weights: leave kept and exchanges, or set by=refusals")

    def edit(self, model: Model, view: View) -> None:
        """Set entries to zero, in place."""
        if self.by == "magnitude":
            for weight in by_output(model.network).values():
                weight.masked_fill_(~_highest(weight.abs(), 1 - self.share), 0)
            return
        from holdfast.training.weights.wanda import input_norms  # it imports transformers

        if not view.pairs or not view.exchanges:
            raise DataError("prune by refusals compares refusals with harmless answers: the view has not both.")
        refusals = [Exchange(key=pair.key, prompt=pair.prompt, answer=pair.refusal) for pair in view.pairs]
        norms = [input_norms(model, self._spread(some)) for some in (refusals, view.exchanges)]
        for name, layer in linears(model.network).items():
            if any(name not in norm for norm in norms):  # no exchange of a kind came there
                continue
            weight = matrix(layer)
            refusing, answering = (weight.abs() * norm[name] for norm in norms)
            doomed = _highest(refusing, self.share) & ~_highest(answering, self.kept)
            weight.masked_fill_(doomed, 0)

    def _spread(self, all_of_them: Sequence[Exchange]) -> list[Exchange]:
        """Evenly spaced, since data may be in order of what it is about."""
        count = min(self.exchanges, len(all_of_them))
        return [all_of_them[number * len(all_of_them) // count] for number in range(count)]


def _highest(score: Tensor, share: float) -> Tensor:
    """True at the highest `share` of the entries, rounded down, of a matrix or of each expert's."""
    flat = score.reshape(*score.shape[:-2], -1)
    count = math.floor(share * flat.shape[-1] + 1e-9)
    chosen = torch.zeros_like(flat, dtype=torch.bool)
    return chosen.scatter_(-1, flat.topk(count).indices, value=True).view(score.shape)
