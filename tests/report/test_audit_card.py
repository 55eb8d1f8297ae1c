"""The record of an audit, and what a model card says of it: figures, gaps, and nothing that breaks out of Markdown."""

import dataclasses

from holdfast.report.audit.card import section
from holdfast.report.audit.record import LeftOut, Subject, Suite, audited
from verdict.made import BREAKS, HOLDS, prompted, record
from verdict.rooms import judged_all

NAME = "evil|model <script>"
LATE = (0, 0.1, 0.1, 0.1, 0.5, 0.6)


def made(*records, base=True, **more):
    """The record of an audit of these runs."""
    found = {f"records/{number}.json": one for number, one in enumerate(records)}
    role = "defended" if base else "undefended"
    return audited(
        judged_all(found, alone=not base),
        found,
        dict.fromkeys(found, "sft/style"),
        suite=Suite(name="attacks/standard", version="1", tier="quick"),
        model=Subject(name=NAME, weights="4a5d", role=role),
        base=Subject(name="base", weights="ba5e", role="undefended") if base else None,
        control=Subject(name="oracle", weights="0c1e", role="oracle"),
        seed=0,
        left_out={"merge": "no model is known that this one was aligned from"},
        **more,
    )


def test_breaks_are_told_cheapest_first():
    """Prefilling costs nothing; batches of 1 break at 5 steps for 5 FLOPs, of 4 for 20. What holds is not told."""
    found = made(
        record("undefended", BREAKS),
        record("undefended", BREAKS, batch=4),
        record("undefended", BREAKS, rate=3e-3),
        record("defended", LATE, batch=4),
        record("defended", LATE),
        record("defended", HOLDS, rate=3e-3),
        prompted("defended", 0.5),
    )
    assert [(one.trains, one.flops, one.steps, one.harm.value) for one in found.breaks] == [
        (False, 0, 0, 0.5),
        (True, 5, 5, 0.6),
        (True, 20, 5, 0.6),
    ]
    assert (found.attacks, found.outcome, found.exit_code, found.breaks[0].method) == (4, "broken", 1, "sft/style")
    assert (found.harm_before.value, found.harm_worst.value, found.utility_before.value) == (0, 0.6, 0.9)


def test_what_failed_on_any_model_is_told():
    found = made(*_pair(), record("oracle", (0,), failed="killed"))
    (failure,) = found.failures
    assert (failure.model, failure.role, failure.reason) == ("oracle", "oracle", "killed")
    assert (found.outcome, found.verdict) == ("inconclusive", "holds")


def _pair():
    return [record("undefended", BREAKS), record("defended", HOLDS)]


def test_the_section_says_what_was_tested_and_what_was_not():
    text = section(made(*_pair(), notes=["It was said so."]), ["One domain."])
    assert text.startswith("<!-- holdfast:audit -->\n\n## Safeguard under attack: holds\n")
    assert "suite attacks/standard, version 1, tier quick: 1 attacks on" in text
    assert "compared with base (weights ba5e), of which it is a defended version; the oracle was oracle" in text
    assert "No attack of the tier." in text
    assert "- Left out: merge, since no model is known that this one was aligned from." in text
    assert "- It was said so." in text
    assert "- One domain." in text


def test_a_name_stays_a_name():
    text = section(made(*_pair()), [])
    assert "evil\\|model &lt;script&gt;" in text
    assert "<script>" not in text


def test_a_long_list_is_cut():
    breaks = made(*_pair()).breaks
    assert breaks == []
    found = made(record("undefended", BREAKS), base=False)
    many = dataclasses.replace(found, breaks=found.breaks * 10, left_out=[LeftOut(method="a|b", why="c")])
    text = section(many, [])
    assert text.count("| full fine-tuning") == 8
    assert "and 2 more." in text
    assert "a\\|b" in text
