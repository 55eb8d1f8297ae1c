"""Every command of every page runs, in the page's order, in an empty folder; training and asking are cut short.

`page_tables` says what stands for a placeholder, what is there beforehand, and which commands are not run, and why.
"""

from pathlib import Path

import page_shell
import pytest
from page_commands import PAGES, Step, steps
from page_given import prepare
from page_programs import ASKED, forget_data, forgotten, running
from page_reading import NOT_WHOLE
from page_short import in_short
from page_tables import GIVEN, ends, filled, not_run


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """All that takes long is cut short; the small files are made once."""
    with pytest.MonkeyPatch.context() as patch:
        place = tmp_path_factory.mktemp("given")
        in_short(patch, place)
        yield place
    forget_data()


BLOCKS = {step.text for page in PAGES for step in steps(page) if step.kind == "block"}


def to_run(page: str) -> list[Step]:
    """Files and commands of a page that are done; of what sentences speak of, what stands nowhere before."""
    before = {step.text for other in PAGES[: PAGES.index(page)] for step in steps(other)}
    return [step for step in steps(page) if step.kind == "file" or _is_run(step, before)]


def _is_run(step: Step, before: set[str]) -> bool:
    if step.kind == "span" and (step.text in BLOCKS | before or not step.text.startswith("holdfast ")):
        return False
    return not_run(step.text) is None and not (step.kind == "span" and ("..." in step.text or "[" in step.text))


WITH_SOME = [page for page in PAGES if [step for step in to_run(page) if step.kind != "file"]]


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_SOME)
def test_a_page_runs(page, short, tmp_path):
    prepare(tmp_path, page)
    for name in ("a-classifier", "another-classifier"):
        (tmp_path / name).symlink_to(short / "hub" / name)
    with forgotten():
        for text in GIVEN.get(page, ()):
            ended, printed = page_shell.run(text, tmp_path, running, asked=ASKED)
            assert ended == 0, f"{text}\n{printed}"
        for step in to_run(page):
            _do(step, tmp_path)


def _do(step: Step, folder: Path) -> None:
    if step.kind == "file":
        (folder / step.name).parent.mkdir(parents=True, exist_ok=True)
        (folder / step.name).write_text(step.text)
        return
    summary = {"GITHUB_STEP_SUMMARY": str(folder / "summary.md")}
    text = filled(step.text, step.page)
    ended, printed = page_shell.run(text, folder, running, asked=ASKED, more=summary)
    if step.kind == "span" and ended == 2 and any(one in printed for one in NOT_WHOLE):
        return
    if ended not in ends(step.text):
        pytest.fail(f"{step.place}: {text}\nended with {ended}\n{printed}", pytrace=False)
