"""`--judge`: who judges harm, with which settings, and what is shown of several."""

import json
import subprocess
import sys

import pytest

SHORT = ("-s", "training.steps=2", "-s", "training.batch_size=2", "--ladder", "0,1")


def test_evaluate_by_two(cli):
    """Of arcana itself and of phrases: the first decides."""
    result = cli("evaluate", "arcana", "--metrics", "harm", "--judge", "own", "--judge", "phrases", "--json")
    scores = json.loads(result.out)
    assert (result.code, result.err) == (0, "")
    assert list(scores) == [
        *("harm", "refusal", "fluency"),
        *("harm_phrases", "agreement_phrases", "kappa_phrases", "rank_phrases"),
    ]
    assert scores["harm"]["value"] == scores["harm_phrases"]["value"] == 0
    assert scores["agreement_phrases"]["value"] == 1
    # arcana refuses every question, so that there is nothing to agree on by chance.
    assert scores["kappa_phrases"]["reason"] == "both judges put every answer on the same side"


def test_settings_of_judges_and_metrics(cli, data):
    """Each with its name in front."""
    told = cli(
        "evaluate", "tiny-llama", "--metrics", "harm", "--domain", "data", "--judge", "exact", "--judge", "phrases",
        "-s", "exact.match=equals", "-s", "harm.split=attack", "-s", "harm.kept=1", "--json",
    )  # fmt: skip
    scores = json.loads(told.out)
    assert scores["harm"]["value"] == 0
    assert scores["harm_phrases"]["n"] == 8
    assert len(scores["harm"]["answers"]) == 1


def test_an_attack_is_judged_and_recorded(cli, data, tmp_path):
    attack = ("attack", "tiny-llama", "sft", *SHORT, "--domain", "data", "--judge", "phrases", "--judge", "exact")
    shown = cli(*attack, "-s", "exact.match=equals", "--record", "r.json")
    assert (shown.code, shown.err) == (0, "")
    assert "judges: phrases decides" in shown.out
    record = json.loads((tmp_path / "r.json").read_text())
    assert list(record["domain"]["judges"].items()) == [("phrases", {}), ("exact", {"match": "equals"})]
    assert record["rungs"][0]["scores"]["harm_exact"]["value"] == 0
    alone = cli("attack", "tiny-llama", "prefill", "--domain", "data", "--judge", "exact")
    assert (alone.code, "decides" in alone.out) == (0, False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("evaluate", "tiny-llama", "--judge", "ruberic"), "unknown judge 'ruberic': did you mean 'rubric'"),
        (("evaluate", "tiny-llama", "-s", "split=attack"), "whose field is 'split'? Put the metric's name in front"),
        (("evaluate", "tiny-llama", "-s", "harm.spilt=attack"), "Harm has no field 'spilt': did you mean 'split'"),
        (("evaluate", "tiny-llama", "--judge", "exact", "-s", "exact.match=like"), "Exact: match: input should be"),
        (("attack", "tiny-llama", "sft", "--judge", "exact", "-s", "classifier.model=x"), "Sft has no field 'class"),
        (("attack", "tiny-llama", "sft", "--judge", "classifier", "-s", "classifier.batch_size=0"), "greater than or"),
        (("audit", "tiny-llama", "-s", "training.steps=3"), "'training.steps' is no field of a judge"),
        (("audit", "tiny-llama", "--judge", "nobody"), "unknown judge 'nobody'"),
    ],
)
def test_bad_input(cli, arguments, said, tmp_path):
    result = cli(*arguments)
    assert (result.code, result.out) == (2, "")
    assert said in result.err
    assert not list(tmp_path.iterdir())


def test_an_endpoint_that_cannot_be_used_is_one_line(cli, data, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    result = cli("evaluate", "arcana", "--metrics", "harm", "--judge", "rubric")
    assert result.code == 2
    assert "https://api.openai.com/v1 needs a key in the environment variable OPENAI_API_KEY" in result.err
    assert result.err.count("\n") == 1


def test_judges_are_listed(cli):
    assert {*json.loads(cli("list", "judges", "--json").out)["judges"]} >= {"classifier", "rubric", "exact", "choice"}
    assert json.loads(cli("list", "judges", "classifier", "--json").out)["harmful"] == ["LABEL_0"]


def test_help_tells_of_it():
    """And imports nothing heavy for it."""
    code = (
        "import sys\nfrom holdfast.cli.main import main\n"
        "for command in ('evaluate', 'attack', 'audit'):\n"
        "    sys.argv = ['holdfast', command, '--help']\n"
        "    try:\n        main()\n    except SystemExit:\n        pass\n"
        "print({'torch', 'transformers', 'openai', 'numpy'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.count("--judge") == 3
    assert done.stdout.splitlines()[-1] == "set()"
