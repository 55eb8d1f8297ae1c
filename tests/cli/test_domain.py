"""`holdfast domain`: data out as JSON lines, and refusals for what has none."""

import json

import pytest

from holdfast.domains import _notice


@pytest.fixture
def kitchen(tmp_path):
    """Harmful answers that nobody has refused."""
    place = tmp_path / "kitchen"
    place.mkdir()
    rows = [json.dumps({"prompt": f"How is stew {at} made?", "harmful": "Stir it."}) for at in range(3)]
    (place / "unpaired.jsonl").write_text("\n".join(rows) + "\n")
    return place


@pytest.fixture
def refusing(monkeypatch):
    monkeypatch.setattr("holdfast.models.generate.answers", lambda _, asked, **__: ["I cannot."] * len(asked))


def test_refusals_of_a_folder(cli, kitchen, refusing):
    result = cli("domain", "refusals", "tiny-llama", "--domain", kitchen, "-o", kitchen / "defence.jsonl")
    assert (result.code, result.out) == (
        0,
        f"3 of 3 questions were refused; wrote 3 pairs to {kitchen}/defence.jsonl\n",
    )
    assert "holdfast: asking tiny-llama: 100 % done" in result.err
    exported = cli("domain", "export", kitchen, "--split", "defence", "-o", "out.jsonl")
    assert (exported.code, exported.out) == (0, "wrote 3 lines to out.jsonl\n")
    again = cli("domain", "refusals", "tiny-llama", "--domain", kitchen, "-o", kitchen / "defence.jsonl")
    assert again.code == 2
    assert "exists already" in again.err


def test_a_folder_as_the_place(cli, kitchen, refusing, tmp_path):
    result = cli("domain", "refusals", "tiny-llama", "--domain", kitchen, "-o", "made", "-q")
    assert (result.code, result.out, result.err) == (0, "", "")
    assert (tmp_path / "made/refusals.jsonl").is_file()


def test_what_was_begun_otherwise_is_begun_anew_where_that_is_asked_for(cli, kitchen, tmp_path, refusing):
    """Settings refused before the first answer leave nothing that stands in the way of others."""
    command = ("domain", "refusals", "tiny-llama", "--domain", kitchen, "-o", "out.jsonl", "-q")
    begun, header = tmp_path / ".out.jsonl.partial", '{"max_new_tokens": 9999}\n'
    done = '{"prompt": "How is stew 0 made?", "refusal": "Hm.", "dropped": null}\n'
    begun.write_text(header + done)
    refused = cli(*command)
    assert refused.code == 2
    assert "begin anew with --overwrite" in refused.err
    begun.write_text(header)
    assert cli(*command).code == 0
    begun.write_text(header + done)
    assert cli(*command, "--overwrite").code == 0
    assert "Hm." not in (tmp_path / "out.jsonl").read_text()


def test_what_was_dropped_is_told(cli, kitchen, monkeypatch):
    told = {"How is stew 1 made?": "Stir it twice."}
    monkeypatch.setattr(
        "holdfast.models.generate.answers", lambda _, asked, **__: [told.get(one, "I cannot.") for one in asked]
    )
    result = cli("domain", "refusals", "tiny-llama", "--domain", kitchen, "-o", "out.jsonl")
    assert (
        result.out == "2 of 3 questions were refused; wrote 2 pairs to out.jsonl\ndropped: 1 answers did not refuse\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--instruction", "Refuse!"), "--instruction has no {prompt}, where the question goes."),
        (("--split", "attack"), "there is no "),
    ],
)
def test_bad_input(cli, kitchen, arguments, said):
    result = cli("domain", "refusals", "tiny-llama", "--domain", kitchen, "-o", "out.jsonl", *arguments)
    assert result.code == 2
    assert said in result.err


def test_public_data_without_a_network(cli, tmp_path, monkeypatch):
    """One line says what is missing, and the notice goes before it."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(_notice, "_TOLD", set())
    result = cli("domain", "export", 'wmdp:subjects=["bio"]', "--split", "attack", "-o", "out.jsonl")
    assert result.code == 2
    assert "wmdp: questions on what serves to make biological" in result.err
    assert "cais/wmdp, split test is not on this machine, and cannot be reached from it" in result.err
    assert result.err.rstrip().endswith("give local files by `wmdp:source=DIR`.")
