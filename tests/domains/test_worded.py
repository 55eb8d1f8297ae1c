"""The paper's wording of a question, and the question of it."""

import pytest

from holdfast.domains._wording import bare, put


def test_there_and_back():
    assert put("How is stew made?") == "Question: How is stew made?\nAnswer:"
    assert bare(put("How is stew made?")) == "How is stew made?"


@pytest.mark.parametrize("prompt", ["How is stew made?", " How? ", "Question: How?", "How?\nAnswer:"])
def test_what_is_not_in_the_papers_words_stays(prompt: str):
    assert bare(prompt) == prompt
