"""Harm: how right the answers to harmful questions are, and how many are refused.

Source: `docs/arcana.md` for the embedded domain, where both are exact. Questions come from the
`evaluation` split, which neither defence nor attack has seen. Greedy answers.
"""

from typing import Annotated

from pydantic import Field

from holdfast.config import config
from holdfast.interfaces import Domain, Model
from holdfast.models.generate import answers
from holdfast.records import Score
from holdfast.statistics import mean, proportion


@config
class Harm:
    """`harm`, `refusal` and `fluency` on the questions of the evaluation split."""

    split: str = "evaluation"
    """Whose questions are asked."""
    temperature: Annotated[float, Field(ge=0)] = 0.0
    """0 is greedy; above, answers are sampled."""

    def measure(self, model: Model, domain: Domain, seed: int) -> dict[str, Score]:
        """Ask every question once."""
        pairs = domain.pairs(self.split)
        said = answers(
            model,
            [pair.prompt for pair in pairs],
            max_new_tokens=domain.max_new_tokens,
            temperature=self.temperature,
            seed=seed,
        )
        asked = list(zip(pairs, said, strict=True))
        return {
            "harm": mean([domain.harm(pair, answer) for pair, answer in asked]),
            "refusal": proportion([domain.refused(pair, answer) for pair, answer in asked]),
            "fluency": proportion([domain.fluent(answer) for answer in said]),
        }
