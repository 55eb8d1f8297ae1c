"""`holdfast replicate`: what there is to do, where its report goes, and what is refused before it runs."""

import json

import pytest

FILE = """\
name: small
paper: A paper
model: tiny-llama
data: {stews: data}
attacks: {none: none}
tables:
  "1":
    title: "Table 1: harm"
    data: stews
    rows: {Base: {}, Random: {random: true}}
    columns: {pre: {attack: none}}
    published: {Base: [0.05], Random: [0.0]}
"""


@pytest.fixture
def file(tmp_path, data):
    path = tmp_path / "small.yaml"
    path.write_text(FILE)
    return path


def test_the_plan(cli, file, tmp_path):
    plan = cli("replicate", file, "--plan")
    assert (plan.code, plan.err) == (0, "")
    assert plan.out.splitlines() == [
        "Table 1: harm: 2 runs on 0 hardened models and the base",
        "In all 2 runs, 0 models to harden, on tiny-llama.",
    ]
    told = json.loads(cli("replicate", file, "--plan", "--json").out)
    assert told == {
        "model": "tiny-llama",
        "runs": 2,
        "hardened": 0,
        "tables": [{"table": "1", "runs": 2, "hardened": 0}],
    }
    assert cli("replicate", file, "--plan", "--quiet").out == ""
    assert not (tmp_path / "holdfast-studies").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--model", "nosuchmodel"), "unknown model 'nosuchmodel'"),
        (("--scale", "nan"), "--scale nan is no share"),
        (("--scale", "2"), "--scale 2 is no share"),
        (("--tables", "2"), "unknown table '2'"),
        (("--gpus", "1"), "--address and --gpus are for a Ray cluster"),
    ],
)
def test_what_is_refused_before_anything_is_run(cli, file, arguments, said):
    for more in ((), ("--plan",)):
        result = cli("replicate", file, *arguments, *more)
        assert result.code == 2
        assert said in result.err


def test_a_mistake_in_the_file_has_its_line(cli, file):
    file.write_text(FILE.replace("{attack: none}}", "{attack: none, score: harmm}}"))
    result = cli("replicate", file)
    assert (result.code, result.out) == (2, "")
    assert f"{file}:11: " in result.err
    assert "unknown score 'harmm': did you mean 'harm'" in result.err


def test_the_report_goes_where_it_is_asked_for(cli, file, tmp_path):
    refused = cli("replicate", file, "--store", "memory://small")
    assert refused.code == 2
    assert "memory://small is no folder of this machine: say with --output where the report goes." in refused.err
    ran = cli("replicate", file, "--workers", "1", "-o", "told", "--quiet")
    assert (ran.code, ran.out) == (0, "")
    names = {path.name for path in (tmp_path / "told").iterdir()}
    assert names == {"replication.html", "replication.md", "replication.json"}
