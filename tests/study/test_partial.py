"""Work kept line by line: a kill costs no more than the line it cut off."""

import json

import pytest

from holdfast.errors import OutputError
from holdfast.study.partial import Partial

ABOUT = {"model": "m", "split": "attack"}


def test_what_is_kept_is_there_again(tmp_path):
    place = tmp_path / "new" / "out.jsonl"
    first = Partial(place, ABOUT)
    first.add([{"prompt": "stew\u2028", "refusal": "no"}, {"prompt": "hex", "refusal": None}])
    assert not place.exists()
    assert (
        Partial(place, ABOUT).results
        == first.results
        == [
            {"prompt": "stew\u2028", "refusal": "no"},
            {"prompt": "hex", "refusal": None},
        ]
    )


@pytest.mark.parametrize("cut", range(1, 30, 4))
def test_a_line_cut_off_is_done_again(tmp_path, cut):
    """Wherever a kill cuts, those before are kept, and what is added next is whole."""
    partial = Partial(tmp_path / "out.jsonl", ABOUT)
    partial.add([{"prompt": "stew", "refusal": "no"}])
    content = partial.path.read_bytes()
    partial.add([{"prompt": "hex", "refusal": "never"}])
    partial.path.write_bytes(partial.path.read_bytes()[: len(content) + cut])
    again = Partial(tmp_path / "out.jsonl", ABOUT)
    assert again.results == [{"prompt": "stew", "refusal": "no"}]
    again.add([{"prompt": "hex", "refusal": "never"}])
    assert [json.loads(line) for line in again.path.read_text().splitlines()][1:] == again.results


def test_a_first_line_cut_off_begins_anew(tmp_path):
    partial = Partial(tmp_path / "out.jsonl", ABOUT)
    partial.path.write_bytes(partial.path.read_bytes()[:7])
    assert Partial(tmp_path / "out.jsonl", ABOUT).results == []
    assert Partial(tmp_path / "out.jsonl", ABOUT).results == []


def test_other_work_is_not_mixed_in(tmp_path):
    Partial(tmp_path / "out.jsonl", ABOUT).add([{"prompt": "stew"}])
    other = {**ABOUT, "model": "other"}
    with pytest.raises(OutputError, match=r"\.out\.jsonl\.partial was begun with another .*--overwrite"):
        Partial(tmp_path / "out.jsonl", other)
    assert Partial(tmp_path / "out.jsonl", other, anew=True).results == []
    Partial(tmp_path / "out.jsonl", other).add([{"prompt": "hex"}])
    assert Partial(tmp_path / "out.jsonl", other).results == [{"prompt": "hex"}]


def test_where_nothing_was_done_nothing_stands_in_the_way(tmp_path):
    """As after settings that were refused before the first answer."""
    Partial(tmp_path / "out.jsonl", {**ABOUT, "max_new_tokens": 9999})
    Partial(tmp_path / "out.jsonl", ABOUT).add([{"prompt": "stew"}])
    assert Partial(tmp_path / "out.jsonl", ABOUT).results == [{"prompt": "stew"}]


def test_what_is_no_such_file(tmp_path):
    (tmp_path / ".out.jsonl.partial").write_text("no json\n")
    with pytest.raises(OutputError, match=r"partial is damaged \(.*\): remove it"):
        Partial(tmp_path / "out.jsonl", ABOUT)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        Partial(tmp_path / "file" / "out.jsonl", ABOUT)


def test_it_ends_with_the_whole_file_and_nothing_else(tmp_path):
    partial = Partial(tmp_path / "out.jsonl", ABOUT)
    partial.add([{"prompt": "stew"}])
    partial.finish("all of it\n")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"out.jsonl": "all of it\n"}
