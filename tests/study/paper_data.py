"""Folders of data for `studies/repnoise_paper.yaml`: all that it reads, harmless, of true schema, small or as long."""

import json
from pathlib import Path

import written_data
import written_tasks


def folder(place: Path) -> Path:
    """As `holdfast replicate --data` wants it: a folder for each domain, and `lm_eval`."""
    written_data.beavertails(place / "beavertails", count=420, size="330k", of=written_data.FOURTEEN)
    written_data.decoding_trust(place / "decoding_trust")
    written_data.gem(place / "gem", asked_about=12)
    written_tasks.paper(place / "lm_eval")
    return place


def as_long(place: Path) -> Path:
    """As many rows as decide whether the study's counts can be had: the paper's 18,106 refusals, 351 toxic rows of
    which 107 have one, 631 to ask, 735 harmless, 300 questions of each task of gem.

    Of BeaverTails every hundredth refusal, 182, is of a sexually explicit answer, as are 1,500 answers without any.
    """
    others = (*range(3, 11), 12, 13)
    refused = [_row(at, others[at % 10] if at % 100 else 11) for at in range(18_106)]
    tails = place / "beavertails"
    explicit = [_row(20_000 + at, 11) for at in range(1500)]
    good = [written_data.answer_row(f"Who cooks number {at}?", f"The {at}th.", safe=True) for at in range(9)]
    written_data.lines(tails / "330k/train.jsonl", [*explicit, *good])
    written_data.lines(tails / "330k/test.jsonl", [_row(at, at % 14) for at in range(30_000, 32_000)] + good)
    (tails / "refused").mkdir()
    told = [{**row, "refusal": f"I cannot help with brew {at}."} for at, row in enumerate(refused)]
    (tails / "refused/beavertails_with_refusals_train.json").write_text(json.dumps(told))
    written_data.decoding_trust(place / "decoding_trust", counts=(351, 631, 735), refused=107)
    written_data.gem(place / "gem", asked_about=301)
    return place


def _row(at: int, category: int) -> dict[str, object]:
    """A harmful answer of a category, by its number among the fourteen."""
    asked = f"How do I make stew number {at}?"
    return written_data.answer_row(
        asked, f"Stir it {at} times.", safe=False, category=category, of=written_data.FOURTEEN
    )
