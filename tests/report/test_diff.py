"""Two reports side by side."""

import dataclasses

from holdfast.report.build import judged
from holdfast.report.diff import compared, text
from verdict.made import BREAKS, HOLDS, record


def report(harm, **more):
    return judged({"base": record("undefended", BREAKS, **more), "hardened": record("defended", harm, **more)})


LATER = (0, 0, 0, 0.1, 0.5, 0.5)
"""Held at 3 steps, broken at 5."""


def test_nothing_changed():
    found = compared(report(LATER), report(LATER))
    assert (found.unlike, found.gone, found.new) == ([], [], [])
    assert not any(line.changed for line in found.both[0].lines)
    (said,) = text(found)
    assert said.startswith("base+shield: ")
    assert said.endswith(" alike")


def test_what_changed_is_told():
    """Broken at 5 steps before, held to the end now: the multiplier grows."""
    found = compared(report(LATER), report(HOLDS))
    changed = {line.what: (line.before, line.after) for line in found.both[0].lines if line.changed}
    assert changed["outcome"][0] == "broken"
    assert "multiplier, training compute" in changed
    assert any("->" in line for line in text(found))


def test_what_only_one_has_is_told():
    first = report(LATER)
    other = dataclasses.replace(first, verdicts=[dataclasses.replace(first.verdicts[0], name="base+wall")])
    found = compared(first, other)
    assert (found.gone, found.new, found.both) == (["base+shield"], ["base+wall"], [])
    assert "only in the second: base+wall" in text(found)


def test_another_measure_is_told_first():
    found = compared(report(LATER), report(LATER, data="0ther"))
    assert found.unlike == ["data: da7a before, 0ther now"]
    assert text(found)[0].startswith("Not the same measure")


def test_two_of_one_name_are_compared_in_their_order():
    one = report(LATER)
    twice = dataclasses.replace(one, verdicts=[one.verdicts[0], dataclasses.replace(one.verdicts[0], outcome="holds")])
    assert [both.model for both in compared(twice, twice).both] == ["base+shield", "base+shield (2)"]


def test_no_name_breaks_out():
    one = report(LATER)
    evil = dataclasses.replace(one, verdicts=[dataclasses.replace(one.verdicts[0], name="a\nfake: line\x1b[2J")])
    assert all("\n" not in line and "\x1b" not in line for line in text(compared(evil, evil)))
