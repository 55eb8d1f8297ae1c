"""What to tell of an error of the operating system, or of fsspec, at a store: the place, what is wrong, what to do."""

import errno
import os
import re
from collections.abc import Generator
from contextlib import contextmanager

from holdfast.errors import HoldfastError, StoreError

_KEPT = "What is finished there is kept."
_FULL = {errno.ENOSPC, errno.EDQUOT}
_CREDENTIALS = {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "ProfileNotFound"}
_UNREACHED = {"HTTPClientError", "EndpointConnectionError", "ClientConnectorError"}
"""Classes of botocore and aiohttp above all that a network does wrong."""


@contextmanager
def explained(where: str, doing: str) -> Generator[None]:
    """Turn an error of the operating system inside into a StoreError.

    Args:
        where: a path.
        doing: what was being done to it: "read" or "written".
    """
    try:
        yield
    except OSError as error:
        raise explain(error, where, doing) from error


@contextmanager
def explained_remote(where: str, doing: str) -> Generator[None]:
    """The same of whatever an fsspec file system raises, at a URL."""
    try:
        yield
    except HoldfastError:
        raise
    except Exception as error:
        raise StoreError(_remote(error, where, doing)) from error


def explain(error: OSError, where: str, doing: str) -> StoreError:
    """What to tell of an error of the operating system."""
    # shutil tells the number in its message alone: "[Errno 28] ...".
    found = re.search(r"\[Errno (\d+)\]", str(error))
    number = error.errno or (int(found[1]) if found else None)
    if number in _FULL:
        return StoreError(f"the disk filled up at {where}: free some space and run again. {_KEPT}")
    if number == errno.EROFS:
        return StoreError(f"{where} cannot be {doing}: it is on a read-only file system; choose another store.")
    if number in {errno.EACCES, errno.EPERM}:
        return StoreError(f"{where} cannot be {doing}: permission denied; ask its owner, or choose another store.")
    if number in {errno.EEXIST, errno.ENOTDIR}:
        return StoreError(f"{where} cannot be {doing}: a file stands where a folder should; move it away.")
    why = os.strerror(number) if number else str(error) or type(error).__name__
    return StoreError(f"{where} cannot be {doing}: {why}; mend that and run again. {_KEPT}")


def _remote(error: Exception, where: str, doing: str) -> str:
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if isinstance(error, ImportError):
        install = "pip install 'holdfast[s3]'" if where.startswith(("s3:", "s3a:")) else str(error)
        return f"{where} cannot be reached, because a package for it is not installed: {install}"
    if isinstance(error, ValueError) and "Protocol not known" in str(error):
        return f"{where} names no kind of store that is known: use a folder, or a URL such as s3://bucket/prefix."
    if kinds & _CREDENTIALS:
        return (
            f"{where} cannot be {doing}: no credentials were found; set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE."
        )
    if kinds & _UNREACHED or isinstance(error, (ConnectionError, TimeoutError)):
        return (
            f"{where} cannot be reached: {_told(error)}; check the network and AWS_ENDPOINT_URL, and run again. {_KEPT}"
        )
    if isinstance(error, FileNotFoundError):
        return f"{where} cannot be {doing}: {_told(error)}; make the bucket first, or mend the URL."
    if isinstance(error, PermissionError):
        return (
            f"{where} cannot be {doing}: {_told(error)}; these credentials must allow listing, reading, writing "
            "and deleting there."
        )
    if isinstance(error, OSError) and error.errno in _FULL:
        return str(explain(error, where, doing))
    return f"{where} cannot be {doing}: {_told(error)}; mend that and run again. {_KEPT}"


def _told(error: Exception) -> str:
    return " ".join(str(error).split())[:300].rstrip(".") or type(error).__name__
