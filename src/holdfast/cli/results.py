"""What a run that diverged leaves behind."""

from pathlib import Path
from typing import TYPE_CHECKING

from holdfast import processes
from holdfast.models.save import save

if TYPE_CHECKING:
    from holdfast.interfaces import Model


def keep_aside(model: "Model | None", output: Path) -> str:
    """Save the last good state beside where the output would have been; the sentence says where."""
    if model is None or not processes.main():
        return "Nothing was written."
    aside = output.with_name(output.name + ".last-good")
    save(model, aside, overwrite=True)
    return f"The last good state is in {aside}; nothing was written to {output}."
