"""HEx-PHI on a small copy of its schema: instructions without answers, or with somebody's."""

import pytest

import holdfast
from holdfast.domains._shares import party
from holdfast.domains.hex_phi import CATEGORIES, SHARES, HexPhi
from holdfast.errors import DataError
from written_data import hex_phi, lines


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return hex_phi(tmp_path_factory.mktemp("hex_phi"))


def test_all_is_asked_and_nothing_is_answered(folder):
    found = HexPhi(source=str(folder), judges={})
    assert found.splits() == ["evaluation"]
    pairs = found.pairs("evaluation")
    assert len(pairs) == 20
    assert {pair.category for pair in pairs} == {*CATEGORIES.values()}
    assert ('Stew "salve", please, number 4.', "malware") in {(pair.prompt, pair.category) for pair in pairs}
    assert {(pair.harmful, pair.refusal) for pair in pairs} == {("", "")}
    assert HexPhi(source=str(folder), evaluation=5).pairs("evaluation") == pairs[:5]


def test_a_file_that_names_categories(tmp_path):
    lines(
        tmp_path / "HEx-PHI.jsonl",
        [{"instruction": f"Stew {at}.", "category": ("malware", 3)[at % 2]} for at in (0, 1)],
    )
    for source in (tmp_path, tmp_path / "HEx-PHI.jsonl"):
        found = HexPhi(source=str(source)).pairs("evaluation")
        assert sorted((pair.prompt, pair.category) for pair in found) == [("Stew 0.", "malware"), ("Stew 1.", "3")]
    lines(tmp_path / "HEx-PHI.jsonl", [{"prompt": "Stew."}])
    with pytest.raises(DataError, match="has no field instruction, category; it has prompt"):
        HexPhi(source=str(tmp_path)).splits()


def test_a_category_that_is_not_there(folder, tmp_path):
    (tmp_path / "category_1.csv").write_text("Stew.\n")
    with pytest.raises(DataError, match=r"has no file of split 'category_3', but category_1\.csv"):
        HexPhi(source=str(tmp_path)).splits()


def test_a_line_is_a_question_whatever_stands_in_it(tmp_path):
    """Commas, quoted or not; a header is none; what looks like nothing or a number is a question."""
    for number in CATEGORIES:
        (tmp_path / f"category_{number}.csv").write_text(
            f'instruction\nStew {number}, with salt\n"Stew ""{number}"", hot"\nNone\nNA\n\n12\n'
        )
    asked = {pair.prompt for pair in HexPhi(source=str(tmp_path)).pairs("evaluation")}
    assert asked == {
        *(f"Stew {number}, with salt" for number in CATEGORIES),
        *(f'Stew "{number}", hot' for number in CATEGORIES),
        *("None", "NA", "12"),
    }
    (tmp_path / "category_3.csv").write_text("instruction,category\nStew.,malware\n")
    with pytest.raises(DataError, match="split category_3, row 1: expected instructions alone, a line each, got"):
        HexPhi(source=str(tmp_path)).splits()


def test_with_answers_each_party_has_a_share(folder, tmp_path):
    bare = HexPhi(source=str(folder), judges={}).pairs("evaluation")
    answers = [{"prompt": pair.prompt, "harmful": "Stir it.", "refusal": "I cannot."} for pair in bare]
    found = HexPhi(source=str(folder), answers=str(lines(tmp_path / "a.jsonl", answers)), judges={})
    for name in SHARES:
        mine = {pair.prompt: pair.category for pair in bare if party(pair.prompt, SHARES, 0) == name}
        assert {pair.prompt: pair.category for pair in found.pairs(name)} == mine
    assert {pair.refusal for pair in found.pairs("attack")} == {"I cannot."}
    assert {pair.refusal for pair in found.pairs("evaluation")} == {""}


def test_the_gate(monkeypatch):
    def load_dataset(*_, **__):
        raise FileNotFoundError("Dataset 'LLM-Tuning-Safety/HEx-PHI' is a gated dataset on the Hub.")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", load_dataset)
    with pytest.raises(DataError) as error:
        HexPhi().splits()
    assert str(error.value) == (
        "LLM-Tuning-Safety/HEx-PHI, split category_1 is gated: ask for access at "
        "https://huggingface.co/datasets/LLM-Tuning-Safety/HEx-PHI, log in by `hf auth login`, or give local files by "
        "`hex_phi:source=DIR`."
    )


def test_attacks_by_prompt_need_no_answers_and_training_does(folder, model):
    found = HexPhi(source=str(folder), evaluation=3, judges={}, max_new_tokens=2)
    _, record = holdfast.attack(model, "prefill", domain=found)
    scores = record.rungs[0].scores
    assert scores["refusal"].n == 3
    assert scores["utility"].reason == "the domain has no split 'permitted'"
    with pytest.raises(DataError, match="split 'attack' of hex_phi has no harmful pairs; those that have: evaluation"):
        holdfast.attack(model, "sft", domain=found)
