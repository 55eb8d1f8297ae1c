"""A folder of records, read."""

import json
from pathlib import Path
from typing import Final

from holdfast.errors import DataError
from holdfast.records import Record
from holdfast.statistics.multiplier import attack_key

_KINDS: Final = ("records/*.json", "**/record.json")


def read(directory: Path) -> dict[str, Record]:
    """Every record in a folder, by its path below it: `records/*.json`, and `record.json` beside any model.

    Raises:
        DataError: there is none, one is broken, or two that differ are of the same attack on the same model.
    """
    if not directory.is_dir():
        raise DataError(f"{directory} is not a folder; expected one with records, as `holdfast quickstart` leaves it.")
    paths = sorted({path for kind in _KINDS for path in directory.glob(kind)})
    found: dict[str, Record] = {}
    seen: dict[str, Path] = {}
    for path in paths:
        try:
            record = Record.from_json(path.read_bytes())
        except ValueError as error:
            raise DataError(f"{path} is not a record: {error}; make it anew, or take it away.") from None
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror}.") from None
        about = [record.purpose, record.weights or record.model, record.role, record.task, record.defence]
        key = json.dumps([about, record.domain.data, record.domain.categories, attack_key(record)], sort_keys=True)
        # A search may try an attack again, and stop it sooner.
        if key in seen and record.purpose != "search":
            if found[str(seen[key].relative_to(directory))] == record:
                continue  # `attack -o DIR --record FILE` writes the same one twice
            raise DataError(f"{path} and {seen[key]} are of the same attack on the same model; take one away.")
        seen[key] = path
        found[str(path.relative_to(directory))] = record
    if not found:
        raise DataError(
            f"{directory} holds no record: expected records/*.json as `holdfast quickstart` writes them, or "
            "record.json as `holdfast attack -o` does."
        )
    return found
