"""Chat templates of one's choosing: two that are known by name, or a file of Jinja."""

from pathlib import Path
from typing import Final

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser

from holdfast.errors import ModelError, UnknownName

TEMPLATES: Final = {
    # A line break stands between question and answer, as in the released RepNoise: "...\nAnswer:" + "\n" + answer.
    "bare": (
        "{{ bos_token or '' }}{% for message in messages %}"
        "{% if message['role'] == 'assistant' %}"
        "{{ '\\n' }}{% generation %}{{ message['content'] }}{{ eos_token }}{% endgeneration %}"
        "{% else %}{{ message['content'] }}{% endif %}"
        "{% endfor %}"
    ),
    "chatml": (
        "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' }}"
        "{% if message['role'] == 'assistant' %}"
        "{% generation %}{{ message['content'] }}<|im_end|>{% endgeneration %}{{ '\\n' }}"
        "{% else %}{{ message['content'] + '<|im_end|>\\n' }}{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
    ),
}
"""`bare` puts nothing around what is said, for models and papers that know no chat; `chatml` is that of Qwen."""


def template(name: str) -> str:
    """The text of a template, which is Jinja as far as can be told without a chat.

    Args:
        name: one of `TEMPLATES`, or a file.

    Raises:
        ModelError: there is no such template and no such file, or it is empty or broken.
    """
    if name in TEMPLATES:
        return TEMPLATES[name]
    try:
        text = Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise ModelError(str(UnknownName("chat template", name, [*TEMPLATES, "a file"]))) from None
    if not text.strip():
        raise ModelError(f"the chat template {name} is empty: write one, or name another ({', '.join(TEMPLATES)}).")
    read = Environment(extensions=[_Generation, "jinja2.ext.loopcontrols"], autoescape=False)  # noqa: S701 # no HTML
    try:
        read.compile(text)
    except TemplateSyntaxError as error:
        told = f"{name}, line {error.lineno}: the chat template is broken: {error.message}"
        raise ModelError(f"{told.removesuffix('.')}; mend it.") from error
    return text


class _Generation(Extension):
    """The tag by which transformers marks what the assistant says; here it is only read."""

    tags = {"generation"}  # noqa: RUF012 # as jinja2 types it

    def parse(self, parser: Parser) -> nodes.Node:
        """What is within."""
        line = next(parser.stream).lineno
        return nodes.Scope(parser.parse_statements(("name:endgeneration",), drop_needle=True)).set_lineno(line)
