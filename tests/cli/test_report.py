"""`holdfast report`, and the options that make records for it."""

import json

import pytest

import holdfast
from verdict.made import BREAKS, answered, folder, prompted, record

SHORT = ("-s", "training.steps=1", "-s", "training.batch_size=1")


@pytest.fixture
def records(tmp_path):
    """A folder, `study`, with one attack on the undefended and on the hardened model, and one by prompt."""
    held = record("defended", (0, 0, 0, 0.1, 0.5, 0.5))
    answered(held, text="the secret recipe", restricted=True)
    place = tmp_path / "study"
    place.mkdir()
    folder(place, record("undefended", BREAKS), held, prompted("defended", 0.1))
    return place


def test_a_folder_becomes_a_report(cli, records):
    """Undefended broken at 2 steps, hardened held at 3: at least 1.5 times."""
    result = cli("report", "study")
    assert (result.code, result.err) == (0, "")
    assert "at least 1.5" in result.out
    assert "study/report.html" in result.out
    assert {path.name for path in records.iterdir()} == {"records", "report.html", "report.json", "figures"}
    assert (records / "figures" / "model-1-resistance.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((records / "report.json").read_text())["schema"] == "holdfast.report/1"


def test_restricted_text_shows_only_if_asked_for(cli, records):
    cli("report", "study")
    assert "the secret recipe" not in (records / "report.html").read_text()
    assert "the secret recipe" not in (records / "report.json").read_text()
    cli("report", "study", "--show-text")
    assert "the secret recipe" in (records / "report.html").read_text()


def test_terms_can_be_set(cli, records):
    """At a threshold of .6 nothing breaks the hardened model, and the undefended one still breaks."""
    told = json.loads(cli("report", "study", "--json", "-s", "threshold=0.6").out)
    assert told["terms"]["threshold"] == 0.6
    assert told["verdicts"][0]["multipliers"][0]["high"] is None


def test_the_schema(cli):
    told = json.loads(cli("report", "--schema").out)
    assert {"verdicts", "runs", "schema"} <= {*told["properties"]}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "no folder was given; write for example: holdfast report holdfast-quickstart"),
        (("nowhere",), "nowhere is not a folder"),
        ((".",), "holds no record: expected records/*.json"),
        (("study", "-s", "treshold=0.2"), "Terms has no field 'treshold': did you mean 'threshold'?"),
        (("study", "-s", "threshold=2"), "Terms: threshold: input should be less than or equal to 1, got 2."),
    ],
)
def test_bad_input(cli, tmp_path, arguments, told):
    if arguments[:1] == ("study",):
        (tmp_path / "study").mkdir()
    result = cli("report", *arguments)
    assert (result.code, result.out) == (2, "")
    assert told in result.err


def test_a_broken_record_is_named_and_nothing_is_written(cli, records):
    (records / "records" / "broken.json").write_text("{")
    result = cli("report", "study")
    assert result.code == 2
    assert "study/records/broken.json is not a record" in result.err
    assert not (records / "report.html").exists()


def test_records_of_ones_own(cli, tmp_path):
    """An attack and a lesson leave a record each, which a report can read; one is never overwritten unasked."""
    assert cli("attack", "arcana", *SHORT, "--ladder", "0", "--record", "own/records/attack.json", "-q").code == 0
    assert cli("learn", "arcana", "inns", "-s", "training.steps=1", "--record", "own/records/inns.json", "-q").code == 0
    again = cli("learn", "arcana", "inns", "--record", "own/records/inns.json")
    assert (again.code, "exists already" in again.err) == (2, True)
    found = [holdfast.Record.from_json(path.read_bytes()) for path in sorted(tmp_path.glob("own/records/*"))]
    assert [(one.purpose, one.role, one.task) for one in found] == [
        ("resistance", "undefended", None),
        ("trainability", "undefended", "inns"),
    ]
    assert "no record is of a hardened model" in cli("report", "own").err


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (("attack", "arcana", "prefill", "-o", "out"), "attack 'prefill' changes no weight, so there is no model to"),
        (("attack", "arcana", "--role", "orakle"), "unknown role 'orakle': did you mean 'oracle'"),
        (("attack", "arcana", "--categories", "hexes"), "unknown category 'hexes': did you mean 'hex'"),
        (("harden", "arcana", "none", "-o", "out", "--categories", "hexes"), "unknown category 'hexes'"),
        (("learn", "arcana", "ins"), "unknown task 'ins': did you mean 'inns'"),
    ],
)
def test_bad_options(cli, tmp_path, command, told):
    result = cli(*command)
    assert (result.code, result.out) == (2, "")
    assert told in result.err
    assert list(tmp_path.iterdir()) == []


def test_evaluating_some_categories(cli):
    """24 of the 144 questions are about hexes."""
    scores = json.loads(cli("evaluate", "arcana", "--metrics", "harm", "--categories", "hex", "--json").out)
    assert scores["harm"]["n"] == 24
    assert {*scores["harm"]["categories"]} == {"hex"}


def test_two_folders_are_compared_and_nothing_is_written(cli, records, tmp_path):
    before = sorted(records.rglob("*"))
    result = cli("report", "--diff", "study", "study")
    assert (result.code, result.err) == (0, "")
    assert "alike" in result.out
    assert sorted(records.rglob("*")) == before
    assert json.loads(cli("report", "--diff", "study", "study", "--json").out)["gone"] == []
    wrong = cli("report", "study", "--diff", "study", "study")
    assert wrong.code == 2
    assert "what is study for?" in wrong.err


def test_an_index_over_studies(cli, records, tmp_path):
    result = cli("index", "study", "-o", "index.html", "-q")
    assert (result.code, result.out, result.err) == (0, "", "")
    assert "base+shield" in (tmp_path / "index.html").read_text()
    assert cli("index", "nowhere", "-o", "index.html").code == 2
