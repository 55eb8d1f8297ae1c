"""A store of each kind: a folder, memory, and S3 from a server on this machine."""

import os
import tempfile
from collections.abc import Iterator

import pytest

from holdfast.study.store.store import Store


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path_factory, monkeypatch) -> None:
    """Remote stores have their scratch in the system's temporary folder: here in one that nobody shares."""
    folder = str(tmp_path_factory.mktemp("system"))
    monkeypatch.setattr(tempfile, "tempdir", folder)
    monkeypatch.setenv("TMPDIR", folder)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The address of a server that speaks S3."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_server, monkeypatch) -> str:
    """A new bucket; what s3fs needs to find it is in the environment, as it would be for a user."""
    import fsspec

    for name, value in {
        "AWS_ENDPOINT_URL": s3_server,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    system = fsspec.filesystem("s3", use_listings_cache=False)
    bucket = f"bucket-{os.urandom(6).hex()}"
    system.mkdir(bucket)
    return f"s3://{bucket}"


@pytest.fixture(params=["folder", "memory", "s3"])
def store(request, tmp_path) -> Store:
    """A store that is prepared, of each kind."""
    if request.param == "s3":
        made = Store(f"{request.getfixturevalue('s3')}/results")
    elif request.param == "memory":
        made = Store(f"memory://{tmp_path.name}-{os.urandom(6).hex()}/results")
    else:
        made = Store(tmp_path / "results")
    made.prepare()
    return made


@pytest.fixture
def local(tmp_path) -> Store:
    """A store in a folder."""
    made = Store(tmp_path / "results")
    made.prepare()
    return made
