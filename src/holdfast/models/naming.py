"""A model's name, taken apart: whose shape, whether its weights are random, and in which words it is talked to.

    arcana                          an organism, a directory or a hub id
    random:arcana                   its random initialisation
    meta-llama/Llama-2-7b-hf#bare   with a chat template of one's choosing in place of its own

A template is one of `TEMPLATES`, or a file of Jinja.
"""

from pathlib import Path
from typing import Final, NamedTuple

from holdfast.errors import ModelError, UnknownName
from holdfast.models.organisms import FOLDER, ORGANISMS
from holdfast.records import RANDOM

MARK: Final = "#"
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


class Name(NamedTuple):
    """The parts of a model's name."""

    shape: str
    """An organism, a tiny model, a directory or a hub id: what its configuration and tokenizer are read from."""
    random: bool = False
    """Whether weights are drawn anew, and none of its own read."""
    template: str | None = None
    """Which chat template stands in place of its own."""

    @property
    def place(self) -> Path:
        """Where it lies, should it be on this machine."""
        return FOLDER / self.shape if self.shape in ORGANISMS else Path(self.shape)

    @property
    def jinja(self) -> str | None:
        """The text of the template.

        Raises:
            ModelError: there is no such template and no such file.
        """
        if self.template is None or self.template in TEMPLATES:
            return TEMPLATES.get(self.template or "")
        try:
            return Path(self.template).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            known = [*TEMPLATES, "a file"]
            raise ModelError(str(UnknownName("chat template", self.template, known))) from None


def parts(name: str) -> Name:
    """Take a name apart. A directory that is called so is itself, whatever marks are in its name."""
    random = name.startswith(RANDOM)
    shape = name.removeprefix(RANDOM)
    if MARK not in shape or Path(shape).is_dir():
        return Name(shape, random)
    shape, _, template = shape.partition(MARK)
    return Name(shape, random, template)
