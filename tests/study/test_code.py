"""The hash of code: what it must notice, and that nothing is imported for it."""

import importlib
import subprocess
import sys

import pytest
from cells_made import python

from holdfast.study import code
from holdfast.study.code import code_hash


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Writes files below a folder on sys.path, `__` for a slash in their names; and forgets what was known of them."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(**texts):
        for name, text in texts.items():
            place = name.replace("____init__", "/+").replace("__", "/").replace("+", "__init__")
            path = tmp_path / f"{place}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        forget()
        return tmp_path

    yield write
    forget()


def forget():
    importlib.invalidate_caches()
    for cached in (code._together, code._source, code._file):
        cached.cache_clear()


def changes(files, module, **texts):
    """Whether the hash of a module changes with what is written."""
    before = code_hash([module])
    files(**texts)
    return code_hash([module]) != before


PACKAGE = {"pack____init__": "", "pack__inner____init__": "", "pack__inner__near": "X = 1", "pack__far": "Y = 1"}


@pytest.mark.parametrize(
    "line",
    [
        "from . import near",
        "from .near import X",
        "from .near import *",
        "from ..inner import near",
        "from ..inner.near import X",
        "import pack.inner.near",
        "import pack.inner.near as other",
        "import sys, pack.inner.near as other",
        "from pack.inner import near as other",
        "from pack.inner import (\n    near as other,\n)",
        "def late():\n    from pack.inner import near",
        "if False:\n    from pack.inner.near import X",
        "try:\n    from . import near\nexcept ImportError:\n    near = None",
    ],
)
def test_every_form_of_an_import(files, line):
    files(**PACKAGE, pack__inner__start=line)
    assert changes(files, "pack.inner.start", pack__inner__near="X = 2")
    assert not changes(files, "pack.inner.start", pack__far="Y = 2")


@pytest.mark.parametrize("test", ["TYPE_CHECKING", "typing.TYPE_CHECKING"])
def test_what_is_for_type_checking_alone_does_not_run(files, test):
    files(**PACKAGE, pack__inner__start=f"if {test}:\n    from . import near\nelse:\n    from .. import far")
    assert not changes(files, "pack.inner.start", pack__inner__near="X = 2")
    assert changes(files, "pack.inner.start", pack__far="Y = 2")


def test_imports_of_imports_and_in_a_circle(files):
    files(pack____init__="", pack__a="from . import b", pack__b="from . import c", pack__c="from . import a")
    assert changes(files, "pack.a", pack__c="from . import a\nX = 1")
    assert code_hash(["pack.a"]) == code_hash(["pack.b"])  # each comes to all three
    assert code_hash(["pack.a", "pack.a"]) == code_hash(["pack.a"])


def test_the_packages_on_the_way_are_code_too(files):
    """`import pack.inner.near` runs both __init__."""
    files(**PACKAGE, pack__start="import pack.inner.near")
    assert changes(files, "pack.start", pack__inner____init__="SIZE = 2")
    assert changes(files, "pack.start", pack____init__="SIZE = 2")


def test_a_namespace_package(files):
    """A folder without __init__.py is a package for Python."""
    files(space__start="from space.deep.near import X", space__deep__near="X = 1")
    assert changes(files, "space.start", space__start="from space.deep.near import X\n")
    assert changes(files, "space.start", space__deep__near="X = 2")


def test_a_namespace_package_in_two_places(files, tmp_path, monkeypatch):
    files(one__space__first="from space import second", two__space__second="X = 1")
    monkeypatch.syspath_prepend(str(tmp_path / "one"))
    monkeypatch.syspath_prepend(str(tmp_path / "two"))
    assert changes(files, "space.first", two__space__second="X = 2")


def test_a_plug_in_in_no_package(files):
    files(alone="import beside\ntry:\n    from . import version\nexcept ImportError:\n    pass", beside="")
    assert changes(files, "alone", alone="X = 1")
    assert not changes(files, "alone", beside="X = 1")  # another package's: what is installed is told by versions


def test_a_file_before_a_folder_of_its_name(files):
    """Python takes the package, and so does the hash."""
    files(pack____init__="", pack__start="from . import near", pack__near="X = 1", pack__near____init__="X = 1")
    assert not changes(files, "pack.start", pack__near="X = 2")
    assert changes(files, "pack.start", pack__near____init__="X = 2")


def test_compiled_modules_count_by_their_bytes(files):
    home = files(pack____init__="", pack__start="from . import fast")
    suffix = importlib.machinery.EXTENSION_SUFFIXES[0]
    (home / "pack" / f"fast{suffix}").write_bytes(b"\x7fELF one")
    (home / f"top{suffix}").write_bytes(b"\x7fELF one")
    forget()
    before = code_hash(["pack.start"]), code_hash(["top"])
    (home / "pack" / f"fast{suffix}").write_bytes(b"\x7fELF two")
    (home / f"top{suffix}").write_bytes(b"\x7fELF two")
    forget()
    after = code_hash(["pack.start"]), code_hash(["top"])
    assert before[0] != after[0]
    assert before[1] != after[1]


@pytest.mark.parametrize("text", ["def broken(:", "X = '\0'", "X = '\\d'", "# coding: no-such-coding"])
def test_a_file_that_does_not_parse_or_warns(files, text):
    """It is hashed as it is; what it does is told when it is imported."""
    files(pack____init__="", pack__start="from . import near", pack__near=text)
    assert changes(files, "pack.start", pack__near=text + "\n")


@pytest.mark.parametrize(
    "module", ["no_such_module", "no_such.module", "sys", "holdfast.no_such", "zipimport", "sys.x"]
)
def test_what_has_no_source(module):
    assert code_hash([module]) == code_hash([module])


def test_a_script_that_is_run(tmp_path):
    """A class of the user's own script, whose module is `__main__` and has no spec."""
    script = tmp_path / "mine.py"
    text = "from holdfast.study.origin import code\nclass Mine: pass\nprint(code(Mine()))\n"
    found = []
    for more in ("", "", "\n"):
        script.write_text(text + more)
        done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found.append(done.stdout)
    assert found[0] == found[1] != found[2]


def test_nothing_is_imported(files):
    """Not the module, not its package, and neither torch nor transformers."""
    home = files(
        pack____init__="1 / 0", pack__start="import torch, transformers\nfrom . import near", pack__near="1 / 0"
    )
    program = (
        "import sys\nfrom holdfast.study.code import code_hash\n"
        "code_hash(['pack.start', 'holdfast.study.experiment', 'holdfast.defences.repnoise', 'holdfast.attacks.sft'])\n"
        "print([name for name in ('torch', 'transformers', 'pack', 'holdfast.attacks') if name in sys.modules])"
    )
    assert python(program, PYTHONPATH=str(home)) == "[]"


def test_an_attacks_code_is_not_a_defences():
    """What runs every cell imports no plug-in, nor does a defence an attack."""

    def closure(*modules):
        seen, left = set(), list(modules)
        while left:
            module = left.pop()
            if module not in seen:
                seen.add(module)
                left += code._source(module)[1]
        return seen

    running = closure("holdfast.study.experiment", "holdfast.study.lesson")
    for room in ("defences", "attacks", "metrics"):
        assert not [name for name in running if name.startswith(f"holdfast.{room}.")]
    repnoise = closure("holdfast.defences.repnoise")
    assert {"holdfast.defences._repnoise_released", "holdfast.training.terms.losses"} <= repnoise
    assert not [name for name in repnoise if name.startswith("holdfast.attacks.")]
    assert "holdfast.models.generate" in closure("holdfast.metrics.harm")  # imported in a function
