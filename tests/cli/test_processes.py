"""Of several processes that a launcher has started, which of them speaks."""

import pytest
from rich.console import Console

from holdfast.cli.progress import bar


@pytest.fixture
def process(monkeypatch):
    def be(rank: int) -> None:
        for name, value in {"WORLD_SIZE": 2, "RANK": rank, "LOCAL_RANK": rank}.items():
            monkeypatch.setenv(name, str(value))

    return be


def test_the_main_one_draws_a_bar(process, monkeypatch):
    monkeypatch.setattr(Console, "is_terminal", True)
    drawn = []
    for rank in (0, 1):
        process(rank)
        with bar("hardening", show=True) as shown:
            drawn.append(not shown.disable)
    assert drawn == [True, False]


@pytest.mark.parametrize(("rank", "who"), [(0, "holdfast: "), (1, "holdfast, process 1: ")])
def test_an_error_says_whose_it_is_where_it_is_not_the_main_ones(cli, process, rank, who):
    process(rank)
    result = cli("evaluate", "tiny-llama")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"{who}holdfast evaluate is one process")
