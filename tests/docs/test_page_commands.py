"""Every command of every page is one that the command line takes, by its name, options, plug-ins and settings."""

import re
from collections.abc import Sequence
from pathlib import Path

import page_shell
import pytest
from domains_written import written
from page_commands import DOCS, PAGES, ROOT, Step, steps, steps_of
from page_given import prepare
from page_programs import ASKED, forget_data, forgotten
from page_reading import Reading, stop_before_work
from page_tables import BY_STAND_IN, GIVEN, NOT_RUN, filled, unused

COMMANDS = [step for page in PAGES for step in steps(page) if step.kind != "file"]


@pytest.fixture(scope="module")
def stopping(tmp_path_factory):
    """Commands stop where their work would begin; public data are small files."""
    with pytest.MonkeyPatch.context() as patch, forgotten():
        written(patch, tmp_path_factory.mktemp("hub"))
        stop_before_work(patch)
        yield
    forget_data()


def wrong(page: str, found: Sequence[Step], folder: Path) -> list[str]:
    """What is wrong with the commands of a page, each with its place."""
    reading, told = Reading(known=set()), list[str]()
    for text in GIVEN.get(page, ()):
        page_shell.run(text, folder, reading.handle, asked=ASKED, outside=False)
    assert reading.wrong == []
    for step in found:
        if step.kind == "file":
            (folder / step.name).parent.mkdir(parents=True, exist_ok=True)
            (folder / step.name).write_text(step.text)
            continue
        reading.wrong, reading.spoken_of = [], step.kind == "span"
        page_shell.run(read(step), folder, reading.handle, asked=ASKED, outside=False)
        told += [f"{step.place}: {one}" for one in reading.wrong]
    return told


def read(step: Step) -> str:
    """A command to be read: filled in, and where a sentence only speaks of it, without what it leaves open."""
    text = filled(step.text, step.page)
    if step.kind == "span":
        text = re.sub(r"\[(-[^\]]*)\]", r"\1", text)
        text = re.sub(r"(?: -s)? \.\.\.(?= |$)", "", text)
    return text


@pytest.mark.parametrize("page", [page for page in PAGES if any(step.page == page for step in COMMANDS)])
def test_the_command_line_takes_every_command(page, stopping, tmp_path):
    prepare(tmp_path, page, paired=True)
    assert wrong(page, steps(page), tmp_path) == []


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("holdfast hardn arcana -o out", "No such command 'hardn'"),
        ("holdfast harden arcana repnose -o out", "unknown defence 'repnose'"),
        ("holdfast harden arcana repnoise -o out -s noise_weigth=1", "RepNoise has no field 'noise_weigth'"),
        ("holdfast harden arcana repnoise -o out --sed 1", "No such option: --sed"),
        ("holdfast harden arcanna repnoise -o out", "no model 'arcanna' here"),
        ("holdfast attack arcana sft/backdor", "unknown preset of sft 'backdor'"),
        ("holdfast attack arcana sft --metrics harmm", "unknown metric 'harmm'"),
        ("holdfast attack arcana sft --provider lissa", "unknown defence 'lissa'"),
        ("holdfast evaluate arcana --domain arcannna", "unknown domain 'arcannna'"),
        ("holdfast evaluate arcana --judge fraces", "unknown judge 'fraces'"),
        ("holdfast learn arcana ins", "unknown task 'ins'"),
        ("holdfast study run studies/immunisation.yaml", "studies/immunisation.yaml"),
        ("holdfast study run studies/immunization.yaml --tier quik", "quik"),
        ("holdfast audit arcana --tier quik", "unknown tier 'quik'"),
        ("holdfast report mine -s treshold=0.2", "no field 'treshold'"),
        ("holdfst list", "no command 'holdfst'"),
        ("make instal", "no target 'instal'"),
        ("python examples/train.py", "no script examples/train.py"),
        ("pip install 'holdfast[rll]'", "no extra 'rll'"),
    ],
)
def test_a_slip_is_told_with_its_place(command, said, stopping, tmp_path):
    prepare(tmp_path, "index.md")
    text = f"# A page\n\nA word.\n\n    {command}\n"
    found = steps_of(text, "index.md") or [Step("index.md", 5, "block", command)]
    (told,) = wrong("index.md", found, tmp_path)
    assert told.startswith("docs/index.md:5: ")
    assert said in told


def test_commands_are_found_wherever_they_stand():
    page = """# A page

Say `holdfast list` or `holdfast
list attacks`, never `holdfast.list`:

    holdfast harden arcana repnoise \\
        -o out   # one command
    for one in a b; do
        holdfast attack $one
    done

And:

    a table, no command

`some/file.txt`:

```
what stands in it
```

```sh
holdfast report mine
```

```yaml
jobs: {audit: {steps: [{uses: x}, {run: holdfast audit arcana}]}}
```
"""
    assert [(step.line, step.kind, step.text) for step in steps_of(page, "page.md")] == [
        (3, "span", "holdfast list"),
        (3, "span", "holdfast list attacks"),
        (6, "block", "holdfast harden arcana repnoise \\\n    -o out   # one command"),
        (8, "block", "for one in a b; do\n    holdfast attack $one\ndone"),
        (19, "file", "what stands in it\n"),
        (23, "block", "holdfast report mine"),
        (27, "block", "holdfast audit arcana"),
    ]


def test_the_tables_speak_of_commands_that_are_there():
    """An exception that nothing needs any more would hide the next command that fits it."""
    texts = [step.text for step in COMMANDS]
    assert unused(texts, NOT_RUN) == []
    assert unused(texts, BY_STAND_IN) == []
    assert [page for page in GIVEN if page not in PAGES] == []


def test_python_on_a_page_compiles_and_imports_what_is_there():
    import importlib

    bad: list[str] = []
    for page in PAGES:
        for block in re.findall(r"^```python\n(.*?)^```", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL):
            compile(block, page, "exec")
            for module, names in re.findall(r"^from (holdfast[\w.]*) import ([\w, ]+)$", block, re.MULTILINE):
                there = importlib.import_module(module)
                bad += [f"{page}: {module}.{name}" for name in names.split(", ") if not hasattr(there, name)]
    assert bad == []


def test_a_plug_in_of_a_page_is_short():
    """A whole defence and a whole attack, each in less than 100 lines."""
    for page in ("howto/write_a_defence.md", "howto/write_an_attack.md"):
        (file,) = [step for step in steps(page) if step.name.endswith(".py")]
        assert file.text.count("\n") < 100
    assert (ROOT / "docs" / "index.md").is_file()
