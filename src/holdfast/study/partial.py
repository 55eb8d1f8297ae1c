"""Work that is kept line by line while it is done, so that a run which was killed goes on where it was."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from holdfast.errors import OutputError
from holdfast.files import write_error, write_text


class Partial:
    """A file beside the one that is to be, which holds what is done so far.

    Its first line tells what the work is; every other one is a result. A line that a kill has cut off is done again.

    Args:
        place: the file that is to be.
        about: all that decides the results.
        anew: whether what is there is done again, whatever it belongs to.

    Raises:
        OutputError: what is there belongs to other work, of which something is done, or cannot be read or written.
    """

    def __init__(self, place: Path, about: Mapping[str, Any], *, anew: bool = False):
        self.place = place
        self.path = place.with_name(f".{place.name}.partial")
        self.results: list[dict[str, Any]] = []
        """Those of earlier runs, and of this one."""
        try:
            whole = [] if anew else self._whole()
            if len(whole) < 2:  # nothing was done
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self.path.write_bytes(_line(about))
            elif whole[0] != json.loads(_line(about)):
                raise OutputError(
                    f"{self.path} was begun with another model, domain, setting or version: go on with that, or begin "
                    "anew with --overwrite."
                )
            self.results = whole[1:]
        except OSError as error:
            raise write_error(error, self.path) from error

    def add(self, results: Sequence[Mapping[str, Any]]) -> None:
        """Keep some results, for good when this returns."""
        try:
            with self.path.open("ab") as file:
                file.write(b"".join(map(_line, results)))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise write_error(error, self.path) from error
        self.results += map(dict, results)

    def finish(self, text: str) -> None:
        """Write the file that was to be, whole or not at all, and remove this one."""
        write_text(self.place, text)
        self.drop()

    def drop(self) -> None:
        """Remove this one, which is of no more use."""
        self.path.unlink(missing_ok=True)

    def _whole(self) -> list[dict[str, Any]]:
        """Every whole line; what comes after them is cut off."""
        if not self.path.exists():
            return []
        content = self.path.read_bytes()
        kept = content[: content.rfind(b"\n") + 1]
        if kept != content:
            os.truncate(self.path, len(kept))
        try:
            return [json.loads(line) for line in kept.splitlines()]
        except ValueError as error:
            raise OutputError(f"{self.path} is damaged ({error}): remove it, and begin anew.") from error


def _line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=True).encode() + b"\n"
