"""The tokenizer of a model, as it was written."""

import json
from pathlib import Path
from typing import Any, Final

from transformers import AutoTokenizer, PreTrainedTokenizerFast

from holdfast.models.reading import an_object

_PLAIN: Final = frozenset({"TokenizersBackend", "PreTrainedTokenizerFast"})
"""Classes that add nothing to `tokenizer.json`."""


def tokenizer_of(source: str, *, trust_remote_code: bool) -> Any:
    """The tokenizer in a directory, or of a hub id.

    Where a directory says that its `tokenizer.json` is all there is, that is taken at its word. transformers prefers
    the class that belongs to the architecture, and Qwen 2's makes another tokenizer of the same vocabulary: a Qwen 2
    with a tokenizer of its own would come back as one that reads other tokens than it was saved with.

    Raises:
        ModelError: `tokenizer_config.json` is no JSON object.
        Exception: whatever transformers makes of none, or of a broken one; read it within `reading`.
    """
    told, whole = (Path(source) / name for name in ("tokenizer_config.json", "tokenizer.json"))
    settings = an_object(json.loads(told.read_text()), told) if told.is_file() else {}
    if whole.is_file() and settings.get("tokenizer_class") in _PLAIN:
        return PreTrainedTokenizerFast.from_pretrained(source)
    return AutoTokenizer.from_pretrained(source, trust_remote_code=trust_remote_code)
