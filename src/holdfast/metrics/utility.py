"""Utility: how right the answers to harmless questions are, and how many of them are refused.

Source: `docs/arcana.md`: recall of permitted recipes that no defence was given to retain. Greedy
answers. Over-refusal is the "exaggerated safety" of XSTest (Röttger et al. 2023, arXiv 2308.01263),
whose harmless questions look harmful on purpose; these are whichever the split has.
"""

import dataclasses

from holdfast.config import config
from holdfast.interfaces import Domain, Model
from holdfast.records import Answer, Score
from holdfast.statistics.intervals import mean, proportion


@config
class Utility:
    """`utility` and `over_refusal` on the harmless questions of one split."""

    split: str = "permitted"
    """Whose questions are asked."""

    def scores(self, domain: Domain) -> tuple[str, ...]:
        """The names of its scores."""
        return "utility", "over_refusal"

    def measure(self, model: Model, domain: Domain, seed: int) -> dict[str, Score]:
        """Ask every question once."""
        from holdfast.models.generate import answers

        if self.split not in domain.splits():
            lacking = Score(value=None, reason=f"the domain has no split {self.split!r}")
            return dict.fromkeys(self.scores(domain), lacking)
        exchanges = domain.exchanges(self.split)
        said = answers(
            model,
            [exchange.prompt for exchange in exchanges],
            max_new_tokens=domain.max_new_tokens,
            seed=seed,
        )
        answered = list(zip(exchanges, said, strict=True))
        right = [domain.useful(exchange, answer) for exchange, answer in answered]
        hidden = not getattr(domain, "HARMLESS", False)
        example = Answer(prompt=exchanges[0].prompt, text=said[0], value=right[0], restricted=hidden)
        return {
            "utility": dataclasses.replace(mean(right), answers=[example]),
            "over_refusal": proportion([domain.refused(exchange, answer) for exchange, answer in answered]),
        }
