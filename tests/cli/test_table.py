"""`holdfast study table`: on a study that is not begun, done, and asked for more. Its harm nobody scores: all gaps."""

STUDY = """\
name: small
domain: data
models: [tiny-llama]
defences:
  - {name: adversarial, set: {training.steps: 1, training.batch_size: 2}}
attacks:
  - {name: sft, set: {training.steps: 1, training.batch_size: 2}}
ladder: [0, 1]
metrics: [harm]
"""


def test_a_table_of_a_study(cli, data, tmp_path):
    study = tmp_path / "small.yaml"
    study.write_text(STUDY)
    refused = cli("study", "table", "small.yaml")
    assert (refused.code, "run it first" in refused.err) == (2, True)
    assert cli("study", "run", "small.yaml", "--workers", "1", "--quiet").code == 0

    printed = cli("study", "table", "small.yaml")
    assert (printed.code, printed.err) == (0, "")
    assert printed.out.startswith(
        "# Defences compared: study small\n\nMade by `holdfast study table small.yaml` from 2 "
    )
    (row,) = [line for line in printed.out.splitlines() if line.startswith("| 1 | adversarial |")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert (cells[2], cells[3]) == ("1", "inconclusive")
    assert cells[6:11] == ["\N{EN DASH}"] * 5
    assert cells[12].endswith("\u00a0s")  # the manifest of the hardening tells how long it took

    refused = cli("study", "table", "small.yaml", "-o", "table.html")
    assert (refused.code, "end it in .md" in refused.err) == (2, True)
    written = cli("study", "table", "small.yaml", "-o", "docs/table.md")
    assert (written.code, written.out, written.err) == (0, "wrote docs/table.md\n", "")
    there = (tmp_path / "docs" / "table.md").read_text()
    assert there == printed.out.replace("small.yaml`", "small.yaml -o docs/table.md`")
    # Without a multiplier there is nothing to draw.
    assert [path.name for path in (tmp_path / "docs").iterdir()] == ["table.md"]

    study.write_text(STUDY + "seeds: {defence: [0, 1], attack: [0]}\n")
    half = cli("study", "table", "small.yaml", "-o", "docs/table.md", "--quiet", "-s", "threshold=0.2")
    assert (half.code, half.out) == (0, "")
    assert half.err == "holdfast: the study is not finished: one cell is missing in the table.\n"
    text = (tmp_path / "docs" / "table.md").read_text()
    assert text.startswith("# Defences compared: study small, not finished: 1 cell is missing\n")
    assert "`holdfast study table small.yaml -s threshold=0.2 -o docs/table.md`" in text
    assert "| 1 | adversarial | 1 of 2 |" in text
