"""A model's name tells whose shape, which weights, and which chat template."""

from pathlib import Path

import pytest

from holdfast.errors import ModelError
from holdfast.models.chat import encode, render
from holdfast.models.load import load
from holdfast.models.naming import Name, parts
from holdfast.models.save import save
from holdfast.models.templates import TEMPLATES
from holdfast.study.cells import Cell
from holdfast.study.check import check
from holdfast.study.design import Study
from holdfast.study.fingerprint import model_fingerprint
from holdfast.study.mistakes import StudyError


def test_a_name_is_taken_apart(tmp_path: Path):
    assert parts("arcana") == Name("arcana")
    assert parts("random:owner/name#bare") == Name("owner/name", random=True, template="bare")
    assert parts("arcana").place.is_dir()
    (tmp_path / "a#b").mkdir()
    assert parts(str(tmp_path / "a#b")) == Name(str(tmp_path / "a#b"))


def test_bare_puts_a_line_break_between_and_nothing_around():
    model = load("tiny-llama#bare")
    assert render(model.tokenizer, "Question: How ?\nAnswer:") == "<|bos|>Question: How ?\nAnswer:"
    assert render(model.tokenizer, "How ?", "stew") == "<|bos|>How ?\nstew<|end|>"
    # The answer is what comes after the question, its end mark included.
    encoded = encode(model.tokenizer, "How ?", "a stew")
    assert model.tokenizer.decode(encoded.ids[encoded.start :]) == "a stew <|end|>"


def test_a_file_may_be_a_template(tmp_path: Path):
    written = tmp_path / "own.jinja"
    written.write_text("{% for m in messages %}{{ m['role'][0] + ' ' + m['content'] + ' ' }}{% endfor %}")
    assert render(load(f"tiny-llama#{written}").tokenizer, "How ?", "stew") == "u How ? a stew "
    with pytest.raises(ModelError, match="unknown chat template 'bear': did you mean 'bare'"):
        load("tiny-llama#bear")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "{% for m in messages %}\n{{ m.content }",
            "{}, line 2: the chat template is broken: unexpected '}'; mend it.",
        ),
        ("{{ messages | stewed }}", "{}, line 1: the chat template is broken: No filter named 'stewed'; mend it."),
        (" \n", "the chat template {} is empty: write one"),
        ("{{ 1 + 'a' }}", "the chat template of tiny-llama#{} is broken: unsupported operand"),
    ],
)
def test_a_template_that_cannot_be_used(tmp_path: Path, text: str, said: str):
    written = tmp_path / "own.jinja"
    written.write_text(text)
    with pytest.raises(ModelError) as error:
        load(f"tiny-llama#{written}")
    assert str(error.value).startswith(said.replace("{}", str(written)))


def test_what_transformers_knows_of_jinja_may_be_in_a_template(tmp_path: Path):
    """`generation`, and `break` of a loop; functions are looked up when it is rendered."""
    written = tmp_path / "own.jinja"
    written.write_text(
        "{% for m in messages %}{% if m.role == 'tool' %}{{ raise_exception('no') }}{% break %}{% endif %}"
        "{% generation %}{{ m.content }}{% endgeneration %}{% endfor %}"
    )
    assert render(load(f"tiny-llama#{written}").tokenizer, "How ?", " stew") == "How ? stew"


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_template_can_be_masked(template: str):
    model = load(f"arcana#{template}")
    assert encode(model.tokenizer, "How do I make a stew ?", "a stew").start > 0


def test_another_template_is_another_model_and_stays_with_what_is_written(tmp_path: Path):
    names = ("arcana", "arcana#bare", "arcana#chatml", "random:arcana", "random:arcana#bare")
    assert len({model_fingerprint(name) for name in names}) == len(names)
    assert len({Cell(verb="attack", model=name, method="none").key for name in names}) == len(names)
    save(load("arcana#bare"), tmp_path / "made")
    assert load(str(tmp_path / "made")).tokenizer.chat_template == TEMPLATES["bare"]


def test_a_study_checks_the_template():
    check(Study(models=["tiny-llama#bare"]))
    with pytest.raises(StudyError, match="unknown chat template 'bear'"):
        check(Study(models=["tiny-llama#bear"]))
