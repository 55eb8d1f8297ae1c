"""Security vectors: lend the model the harm while a user trains it, so that it has none to learn.

Claim: where added parameters make the model answer harmfully already, harmful rows have next to no
gradient left, and once those parameters are taken out again the model is as it was.

Paper: Zhou et al. 2023, "Making Harmful Behaviors Unlearnable for Large Language Models", arXiv
2311.02105; vectors theta_s are learned first, and active but constant during the user's training:

    theta_s = argmin L(harmful; theta + theta_s),    theta' = argmin L(user; theta + theta_s),

and theta' is what the user gets.

Defaults: rank 8, alpha 32 and learning rate 1e-3 are those with which arXiv 2405.14577 ran it as a
baseline, for one epoch; 120 steps of 16 are some four epochs of arcana's pairs, ours.

Divergences: the paper poses a min-min problem, in which the backbone takes steps too while the
vectors are learned, as in unlearnable examples; here and in arXiv 2405.14577's run it stays. No
dropout in the LoRA (0.1 there). The vectors are added to the layers' outputs and never become part
of the network, so a user's own LoRA, DPO and GRPO may be on top; a reference that is the network
itself with the user's adapter switched off has them too, one that is a copy has not. A user who adds
blocks or takes some out is refused: the vectors belong to layers by name.
"""

from collections.abc import Iterator
from typing import Any

from torch import Tensor

from holdfast.config import config
from holdfast.interfaces import Exchange, Model, Progress, Row, View
from holdfast.training.batches import Batch
from holdfast.training.recipe import Recipe
from holdfast.training.rows import cycle
from holdfast.training.terms.answers import answer_loss
from holdfast.training.weights.vectors import Vectors, learn


@config
class SecurityVectors:
    """A harmful LoRA that is active while a user trains, arXiv 2311.02105."""

    training: Recipe = Recipe(steps=120, learning_rate=1e-3, batch_size=16, lora_rank=8, lora_alpha=32)
    """How the vectors are learned; its `lora_rank` has to be above 0."""

    def __post_init__(self) -> None:
        if not self.training.lora_rank:
            raise ValueError("training.lora_rank 0: security vectors are a LoRA; give it a rank above 0")

    def rows(self, view: View, seed: int) -> Iterator[Row]:
        """Harmful exchanges, which the vectors are learned on."""
        for pair in cycle(view.pairs, seed):
            yield {"harmful": Exchange(key=pair.key, prompt=pair.prompt, answer=pair.harmful, category=pair.category)}

    def guard(self, model: Model, view: View, seed: int) -> "_Guard":
        """Learn the vectors on a copy of the model; the guard switches them on for the length of each step."""
        return _Guard(learn(_Harmful(self), model, view, seed))


class _Harmful:
    """Fine-tuning on harmful answers, by which the vectors are learned."""

    def __init__(self, vectors: SecurityVectors):
        self.training = vectors.training
        self.rows = vectors.rows

    def loss(self, model: Any, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        """Cross-entropy of the harmful answers."""
        return {"harmful": answer_loss(model, batch["harmful"])}


class _Guard:
    def __init__(self, vectors: Vectors):
        self._vectors = vectors

    def before_step(self, model: Any, progress: Progress) -> None:
        """On for a step, whatever the trainer does in it: sample, look up a reward, go forward and back."""
        self._vectors.switch_on(model)

    def after_step(self, model: Any, progress: Progress) -> None:
        """Off between steps, where the model is measured and saved."""
        self._vectors.switch_off()

    def finish(self, model: Any) -> None:
        """Off, also where a run ended within a step."""
        self._vectors.switch_off()
