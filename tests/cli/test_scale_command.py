"""`holdfast scale`."""

import json

import pytest

from verdict.made import BASE, folder, record

BENCHMARKS = "model,benchmark,performance\n" + "\n".join(
    f"model {one},bench {other},{0.2 + 0.1 * one + 0.05 * other:.2f}" for one in range(4) for other in range(3)
)


@pytest.fixture
def records(tmp_path):
    place = tmp_path / "study"
    made = {"defence": {"name": "shield", "settings": {}, "seed": 0}, "weights": "4a5d", "parent": BASE}
    met = [
        record(role, (0.0, harm, harm), steps=(0, 1, 2), rate=rate, **(made if role == "defended" else {}))
        for role, harms in (("undefended", (0.5, 0.7, 0.9)), ("defended", (0.2, 0.4, 0.6)))
        for harm, rate in zip(harms, (1e-4, 1e-3, 1e-2), strict=True)
    ]
    place.mkdir()
    return folder(place, *met)


def test_records_become_a_scale(cli, records, tmp_path):
    result = cli("scale", records, "-o", tmp_path / "out", "--resamples", "4", "--workers", "1")
    assert result.code == 0
    assert "100 % done" in result.err
    assert "base+shield" in result.out
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"scale.json", "scale.md", "scale.svg", "cells.svg"}


def test_json_is_all_there_is_on_standard_output(cli, records):
    result = cli("scale", records, "--json", "--resamples", "2", "--workers", "1")
    assert json.loads(result.out)["zero"] == "base"
    assert result.err == ""


def test_what_is_new_is_put_on_a_scale(cli, records, tmp_path):
    """Between nothing and the shield: durability between 0 and the shield's."""
    cli("scale", records, "-o", tmp_path / "out", "--resamples", "2", "--workers", "1")
    scale = json.loads((tmp_path / "out/scale.json").read_text())
    wall = {"defence": {"name": "wall", "settings": {}, "seed": 0}, "weights": "3a11", "model": "base+wall"}
    new = [
        record("defended", (0.0, harm, harm), steps=(0, 1, 2), rate=rate, parent=BASE, **wall)
        for harm, rate in zip((0.35, 0.55), (1e-4, 1e-3), strict=True)
    ]
    result = cli("scale", folder(tmp_path / "new", *new), "--onto", tmp_path / "out/scale.json", "-o", tmp_path / "out")
    assert result.code == 0
    (placed,) = json.loads((tmp_path / "out/placed.json").read_text())["models"]
    shield = next(one["durability"] for one in scale["models"] if one["role"] == "defended")
    assert 0 < placed["durability"] < shield
    assert "base+wall" in result.out


def test_benchmarks_become_two_files(cli, tmp_path):
    (tmp_path / "scores.csv").write_text(BENCHMARKS)
    result = cli(
        "scale", "--benchmarks", "scores.csv", "--anchor", "bench 0", "--regularisation", "0.1", "-o", "out",
        "--resamples", "2", "--workers", "1", "-q",
    )  # fmt: skip
    assert (result.code, result.out, result.err) == (0, "", "")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"capabilities.csv", "benchmarks.csv"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((), "give either a folder of records or --benchmarks FILE.csv"),
        (("study", "--benchmarks", "scores.csv"), "give either a folder of records or --benchmarks FILE.csv"),
        (("--benchmarks", "scores.csv"), "--benchmarks needs --anchor NAME"),
        (("--benchmarks", "scores.csv", "--anchor", "bench 00"), "did you mean 'bench 0'"),
        (("study", "--penalty", "log_slope"), "did you mean 'log_slopes'"),
        (("study", "--anchor", "lora"), "unknown attack 'lora'"),
        (("nowhere",), "nowhere is not a folder"),
        (("study", "--onto", "scores.csv"), "scores.csv is no JSON"),
        (("study", "--onto", "scores.csv", "--anchor", "x"), "leave what a fit needs away"),
    ],
)
def test_bad_input_is_one_sentence(cli, records, tmp_path, given, said):
    (tmp_path / "scores.csv").write_text(BENCHMARKS)
    result = cli("scale", *given)
    assert result.code == 2
    assert said in result.err
    assert result.err.count("\n") == 1
