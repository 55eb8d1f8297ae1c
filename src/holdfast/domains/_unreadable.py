"""What is told of a data set that cannot be had: why, and how to have it all the same."""

from holdfast.domains._wanted import Wanted, is_id
from holdfast.errors import DataError


def unreadable(wanted: Wanted, error: Exception) -> DataError:
    """What cannot be had, why, and what to do."""
    from huggingface_hub import errors as hub

    page = f"https://huggingface.co/datasets/{wanted.address}"
    local = f"{wanted.domain}:{wanted.setting}=DIR"
    nowhere = FileNotFoundError | hub.RepositoryNotFoundError | hub.RevisionNotFoundError | hub.EntryNotFoundError
    missing = isinstance(error, nowhere) and not isinstance(error, hub.LocalEntryNotFoundError)
    if isinstance(error, hub.GatedRepoError) or "is a gated dataset" in str(error):
        why = f"is gated: ask for access at {page}, log in by `hf auth login`, or"
    elif isinstance(error, OSError) and not missing:
        why = "is not on this machine, and cannot be reached from it: where there is a network,"
        if is_id(wanted.address):
            why += f" `hf download --repo-type dataset {wanted.address} --local-dir DIR`;"
    else:
        why = f"cannot be read: {reason(error)};"
    return DataError(f"{wanted} {why} give local files by `{local}`.")


def reason(error: Exception) -> str:
    """The first line of what was said, by the error beneath where that says more."""
    beneath = error.__cause__ or error
    return (str(beneath).strip() or type(beneath).__name__).splitlines()[0].rstrip(".")
