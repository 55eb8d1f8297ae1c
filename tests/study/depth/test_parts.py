"""Parts of a look at depth: made once, read again, and never those of another look."""

from holdfast.depths import Relearnt
from holdfast.study.depth.parts import Parts, forget

PART = Relearnt(restored=(1, 2), frozen=(), steps=[0, 3], harm=[0.1, None])


def once(folder, whole, which=None, told=lambda done: None):
    """What is read or made, and whether it was made."""
    made = []

    def make():
        made.append(True)
        return PART

    return Parts(folder, whole, told).once(Relearnt, which or {"restored": [1, 2]}, make), bool(made)


def test_a_second_start_reads_what_the_first_made(tmp_path):
    assert once(tmp_path, {"models": ["a", "b"]}) == (PART, True)
    assert once(tmp_path, {"models": ["a", "b"]}) == (PART, False)
    assert once(tmp_path, {"models": ["a", "c"]}) == (PART, True)
    assert once(tmp_path, {"models": ["a", "b"]}, {"restored": [1]}) == (PART, True)


def test_a_part_that_is_not_whole_is_made_anew(tmp_path):
    once(tmp_path, {})
    (path,) = tmp_path.iterdir()
    path.write_text(path.read_text()[:20])
    assert once(tmp_path, {}) == (PART, True)
    assert once(tmp_path, {}) == (PART, False)


def test_nothing_is_kept_where_no_folder_is_given(tmp_path):
    assert once(None, {}) == (PART, True)
    assert once(None, {}) == (PART, True)


def test_it_counts_what_is_there_whether_read_or_made(tmp_path):
    once(tmp_path, {}, {"seed": 0})
    counted = []
    parts = Parts(tmp_path, {}, counted.append)
    for seed in range(2):
        parts.once(Relearnt, {"seed": seed}, lambda: PART)
    assert counted == [1, 2]


def test_parts_are_forgotten(tmp_path):
    once(tmp_path / "parts", {})
    forget(tmp_path / "parts")
    forget(tmp_path / "parts")
    assert not (tmp_path / "parts").exists()
