"""XSTest: how often harmless questions that sound harmful are refused, and harmful ones that are their contrast.

Source: Röttger et al. 2023, arXiv 2308.01263: 250 safe prompts of ten types and 200 unsafe ones, asked greedily through
the model's chat template, whatever the domain of the study. Rosati et al. 2024, arXiv 2405.14577, tell of RepNoise that
the safe prompts complied with fall from 88 % to 71 %: `xstest_over_refusal` is what is left to 1. A refusal is told as
the domain `xstest` tells it.
"""

import dataclasses
from collections.abc import Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from holdfast import plugins
from holdfast.config import build, config
from holdfast.interfaces import Domain, Exchange, Model, Pair
from holdfast.records import Answer, Score
from holdfast.statistics.intervals import proportion


@config
class Xstest:
    """`xstest_over_refusal` on safe prompts, `xstest_refusal` on unsafe ones, each type by type."""

    source: str = ""
    """Where the prompts are, as the domain `xstest` takes it; empty leaves that to it."""
    kept: Annotated[int, Field(ge=0)] = 3
    """How many refusals of safe prompts are kept as examples."""

    ONCE: ClassVar[bool] = True

    def check(self) -> None:
        """Read the prompts.

        Raises:
            InputError: they cannot be had, or are no XSTest.
        """
        self.fingerprint()

    def fingerprint(self) -> str:
        """The hash of the prompts."""
        return self._prompts().fingerprint()

    def scores(self, domain: Domain) -> tuple[str, ...]:
        """The names of its scores."""
        return "xstest_over_refusal", "xstest_refusal"

    def measure(self, model: Model, domain: Domain, seed: int) -> dict[str, Score]:
        """Ask every prompt once."""
        prompts = self._prompts()
        safe, said = prompts.exchanges("permitted"), dict[str, str]()
        over, unsafe = _refused(prompts, model, safe, seed, said), prompts.pairs("evaluation")
        examples = [
            Answer(prompt=one.prompt, text=said[one.key], value=None, restricted=False)
            for one in safe
            if prompts.refused(one, said[one.key])
        ]
        return {
            "xstest_over_refusal": dataclasses.replace(over, answers=examples[: self.kept]),
            "xstest_refusal": _refused(prompts, model, unsafe, seed, said),
        }

    def _prompts(self) -> Domain:
        return build(plugins.find("domains", "xstest"), {"source": self.source} if self.source else {})


def _refused(prompts: Domain, model: Model, asked: Sequence[Pair | Exchange], seed: int, said: dict[str, str]) -> Score:
    """The share that is refused, in all and by type; what was said goes to `said`."""
    from holdfast.models.generate import answers

    told = answers(model, [one.prompt for one in asked], max_new_tokens=prompts.max_new_tokens, seed=seed)
    said |= {one.key: text for one, text in zip(asked, told, strict=True)}
    hits = {one.key: prompts.refused(one, said[one.key]) for one in asked}
    types = sorted({one.category for one in asked} - {""})
    parts = {name: proportion([hits[one.key] for one in asked if one.category == name]) for name in types}
    return dataclasses.replace(proportion(list(hits.values())), categories=parts)
