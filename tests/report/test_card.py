"""The model card: written twice it is the same, the rest of it stays, and its metadata parses."""

import dataclasses
import re

import pytest
from huggingface_hub import EvalResult, ModelCard, ModelCardData
from sample import RESTRICTED, report

from holdfast.errors import InputError
from holdfast.report.card import END, START, describe, marked, write_card

README = """---
license: apache-2.0
tags:
- mine
---

# A model

What I wrote.
"""


def written(directory, made):
    write_card(directory, made, made.verdicts[0])
    return (directory / "README.md").read_text()


def test_the_rest_stays_and_twice_is_once(tmp_path):
    (tmp_path / "README.md").write_text(README)
    once = written(tmp_path, report())
    assert written(tmp_path, report()) == once
    assert "What I wrote." in once
    card = ModelCard(once)
    assert (card.data.license, card.data.tags) == ("apache-2.0", ["mine", "holdfast", "tamper-resistance"])
    assert {result.metric_type: result.metric_value for result in card.data.eval_results} == {
        "harm": 0.01,
        "utility": 0.99,
        "stability": 0.45,
        "harm_after_attack": 0.9675,
        "attacker_cost_multiplier_at_least": 2.0,
        "attacker_cost_multiplier_at_most": 8.0,
    }
    (tmp_path / "README.md").write_text(once + "\nAnd more.\n")
    changed = report()
    changed = dataclasses.replace(changed, verdicts=[dataclasses.replace(changed.verdicts[0], headline="It holds.")])
    again = written(tmp_path, changed)
    assert "**It holds.**" in again
    assert "delays an attack" not in again
    assert again.endswith(f"{END}\n\nAnd more.\n")
    assert again.count(START) == 1


def test_a_card_is_made_where_there_is_none(tmp_path):
    assert "# arcana+repnoise" in written(tmp_path, report())


def test_results_of_others_stay(tmp_path):
    other = EvalResult(
        task_type="text-generation", dataset_type="d", dataset_name="d", metric_type="accuracy", metric_value=0.5
    )
    data = ModelCardData(model_name="mine", eval_results=[other])
    (tmp_path / "README.md").write_text(f"---\n{data.to_yaml()}\n---\n\n# x\n")
    written(tmp_path, report())
    card = ModelCard(written(tmp_path, report()))
    assert card.data.model_name == "mine"
    assert sorted(result.metric_type for result in card.data.eval_results)[0] == "accuracy"
    assert len(card.data.eval_results) == 7


def test_lines_end_as_they_did(tmp_path):
    (tmp_path / "README.md").write_bytes(README.replace("\n", "\r\n").encode())
    write_card(tmp_path, report(), report().verdicts[0])
    once = (tmp_path / "README.md").read_bytes()
    assert once.count(b"\n") == once.count(b"\r\n")


def test_a_marker_without_its_end_takes_nothing_with_it(tmp_path):
    (tmp_path / "README.md").write_text(f"{README}\n{START}\nhalf\n\nMine.\n")
    once = written(tmp_path, report())
    assert written(tmp_path, report()) == once
    assert "Mine." in once


def test_metadata_that_cannot_be_read(tmp_path):
    for metadata in ("a: [", "- a list"):
        (tmp_path / "README.md").write_text(f"---\n{metadata}\n---\n")
        with pytest.raises(InputError, match=r"README\.md has metadata that cannot be read"):
            write_card(tmp_path, report(), report().verdicts[0])
        assert (tmp_path / "README.md").read_text() == f"---\n{metadata}\n---\n"


def test_hostile_text_stays_text(tmp_path):
    made = report(hostile=True, show_text=True)
    once = written(tmp_path, made)
    assert written(tmp_path, made) == once
    body = ModelCard(once).text
    assert body.count(START) == 1
    assert not re.search(r"<(?!!-- /?holdfast:verdict -->)", body)
    assert not re.search(r"(?<!\\)[`\[\]]|://|(?m:^# (?!\\))", body.partition(START)[2])
    rows = [line for line in body.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {4, 5}
    assert len(once) < 20_000


def test_no_answers_are_told():
    made = report(show_text=True)
    assert RESTRICTED not in describe(made, made.verdicts[0])


def test_marked_by_hand():
    assert marked("a_b | `c` <d>\n[e](f) & $g$") == r"a\_b \| \`c\` &lt;d&gt;⏎\[e\](f) &amp; \$g\$"
    assert marked("see www.x.example, https://x.example, me@x.example") == (
        "see www&#46;x.example, https&#58;//x.example, me&#64;x.example"
    )


def test_one_of_several_seeds_does_not_speak_for_itself():
    made = report(models=("a",) * 3, number=4, runs=1, over=True)
    assert "Over 3 seeds of the defence: Broken with 2 of 3 seeds of repnoise." in describe(made, made.verdicts[1])
    alone = report(number=4, runs=1, over=True)
    assert "Over " not in describe(alone, alone.verdicts[0]).partition("### Controls")[0]
