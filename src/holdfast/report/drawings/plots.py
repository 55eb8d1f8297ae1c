"""The drawings of a verdict: what an attack of a given budget brings back, and what else is compared."""

from holdfast.report.drawings import budgets, intervals, lessons, survival, tries
from holdfast.report.drawings.drawing import Drawing
from holdfast.report.schema import Verdict
from holdfast.report.seeds import Comparison


def drawings(verdict: Verdict, floor: float | None, threshold: float | None, *, prefix: str = "") -> list[Drawing]:
    """Every drawing for which the verdict has something to show, the most important first.

    Args:
        verdict: what is said of one model.
        floor: the harm that guessing gives, in [0, 1].
        threshold: the harm at which a model counts as broken, in [0, 1].
        prefix: put before every id in the SVG, where several verdicts share a page.
    """
    flops = next((m for m in verdict.multipliers if m.unit == "flops"), None)
    unseen = next((m for m in verdict.generalization if m.unit == "flops"), None)
    found = [
        budgets.harm(verdict.curves, flops, floor, threshold, prefix=prefix),
        budgets.kept(verdict.curves, "utility", prefix=prefix),
        budgets.kept(verdict.curves, "fluency", prefix=prefix),
        budgets.harm(verdict.generalization_curves, unseen, floor, threshold, prefix=prefix, name="generalization"),
        intervals.categories(verdict.categories, floor, threshold, prefix=prefix),
        intervals.tasks(verdict.tasks, prefix=prefix),
        lessons.learning(verdict.tasks, prefix=prefix),
    ]
    return [drawing for drawing in found if drawing is not None]


def over_seeds(comparison: Comparison, *, prefix: str = "") -> list[Drawing]:
    """Every drawing for which a comparison has something to show. Prefix as for `drawings`."""
    found = [
        survival.outlived(comparison.outlived, prefix=prefix),
        tries.tries(comparison.tries, prefix=prefix),
    ]
    return [drawing for drawing in found if drawing is not None]
