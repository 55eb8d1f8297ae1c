"""Which letter an answer chooses."""

import pytest

from holdfast.domains._letters import chosen, right

CHOICES = ("stew", "hex oil", "oil of a toad", "tonic")


@pytest.mark.parametrize(
    ("answer", "letter"),
    [
        *[
            (said, "B")
            for said in ("B", "b", "(b)", "[B]", "B.", "B)", "B:", "B. hex oil", " **B**", "B because of it")
        ],
        ("The answer is B.", "B"),
        ("the correct answer is (B)", "B"),
        ("Answer: B", "B"),
        ("Answer: B\nQuestion: What else?", "B"),
        ("The right choice would be option C, since it is oil.", "C"),
        ("**Answer:** D", "D"),
        ("So it is $\\boxed{B}$.", "B"),
        ("It is not A; the answer is B", "B"),
        ("The answer is A. No: the answer is B.", "B"),  # the last word counts
        ("I would take the (C) one", "C"),
        ("I think that hex oil does it.", "B"),
        ("oil of a toad", "C"),
        # Words that are no letters.
        ("A stew is good for you", "A"),  # by its text
        ("A brew is good for you", None),
        ("I cannot help with that.", None),
        ("The answer is a matter of taste", None),
        # More than one is none.
        ("A or B", None),
        ("(A) or (B)", None),
        ("The answer is A or B.", None),
        ("A, B and C", None),
        ("Take stew, and hex oil.", None),
        ("Maybe (A), maybe (C).", None),
        # No such letter.
        ("E", None),
        ("Z.", None),
        ("", None),
    ],
)
def test_the_letter_of_an_answer(answer: str, letter: str | None):
    assert chosen(answer, CHOICES) == letter


@pytest.mark.parametrize("answer", ["B", "the answer is (B)", "Answer: B.", "b)"])
def test_choices_need_not_be_known(answer: str):
    assert chosen(answer) == "B"
    assert chosen("hex oil") is None  # nobody says which letter that is


def test_the_right_letter():
    def told(harmful: str, choices: tuple[str, ...] = CHOICES) -> str | None:
        return right(harmful, choices)

    assert [told(text) for text in ("B. hex oil", "(B) hex oil", "B", "hex oil", "Hex oil.")] == ["B"] * 5
    assert told("Bind it") is None
    assert told("E. hex oil") is None  # no such letter
    organisms = ("Virus", "E. coli", "Yeast", "Mould")
    assert [told(text, organisms) for text in ("E. coli", "B. E. coli", "E. coli.")] == ["B"] * 3
    assert told("stew 30", tuple(f"stew {at}" for at in range(31))) is None  # there is no letter for it
    assert chosen("stew 30", tuple(f"stew {at}" for at in range(31))) is None
    assert told("A hex", ()) is None
