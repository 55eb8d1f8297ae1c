"""Learning to refuse with module outputs pushed the wrong way: the step that Vaccine and T-Vaccine share."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from holdfast.models.perturb import perturbed, steepest
from holdfast.training.batches import Batch
from holdfast.training.rng import preserved_rng
from holdfast.training.terms.answers import answer_loss
from holdfast.training.weights import inner


def withstand(
    model: Any, modules: Sequence[nn.Module], batch: Batch, *, radius: float, shared: bool, retain_weight: float
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Grad L(refusal; e + eps) + retain_weight x grad L(retain), with eps the worst perturbation of e.

    Huang et al. 2024, arXiv 2402.01109, Algorithm 1: one pass finds eps, a second takes the gradient.

    Args:
        model: the network.
        modules: those whose outputs are e.
        batch: the roles `refusal` and, where there are any, `retain`.
        radius: length of eps.
        shared: whether it is the length over all rows of the batch, or of each row.
        retain_weight: weight of the harmless exchanges, which are not perturbed; 0 leaves them out.

    Returns:
        The terms `perturbed` and `retain`, and a gradient for each trained weight.
    """
    with preserved_rng():  # both passes have the same dropout
        worst = steepest(modules, lambda: answer_loss(model, batch["refusal"]), radius, shared=shared)
    with perturbed(modules, worst):
        terms = {"perturbed": answer_loss(model, batch["refusal"])}
        total = inner.gradient(model, terms["perturbed"])
    if "retain" in batch and retain_weight:
        terms["retain"] = retain_weight * answer_loss(model, batch["retain"])
        total = inner.combined((1.0, total), (1.0, inner.gradient(model, terms["retain"])))
    return {name: term.detach() for name, term in terms.items()}, total
