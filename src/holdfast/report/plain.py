"""Plain data read back from the JSON that a command left."""

import json
from pathlib import Path
from typing import Any, TypeVar

import pydantic

from holdfast.errors import DataError

Read = TypeVar("Read")


def read(kind: type[Read], file: Path) -> Read:
    """A dataclass from the file that it was written to.

    Args:
        kind: the dataclass.
        file: such as `scale.json`, by `holdfast scale -o`; its name is the command's.

    Raises:
        DataError: it cannot be read, or is something else.
    """
    try:
        return pydantic.TypeAdapter[Any](kind).validate_python(json.loads(file.read_bytes()))
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror}.") from error
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        at = ".".join(map(str, first["loc"]))
        raise DataError(f"{file} is not as holdfast {file.stem} writes it: {at}: {first['msg']}.") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file} is no JSON ({error}): write it again.") from error
