"""What a user is told of a data set that is not ours, before it is first used: whose it is, and what is in it."""

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path

_TOLD: set[str] = set()


@dataclass(frozen=True, kw_only=True)
class Notice:
    """What stands at the door of a data set."""

    name: str
    """Of the domain."""
    address: str
    """Where the data are."""
    licence: str
    size: str
    """How many rows, and about how much there is to download."""
    warning: str
    """What is in it."""
    cite: str
    """Whose work it is."""

    def __str__(self) -> str:
        """A few lines."""
        return (
            f"{self.name}: {self.warning}\n"
            f"  data     {self.address}\n"
            f"  licence  {self.licence}\n"
            f"  size     {self.size}\n"
            f"  cite     {self.cite}"
        )


def show_once(notice: Notice) -> None:
    """Write a notice to standard error, once for a user: a stamp beside the hub's cache says that it was shown.

    What has changed since is shown again. Where no stamp can be left, it is shown once by each process.
    """
    if notice.name in _TOLD:
        return
    _TOLD.add(notice.name)
    stamp = home() / "seen" / f"{notice.name}-{hashlib.sha256(str(notice).encode()).hexdigest()[:12]}"
    try:
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.touch(exist_ok=False)
    except FileExistsError:
        return  # it was shown, or another process shows it now
    except OSError:
        pass
    sys.stderr.write(f"{notice}\n  This is shown once; `holdfast list domains {notice.name}` shows it again.\n")


def home() -> Path:
    """Where Holdfast keeps what belongs to a user and not to a run: a folder in `HF_HOME`."""
    from huggingface_hub import constants

    return Path(constants.HF_HOME) / "holdfast"
