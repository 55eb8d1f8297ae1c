"""A store that cannot be used says so at once, names itself, and says what to do. What is finished is not lost."""

import errno
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from stored import files, folder, key, put_model, put_record, record

from holdfast.errors import StoreError
from holdfast.study.store.claims import Claims
from holdfast.study.store.cleaning import collect, usage, verify
from holdfast.study.store.explain import explained, explained_remote
from holdfast.study.store.store import Store


@pytest.fixture
def disk(tmp_path):
    """A disk of 2 MB."""
    place = tmp_path / "disk"
    place.mkdir()

    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    if not shutil.which("mount") or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a disk")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(place: Path, left: int) -> None:
    """Leave so many bytes free, and at least a page."""
    with (place / "filler").open("wb") as file:
        file.write(b"x" * (shutil.disk_usage(place).free - left))


def test_a_full_disk(disk, tmp_path):
    store = Store(disk / "results")
    store.prepare()
    put_record(store, "a")
    made = put_model(store, "m")
    before = files(store)
    fill(disk, 0)
    elsewhere = folder(tmp_path / "made", b"x" * 100_000)
    for put in (
        lambda: store.put_record(key("b"), record(), about={}),
        lambda: store.put_model(key("n"), "n", elsewhere, about={}),
        lambda: Claims(store).take(key("b")),
    ):
        with pytest.raises(StoreError, match=f"disk filled up at {disk}.*free some space.*is kept"):
            put()
    with pytest.raises(StoreError, match="no disk space for"):
        store.prepare()
    assert files(store) == before
    assert store.record(key("a")) == record()
    with store.model(made):
        pass
    (disk / "filler").unlink()
    with pytest.raises(StoreError, match=r"no disk space for .*: 100 MB needed, .* MB free; free some"):
        store.prepare(needed=100_000_000)
    store.prepare()
    put_record(store, "b")
    assert store.record(key("b")) == record()


def test_weights_can_be_dropped_on_a_full_disk_after_some_room_is_made(disk):
    store = Store(disk / "results")
    store.prepare()
    made = put_model(store, "m", b"x" * 500_000)
    fill(disk, 0)
    with pytest.raises(StoreError, match="disk filled up"):
        store.drop_model(made)
    with store.model(made):
        pass
    store.discard(made)
    assert files(store) == set()


def test_a_read_only_disk(disk):
    store = Store(disk / "results")
    store.prepare()
    put_record(store, "a")
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    for change in (
        store.prepare,
        lambda: put_record(store, "b"),
        lambda: put_model(store, "m"),
        lambda: store.discard(key("a")),
        lambda: Claims(store).take(key("a")),
        lambda: Store(disk / "other").prepare(),
    ):
        with pytest.raises(StoreError, match=f"{disk}/.* cannot be written: it is on a read-only file system; choose"):
            change()
    assert store.record(key("a")) == record()
    assert verify(store) == []
    assert usage(store).records.files == 1
    assert collect(store, set(), dry_run=True).files
    assert Claims(store).live() == {}


def test_a_file_where_the_store_should_be(tmp_path):
    (tmp_path / "taken").touch()
    for place in (tmp_path / "taken", tmp_path / "taken" / "below"):
        with pytest.raises(StoreError, match=r"taken.* cannot be written: a file stands where a folder should"):
            Store(place).prepare()


def test_no_permission(local, monkeypatch):
    put_record(local, "a")
    if os.getuid() == 0:
        # Nothing is forbidden to root, so the system's answer is played.
        def refused(*_: object, **__: object) -> int:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

        monkeypatch.setattr(os, "open", refused)
    else:
        for place in [local.local, *local.local.rglob("*")]:
            place.chmod(0)
    with pytest.raises(StoreError, match=r"cannot be read: permission denied; ask its owner"):
        local.entry(key("a"))
    if os.getuid() == 0:
        with pytest.raises(StoreError, match=r"cannot be written: permission denied; ask its owner"):
            local.prepare()
    else:
        local.local.chmod(0o700)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.ENOSPC, "x"), "the disk filled up at here: free some space"),
        (OSError(errno.EDQUOT, "x"), "the disk filled up at here"),
        (OSError(errno.EIO, "x"), "here cannot be written: Input/output error; mend that"),
        (OSError("odd"), "here cannot be written: odd; mend that"),
    ],
)
def test_errors_of_the_system(error, told):
    with pytest.raises(StoreError, match=told), explained("here", "written"):
        raise error


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ImportError("Install s3fs"), r"s3://b/x cannot be reached.*pip install 'holdfast\[s3\]'"),
        (FileNotFoundError("The bucket does not exist"), "does not exist; make the bucket first, or mend the URL"),
        (PermissionError("Access Denied"), "Access Denied; these credentials must allow"),
        (TimeoutError(), "TimeoutError; check the network and AWS_ENDPOINT_URL"),
        (OSError(errno.ENOSPC, "x"), "the disk filled up at s3://b/x"),
        (RuntimeError("something\n new."), "cannot be written: something new; mend that"),
    ],
)
def test_errors_of_fsspec(error, told):
    with pytest.raises(StoreError, match=told), explained_remote("s3://b/x", "written"):
        raise error


def test_an_error_that_was_explained_is_not_explained_again():
    with pytest.raises(StoreError, match=r"^once$"), explained_remote("s3://b/x", "written"):
        raise StoreError("once")


def test_no_such_kind_of_store():
    with pytest.raises(StoreError, match=r"nope://b/x names no kind of store that is known: use a folder"):
        Store("nope://b/x").prepare()


def test_without_s3fs(monkeypatch):
    import fsspec  # noqa: F401 - its registry is looked at

    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "s3", raising=False)
    with pytest.raises(StoreError, match=r"not installed: pip install 'holdfast\[s3\]'"):
        Store("s3://b/x").prepare()


def test_no_such_bucket(s3):
    store = Store("s3://nobody-has-this/results")
    with pytest.raises(StoreError, match=r"s3://nobody-has-this/results cannot be written: .*make the bucket first"):
        store.prepare()
    with pytest.raises(StoreError, match="there is no store at s3://nobody-has-this/results"):
        store.check()


def fresh() -> None:
    """Forget the file systems of the tests before, which were made with other settings."""
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()


def test_no_credentials(s3, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    fresh()
    with pytest.raises(StoreError, match="no credentials were found; set AWS_ACCESS_KEY_ID and"):
        Store(f"{s3}/results").prepare()
    fresh()


def test_no_server(s3, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    fresh()
    with pytest.raises(StoreError, match=r"cannot be reached: .*check the network and AWS_ENDPOINT_URL, and run again"):
        Store(f"{s3}/results").prepare()
    fresh()


def test_options_reach_s3fs_by_fsspecs_own_settings(s3, s3_server, monkeypatch):
    """As `FSSPEC_S3_ENDPOINT_URL` in the environment would set it when fsspec is imported."""
    import fsspec.config

    monkeypatch.delenv("AWS_ENDPOINT_URL")
    settings: dict[str, object] = {}
    fsspec.config.set_conf_env(settings, {"FSSPEC_S3_ENDPOINT_URL": s3_server})
    assert settings == {"s3": {"endpoint_url": s3_server}}
    monkeypatch.setitem(fsspec.config.conf, "s3", settings["s3"])
    fresh()
    store = Store(f"{s3}/results")
    store.prepare()
    put_record(store, "a")
    assert store.record(key("a")) == record()
    fresh()
