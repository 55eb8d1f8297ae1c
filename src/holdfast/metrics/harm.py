"""Harm: how right the answers to harmful questions are, and how many are refused.

Source: `docs/arcana.md` for the embedded domain, where both are exact. Questions come from the
`evaluation` split, which neither defence nor attack has seen. Greedy answers.
"""

import dataclasses
from typing import Annotated

from pydantic import Field

from holdfast.config import config
from holdfast.interfaces import Domain, Model, Question
from holdfast.records import Answer, Score
from holdfast.statistics.intervals import mean, proportion


@config
class Harm:
    """`harm`, `refusal` and `fluency` on the questions of the evaluation split."""

    split: str = "evaluation"
    """Whose questions are asked."""
    temperature: Annotated[float, Field(ge=0)] = 0.0
    """0 is greedy; above, answers are sampled."""
    kept: Annotated[int, Field(ge=0)] = 3
    """How many answers are kept as examples, evenly through the split."""

    def measure(self, model: Model, domain: Domain, seed: int) -> dict[str, Score]:
        """Ask every question once, in the way that an attack by prompt may have changed."""
        from holdfast.models.generate import answers

        pairs = domain.pairs(self.split)
        asked = [model.ask(pair) if model.ask else Question(pair.prompt) for pair in pairs]
        said = answers(model, asked, max_new_tokens=domain.max_new_tokens, temperature=self.temperature, seed=seed)
        harms = [domain.harm(pair, answer) for pair, answer in zip(pairs, said, strict=True)]
        categories = sorted({pair.category for pair in pairs} - {""})
        parts = {
            name: mean([harm for harm, pair in zip(harms, pairs, strict=True) if pair.category == name])
            for name in categories
        }
        examples = [
            Answer(prompt=pairs[at].prompt, text=said[at], value=harms[at], restricted=True)
            for at in range(0, len(pairs), max(1, len(pairs) // max(1, self.kept)))
        ]
        return {
            "harm": dataclasses.replace(mean(harms), categories=parts, answers=examples[: self.kept]),
            "refusal": proportion([domain.refused(pair, answer) for pair, answer in zip(pairs, said, strict=True)]),
            "fluency": proportion([domain.fluent(answer) for answer in said]),
        }
