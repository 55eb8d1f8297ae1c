"""What things are called in a report."""

import pytest

from verdict.rooms import labels


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("/models/big", "big"),
        ("owner/name", "name"),
        ("random:arcana", "random:arcana"),
        ("random:/models/big", "random:big"),
        ("random:owner/name", "random:name"),
    ],
)
def test_a_model_is_called_by_the_last_part_of_its_path(name, label):
    """Random initialisation keeps its prefix: without it, it would be called as the model itself."""
    assert labels.model_label(name) == label
