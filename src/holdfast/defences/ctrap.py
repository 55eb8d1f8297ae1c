"""CTRAP: a step towards harm is a step into collapse.

Claim: where the weights one harmful step away predict one and the same token whatever the context,
harmful fine-tuning ruins the model, and harmless fine-tuning, which goes elsewhere, does not.

Paper: Yi et al. 2025, "CTRAP: Embedding Collapse Trap", arXiv 2505.16559 (ACL 2026), equations 1 and 2:

    L(w; aligned) + lambda L_collapse( w - alpha grad L(w; harmful); general )
    L_collapse = - mean over an answer's tokens of log p(e | context so far),    e a fixed token

As in the authors' code (clearloveclearlove/CTRAP, `CTRAPTrainer`) it is first order: the second gradient is
taken at the shifted weights and applied at w.

Defaults: lambda 0.1, alpha 0.1 and e the last token of "an error" are the code's. Steps and batch are ours,
for arcana; theirs, for 7B to 9B: LoRA of rank 32, lr 5e-4, batch 10, 20 epochs over 5,000 of each kind.

Divergences: `normalised` divides the harmful gradient by its norm, as the code does and equation 2 does
not. Aligned and general data are refusals and harmless exchanges, the two together, as in the code; the
paper's general data are dialogues alone. Each kind has its own mean, and `retain_weight` its own weight.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor

from holdfast.config import config
from holdfast.interfaces import Model, Progress, Row, View
from holdfast.models.anatomy import anatomy
from holdfast.models.states import forward
from holdfast.training.batches import Batch, Tokens
from holdfast.training.recipe import Recipe
from holdfast.training.rows import paired
from holdfast.training.terms.answers import answer_loss
from holdfast.training.terms.losses import cross_entropy, targets
from holdfast.training.weights import inner

Weight = Annotated[float, Field(ge=0)]


@config
class Ctrap:
    """Collapse trap, arXiv 2505.16559, first order."""

    collapse_weight: Weight = 0.1
    """Lambda: weight of the collapse loss at the shifted weights; 0 leaves it out."""
    shift: Annotated[float, Field(gt=0)] = 0.1
    """Alpha: length of the simulated harmful step, or its learning rate where it is not normalised."""
    normalised: bool = True
    """Whether the harmful gradient is divided by its norm, as in the authors' code, or not, as in the paper."""
    word: str = "error"
    """Its last token, after "an ", is all that the collapsed model says; an unknown word gives the end mark."""
    retain_weight: Weight = 1.0
    """Weight of the cross-entropy on harmless exchanges; 0 leaves them out, and out of the collapse, too."""
    training: Recipe = Recipe(steps=100, learning_rate=3e-4, batch_size=16, schedule="cosine", freeze_embeddings=True)
    """How long and how it trains."""

    def rows(self, view: View, seed: int) -> Iterator[Row]:
        """Pairs, with harmless exchanges beside them."""
        return paired(view, seed)

    def start(self, model: Model, view: View, seed: int) -> "_Trap":
        """With the token that the model collapses to."""
        tokenizer: Any = model.tokenizer
        last = tokenizer(f"an {self.word}", add_special_tokens=False)["input_ids"][-1]
        return _Trap(self, tokenizer.eos_token_id if last == tokenizer.unk_token_id else last)


@dataclass(frozen=True)
class _Trap:
    ctrap: Ctrap
    token: int

    def gradient(self, model: Any, batch: Batch, progress: Progress) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The terms `refusal`, `retain` and `collapse`, each with its weight, and the sum of gradients."""
        ctrap = self.ctrap
        weights = {"refusal": 1.0, "retain": ctrap.retain_weight}
        general = {role: weight for role, weight in weights.items() if role in batch and weight}
        terms = {role: weight * answer_loss(model, batch[role]) for role, weight in general.items()}
        total = inner.gradient(model, torch.stack(list(terms.values())).sum())
        if ctrap.collapse_weight:
            harmful = inner.gradient(model, answer_loss(model, batch["harmful"]))
            scale = 1 / float(inner.norm(harmful).clamp(min=1e-12)) if ctrap.normalised else 1.0
            with inner.elsewhere(model):
                inner.shift(model, harmful, -ctrap.shift * scale)
                said = torch.stack([self._collapse(model, batch[role]) for role in general]).mean()
                terms["collapse"] = ctrap.collapse_weight * said
                total = inner.combined((1.0, total), (1.0, inner.gradient(model, terms["collapse"])))
        return {name: term.detach() for name, term in terms.items()}, total

    def _collapse(self, model: Any, tokens: Tokens) -> Tensor:
        """How far the model is from saying one token wherever an answer has one, in nats."""
        parts, wanted = anatomy(model), targets(tokens)
        states = forward(parts, tokens.input_ids, tokens.attention_mask).final
        return cross_entropy(parts, states, wanted._replace(labels=torch.full_like(wanted.labels, self.token)))
