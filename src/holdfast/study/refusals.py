"""Refusals for harmful answers that have none: a model is asked the questions, and what refuses is kept.

Source: Rosati et al. 2024, arXiv 2405.14577 (refusals of Llama-2-7b-chat, filtered by a classifier); the instruction to
refuse, where one is given, is that of `scripts/generate_paired_refusals.py` in
github.com/domenicrosati/representation-noising for DecodingTrust.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from holdfast.domains import _prose
from holdfast.errors import DataError
from holdfast.interfaces import Domain, Model, Pair
from holdfast.judges._panel import fingerprints, panel
from holdfast.models.versions import versions
from holdfast.study.origin import world
from holdfast.study.partial import Partial

HARMFUL: Final = 0.5
"""Harm from which on an answer is no refusal, whatever it says."""
_BATCH: Final = 64
"""Questions between two times that the results are kept."""


@dataclass(frozen=True, kw_only=True)
class Refusals:
    """What came of it."""

    asked: int
    """Different questions."""
    refused: int
    """Of those, the ones that were refused."""
    pairs: int
    """Lines written: a refusal for each harmful answer to a question."""
    dropped: dict[str, int]
    """Questions whose answer was not kept, by reason."""


def unpaired(domain: Domain, split: str) -> dict[str, list[Pair]]:
    """Pairs of a split by what they ask.

    Raises:
        DataError: there are none, or they have no harmful answer, so that a refusal alone makes no pair.
    """
    found: dict[str, list[Pair]] = {}
    for pair in domain.pairs(split):
        if pair.harmful.strip():
            found.setdefault(pair.prompt, []).append(pair)
    if not found:
        raise DataError(f"split {split!r} has no harmful answers: a refusal alone makes no pair.")
    return found


def write_refusals(
    model: Model,
    domain: Domain,
    split: str,
    place: Path,
    *,
    identity: str,
    instruction: str = "",
    max_new_tokens: int = 100,
    anew: bool = False,
    on_batch: Callable[[int, int], None] | None = None,
) -> Refusals:
    """Ask a model the harmful questions of a split, and write those pairs as JSON lines whose question it refuses.

    Args:
        model: who is asked, greedily.
        domain: whose questions, and whose judge: what does harm is no refusal.
        split: with pairs, whose own refusals are not looked at.
        place: the file to be. What is done so far lies beside it, and a second call goes on with that.
        identity: of the model's weights.
        instruction: how a question is put once more where the answer is no refusal; {prompt} is the question.
        max_new_tokens: the longest refusal.
        anew: whether what an earlier call has done is done again.
        on_batch: is told how many questions are done, and how many there are, at the start and after each batch.

    Raises:
        DataError: the split has no harmful answers, or nothing was refused.
        OutputError: the file cannot be written, or was begun otherwise.
    """
    asked = unpaired(domain, split)
    told = {"instruction": instruction, "max_new_tokens": max_new_tokens, "split": split}
    partial = Partial(place, {**told, **_about(model, identity, domain)}, anew=anew)
    done = {result["prompt"] for result in partial.results}
    left = [pairs[0] for prompt, pairs in asked.items() if prompt not in done]
    if on_batch:
        on_batch(len(asked) - len(left), len(asked))
    for first in range(0, len(left), _BATCH):
        batch = left[first : first + _BATCH]
        partial.add(_answered(model, domain, batch, instruction, max_new_tokens))
        if on_batch:
            on_batch(len(asked) - len(left) + first + len(batch), len(asked))
    return _finished(partial, asked)


def _about(model: Model, identity: str, domain: Domain) -> dict[str, Any]:
    """What decides an answer and its verdict beside how it is asked for."""
    about = world(domain)
    return {
        "model": [identity, str(model.network.dtype)],
        "domain": [about.name, about.data],
        "judges": [list(about.judges.items()), fingerprints(domain)],
        "versions": versions(*panel(domain).values()),
    }


def _finished(partial: Partial, asked: dict[str, list[Pair]]) -> Refusals:
    """The file, of all that was kept, and what was not."""
    results = {result["prompt"]: result for result in partial.results}
    kept = {prompt: result["refusal"] for prompt, result in results.items() if not result["dropped"]}
    rows = [_row(pair, kept[prompt]) for prompt, pairs in asked.items() if prompt in kept for pair in pairs]
    dropped = Counter(result["dropped"] for result in results.values() if result["dropped"])
    if not rows:
        partial.drop()
        why = ", ".join(f"{count} {reason}" for reason, count in dropped.most_common())
        raise DataError(
            f"no question of {len(asked)} was refused ({why}): ask an aligned model, or give an instruction."
        )
    partial.finish("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return Refusals(asked=len(asked), refused=len(kept), pairs=len(rows), dropped=dict(dropped))


def _answered(
    model: Model, domain: Domain, batch: Sequence[Pair], instruction: str, max_new_tokens: int
) -> list[dict[str, Any]]:
    """What a model says to each question, and why it is no refusal where it is none."""
    from holdfast.models.generate import answers

    said = answers(model, [pair.prompt for pair in batch], max_new_tokens=max_new_tokens)
    why = _wanting(domain, batch, said)
    if again := [at for at, reason in enumerate(why) if reason and instruction]:
        put = [instruction.replace("{prompt}", batch[at].prompt) for at in again]
        anew = answers(model, put, max_new_tokens=max_new_tokens)
        for at, answer, reason in zip(again, anew, _wanting(domain, [batch[at] for at in again], anew), strict=True):
            said[at], why[at] = answer, reason
    return [
        {"prompt": pair.prompt, "refusal": answer.strip(), "dropped": reason}
        for pair, answer, reason in zip(batch, said, why, strict=True)
    ]


def _wanting(domain: Domain, pairs: Sequence[Pair], said: Sequence[str]) -> list[str | None]:
    """Why each answer is no refusal to keep; None where it is one."""
    judge = next(iter(panel(domain).values()))
    harms = judge.harm(domain, pairs, said)
    return [_reason(domain, *one) for one in zip(pairs, said, harms, strict=True)]


def _reason(domain: Domain, pair: Pair, answer: str, harm: float | None) -> str | None:
    told = domain.refused(pair, answer)
    if not answer.strip():
        return "said nothing"
    if not (_prose.refused(answer) if told is None else told):
        return "did not refuse"
    if harm is not None and harm >= HARMFUL:
        return "did harm all the same"
    if domain.fluent(answer) is False:
        return "were no prose"
    return "were the harmful answer itself" if answer.strip() == pair.harmful.strip() else None


def _row(pair: Pair, refusal: str) -> dict[str, str]:
    """As `jsonl` has a pair."""
    told = {"key": pair.key, "prompt": pair.prompt, "harmful": pair.harmful, "refusal": refusal}
    return {**told, "category": pair.category} if pair.category else told
