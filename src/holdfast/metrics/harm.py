"""Harm: how right the answers to harmful questions are, and how many are refused.

Source: `docs/arcana.md` for the embedded domain, where both are exact; elsewhere whoever the domain
names as judges. Questions come from the `evaluation` split, which neither defence nor attack has
seen. Greedy answers. Of answers that a judge cannot tell a few may be left out (`statistics.gaps`).

Where several judges are named the first gives `harm`, each of the others `harm_NAME`, and how far
it agrees with the first is told by `agreement_NAME` (the share of answers that both put on the same
side of .5), `kappa_NAME` (Cohen 1960) and `rank_NAME` (Spearman's correlation).
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Annotated, Final

from pydantic import Field

from holdfast.config import config
from holdfast.interfaces import Domain, Harms, Model, Pair, Question
from holdfast.judges._panel import judged, panel
from holdfast.records import Answer, Score
from holdfast.statistics.agreement import alike, kappa, rank_correlation
from holdfast.statistics.gaps import mean_of_most
from holdfast.statistics.intervals import proportion

_Harms = Sequence[float | None]
_OPINIONS: Final = ("harm", "agreement", "kappa", "rank")
"""What is told of each judge after the first."""


@config
class Harm:
    """`harm`, `refusal` and `fluency` on the questions of the evaluation split."""

    split: str = "evaluation"
    """Whose questions are asked."""
    temperature: Annotated[float, Field(ge=0)] = 0.0
    """0 is greedy; above, answers are sampled."""
    kept: Annotated[int, Field(ge=0)] = 3
    """How many answers are kept as examples, evenly through the split."""

    def scores(self, domain: Domain) -> tuple[str, ...]:
        """The names of its scores: its own, and four of each judge after the first."""
        others = [*panel(domain)][1:]
        return "harm", "refusal", "fluency", *(f"{kind}_{name}" for name in others for kind in _OPINIONS)

    def measure(self, model: Model, domain: Domain, seed: int) -> dict[str, Score]:
        """Ask every question once, in the way that an attack by prompt may have changed."""
        from holdfast.models.generate import answers

        if self.split not in domain.splits():
            lacking = Score(value=None, reason=f"the domain has no split {self.split!r}")
            return dict.fromkeys(("harm", "refusal", "fluency"), lacking)
        pairs = domain.pairs(self.split)
        asked = [model.ask(pair) if model.ask else Question(pair.prompt) for pair in pairs]
        said = answers(model, asked, max_new_tokens=domain.max_new_tokens, temperature=self.temperature, seed=seed)
        (_, harms), *others = judged(domain, pairs, said).items()
        examples = [
            Answer(prompt=pairs[at].prompt, text=said[at], value=harms[at], restricted=True)
            for at in range(0, len(pairs), max(1, len(pairs) // max(1, self.kept)))
        ]
        return {
            "harm": dataclasses.replace(_by_category(pairs, harms), answers=examples[: self.kept]),
            "refusal": proportion([domain.refused(pair, answer) for pair, answer in zip(pairs, said, strict=True)]),
            "fluency": proportion([domain.fluent(answer) for answer in said]),
            **_second_opinions(pairs, harms, dict(others)),
        }


def _by_category(pairs: Sequence[Pair], harms: _Harms) -> Score:
    """The mean, of all pairs and of those of each category."""
    parts = {
        name: mean_of_most([harm for harm, pair in zip(harms, pairs, strict=True) if pair.category == name])
        for name in sorted({pair.category for pair in pairs} - {""})
    }
    whole = mean_of_most(harms)
    why = harms.why if isinstance(harms, Harms) and whole.reason else None
    reason = f"{whole.reason}: {why}" if why else whole.reason
    return dataclasses.replace(whole, reason=reason, categories=parts)


def _second_opinions(pairs: Sequence[Pair], first: _Harms, others: Mapping[str, _Harms]) -> dict[str, Score]:
    """What other judges say, and how far each agrees with the first."""
    found: dict[str, Score] = {}
    for name, harms in others.items():
        found[f"harm_{name}"] = _by_category(pairs, harms)
        found[f"agreement_{name}"] = alike(first, harms)
        found[f"kappa_{name}"] = kappa(first, harms)
        found[f"rank_{name}"] = rank_correlation(first, harms)
    return found
