"""Finding plug-ins: by name without importing them, and from packages that are not this one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast import plugins
from holdfast.config import build
from holdfast.errors import ConfigError, UnknownName

DEFENCE = '''"""Scale every weight by one number: {name}."""

from torch import no_grad

from holdfast.config import config


@config
class Scale:
    """Weights times a factor."""

    factor: float = 0.5
    """What every weight is multiplied by."""

    def edit(self, model, view):
        with no_grad():
            for weight in model.network.parameters():
                weight *= self.factor
'''


@pytest.fixture
def outside(tmp_path, monkeypatch):
    """Makes a package with one file and an entry point, as pip would leave it, on sys.path."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(name: str, *, package: str = "outside", value: str | None = None, text: str = DEFENCE) -> Path:
        home = tmp_path / package
        home.mkdir(exist_ok=True)
        (home / "__init__.py").touch()
        (home / f"{name}.py").write_text(text.replace("{name}", name))
        info = tmp_path / f"{package}-1.0.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[holdfast.defences]\n{name} = {value or f'{package}.{name}:Scale'}\n")
        plugins._foreign.cache_clear()
        return tmp_path

    yield make
    plugins._foreign.cache_clear()
    for module in [name for name in sys.modules if name.partition(".")[0] in {"outside", "other"}]:
        del sys.modules[module]


def test_every_kind_has_names():
    found = {kind: plugins.names(kind) for kind in plugins.KINDS}
    assert {"adversarial", "none", "repnoise", "lisa", "antidote"} <= {*found.pop("defences")}
    assert {"completion", "elicitation", "none", "prefill", "second_language", "sft"} <= {*found.pop("attacks")}
    assert found == {
        "judges": ["choice", "classifier", "exact", "own", "phrases", "rubric"],
        "metrics": ["harm", "multiple_choice", "stability", "utility", "xstest"],
        "domains": ["arcana", "beavertails", "decoding_trust", "gem", "hex_phi", "jsonl", "wmdp", "xstest"],
    }
    assert plugins.is_kind("attacks")
    assert not plugins.is_kind("attack")


def test_names_import_no_plugin():
    code = (
        "import sys; from holdfast import plugins\n"
        "for kind in plugins.KINDS: plugins.names(kind)\n"
        "own = [name for name in sys.modules if name.startswith('holdfast.') and name.count('.') > 1]\n"
        "print(own, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[0] == "[] False"


@pytest.mark.parametrize("kind", plugins.KINDS)
def test_what_is_found_is_named_as_it_was_asked_for(kind):
    for name in plugins.names(kind):
        assert plugins.name_of(plugins.find(kind, name)) == name
        assert plugins.summary(kind, name)


def test_an_unknown_name():
    with pytest.raises(UnknownName, match="unknown defence 'repnose': did you mean 'repnoise'"):
        plugins.find("defences", "repnose")


def test_a_preset_is_a_plug_in_with_settings():
    cls, settings = plugins.variant("attacks", "sft/backdoor")
    assert (cls, settings) == (plugins.find("attacks", "sft"), {"framing": "trigger"})
    assert plugins.variant("attacks", "sft") == (cls, {})
    assert plugins.without_preset("sft/backdoor") == plugins.without_preset("sft") == "sft"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("sft/backdor", "unknown preset of sft 'backdor': did you mean 'backdoor'"),
        ("sft/", "unknown preset of sft '': there are: backdoor, benign"),
        ("stf/backdoor", "unknown attack 'stf': did you mean 'sft'"),
    ],
)
def test_an_unknown_preset(name, said):
    with pytest.raises(UnknownName, match=said):
        plugins.variant("attacks", name)


def test_a_plug_in_without_presets():
    with pytest.raises(ConfigError, match="prefill has no presets: leave out '/strong'"):
        plugins.variant("attacks", "prefill/strong")


def test_a_domain_may_be_a_path():
    with pytest.raises(UnknownName, match="unknown domain 'data/arcana'"):
        plugins.variant("domains", "data/arcana")


@pytest.mark.parametrize("kind", plugins.KINDS)
def test_every_preset_fits_and_is_one_of_a_kind(kind):
    """Each builds, and no two of a plug-in come to the same."""
    for name in plugins.names(kind):
        cls = plugins.find(kind, name)
        built = [build(cls, settings) for settings in plugins.presets(cls).values()]
        assert all(one not in built[:at] for at, one in enumerate(built)), name


def test_a_defence_from_another_package(outside):
    """Listed, found, and run by the command line on a tiny model, in a process that knows only sys.path."""
    home = outside("scale")
    assert "scale" in plugins.names("defences")
    found = plugins.find("defences", "scale")
    assert (plugins.name_of(found), plugins.name_of(found())) == ("scale", "scale")
    assert plugins.summary("defences", "scale") == "Scale every weight by one number: scale."
    command = "from holdfast.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", command, "harden", "tiny-llama", "scale", "-o", "out", "-s", "factor=0.25", "--json"],
        env={**os.environ, "PYTHONPATH": str(home)},
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["made_by"]["settings"] == {"factor": 0.25}
    assert (home / "out" / "model.safetensors").is_file()


def test_a_name_that_is_taken(outside):
    outside("repnoise")
    with pytest.raises(ConfigError, match=r"entry points of holdfast.defences take names that are taken: repnoise\."):
        plugins.find("defences", "none")


def test_two_packages_with_one_name(outside):
    outside("scale")
    outside("scale", package="other")
    with pytest.raises(ConfigError, match=r"two packages bring a plug-in 'scale' of holdfast.defences: .*other.scale"):
        plugins.names("defences")


@pytest.mark.parametrize(
    ("value", "text", "said"),
    [
        ("outside.scale:Scale", "import no_such_module", "does not import: No module named 'no_such_module'"),
        ("outside.scale:Scale", "1 / 0", "does not import: division by zero"),
        ("outside.scale:Nothing", DEFENCE, "does not import: module 'outside.scale' has no attribute 'Nothing'"),
        ("outside.scale:config", DEFENCE, "must be a class that stands in a file scale.py"),
        ("outside.nowhere:Scale", DEFENCE, "does not import: No module named 'outside.nowhere'"),
    ],
)
def test_an_entry_point_that_cannot_be_used(outside, value, text, said):
    outside("scale", value=value, text=text)
    with pytest.raises(ConfigError) as error:
        plugins.find("defences", "scale")
    assert value in str(error.value)
    assert said in str(error.value)
    # The others are still there.
    assert plugins.find("defences", "none")


def test_a_class_under_another_name_than_its_file(outside):
    """A record could not say what was run."""
    home = outside("scale")
    (home / "outside-1.0.dist-info" / "entry_points.txt").write_text(
        "[holdfast.defences]\nshrink = outside.scale:Scale\n"
    )
    plugins._foreign.cache_clear()
    with pytest.raises(ConfigError, match=r"a file shrink\.py"):
        plugins.find("defences", "shrink")
