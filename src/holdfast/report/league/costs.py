"""What a defence costs whoever uses it, from the seconds that a study's cells took."""

import statistics
from collections.abc import Iterable, Mapping, Sequence

from holdfast.records import Record
from holdfast.report.league.rows import Cost, Stage
from holdfast.report.verdict.evidence import Evidence, trains
from holdfast.report.verdict.models import identity, known
from holdfast.statistics.multiplier import attack_key

Took = tuple[float | None, float | None]
"""Seconds that making the model took, all of its stages, and that the run itself took; None where not known."""


class Times:
    """The seconds behind a folder of records."""

    def __init__(self, records: Mapping[str, Record], took: Mapping[str, Took]):
        """Put seconds to models and attacks.

        Args:
            records: by name.
            took: by the same names; a name may be missing.
        """
        self._making: dict[str, float] = {}
        self._attacks: dict[str, dict[str, float]] = {}
        for name, record in zip(records, known(records.values()), strict=True):
            making, working = took.get(name, (None, None))
            if making is not None:
                self._making[identity(record)] = making
            if working and record.failure is None and record.purpose == "resistance" and trains(record):
                self._attacks.setdefault(identity(record), {})[attack_key(record)] = working

    def cost(self, members: Iterable[Evidence], undefended: Sequence[Record], parts: Sequence[Stage]) -> Cost:
        """What a defence costs.

        Args:
            members: the evidence on each model that it hardened.
            undefended: attacks on the undefended model.
            parts: when each part of it acts.
        """
        models = [identity(one.hardened) for one in members]
        making = [self._making[model] for model in models if model in self._making]
        return Cost(
            hardening=statistics.median(making) if making and "before" in parts else None,
            attacks=self._slower(models, undefended) if {*parts} & {"during", "after"} else None,
        )

    def _slower(self, models: Sequence[str], undefended: Sequence[Record]) -> float | None:
        """The median over attacks of the seconds under the defence relative to those of the undefended model."""
        base = {
            attack_key(record): self._attacks.get(identity(record), {}).get(attack_key(record)) for record in undefended
        }
        ratios = [
            seconds / plain
            for model in models
            for key, seconds in self._attacks.get(model, {}).items()
            if (plain := base.get(key))
        ]
        return statistics.median(ratios) if ratios else None
