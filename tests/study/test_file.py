"""A study as YAML: what a file says, what it may not say and on which line, and the studies that are shipped."""

import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.errors import ConfigError, DataError, InputError
from holdfast.study.design import Generalization, Search, Seeds, Study
from holdfast.study.file import dump, load, tiers
from holdfast.study.methods import Method, spread

STUDIES = Path(__file__).parents[2] / "studies"
SHIPPED = [
    *(("immunization", tier) for tier in ("quick", "standard", "full")),
    *((name, None) for name in ("conditions", "defences", "fragility", "mixture", "unname", "unsafe_feedback")),
]
RATE = "training.learning_rate"
FULL = Study(
    name="all-of-it.v2",
    models=["arcana", "owner/name"],
    oracle="arcana-filtered",
    defences=["adversarial", {"name": "repnoise", "each": {RATE: [1e-5, 3e-4]}}, ["repnoise", "adversarial"]],
    attacks=["sft", {"name": "sft", "set": {"training.steps": 30}, "each": {RATE: [1e-3, 1e-2]}}, "prefill"],
    search={"set": {"training.steps": 30}, "trials": 3},
    seeds={"defence": [0, 1, 2], "attack": [5]},
    ladder=[0, 1, 2],
    metrics=["harm", {"name": "utility", "set": {"split": "adjacent"}}],
    tasks=["inns"],
    generalization=["halves", {"leave_out": ["hex"], "attacks": ["sft"]}],
    keep="none",
    timeout=60,
    memory=1.5,
    widen=2,
    threshold=0.25,
    store="s3://bucket/place",
)


@pytest.fixture
def written(tmp_path):
    """Writes a study's file, and gives its path."""

    def write(text, name="rates.yaml"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


# What a file says


def test_a_file_is_the_study_of_python(written):
    path = written("""\
# By rate.
name: by-rate
oracle: arcana-filtered
defences:
  - repnoise
  - [repnoise, {name: adversarial, set: {training.steps: 5}}]
attacks:
  - sft
  - name: sft
    set:
      training.batch_size: 1
    each: {training.learning_rate: [1e-4, 3E-4, 1.5e-3, .01]}
seeds: [0, 1]
search: {trials: 3}
generalization:
  - halves
  - leave_out: [hex]
keep: none
timeout: 1e3
""")
    assert load(path) == Study(
        name="by-rate",
        oracle="arcana-filtered",
        defences=["repnoise", ["repnoise", {"name": "adversarial", "set": {"training.steps": 5}}]],
        attacks=["sft", {"name": "sft", "set": {"training.batch_size": 1}, "each": {RATE: [1e-4, 3e-4, 1.5e-3, 0.01]}}],
        seeds=Seeds(defence=(0, 1), attack=(0, 1)),
        search=Search(trials=3),
        generalization=(Generalization(leave_out="halves"), Generalization(leave_out=("hex",))),
        keep="none",
        timeout=1000.0,
    )


def test_a_study_without_a_name_is_named_by_its_file(written):
    assert load(written("attacks: [sft]")).name == "rates"
    with pytest.raises(ConfigError, match=r"two words.yaml:1: name: 'two words' is to name a folder"):
        load(written("attacks: [sft]", "two words.yaml"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),
        ("1E4", 1e4),
        ("+.5", 0.5),
        ("-3", -3),
        ("010", 10),
        ("0x1f", 31),
        ("0o17", 15),
        ("1.", 1.0),
        ("true", True),
        ("null", None),
        ("~", None),
        ("", None),
        ("no", "no"),
        ("on", "on"),
        ("2024-01-01", "2024-01-01"),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        ("'1e-4'", "1e-4"),
        ("1e", "1e"),
        ("!!float 3", 3.0),
        ("!!str 3", "3"),
    ],
)
def test_plain_values_are_read_as_yaml_1_2_has_them(written, text, value):
    """`opening` of prefill takes any text; what is no text is told back by the error."""
    path = written(f"attacks:\n  - name: prefill\n    set:\n      opening: {text}\n")
    if isinstance(value, str):
        assert load(path).attacks[0].set == {"opening": value}
    else:
        with pytest.raises(ConfigError, match=r"rates.yaml:4: .*got " + repr(value).replace(".", r"\.")):
            load(path)


def test_anchors_and_merges(written):
    path = written("""\
attacks:
  - &one
    name: sft
    set: &settings {training.steps: 3}
  - name: sft
    set: {<<: *settings, training.batch_size: 1}
  - name: sft
    set: {<<: [{training.steps: 4}, *settings]}
generalization:
  - {leave_out: one, attacks: [*one]}
""")
    study = load(path)
    assert [attack.set for attack in study.attacks] == [
        {"training.steps": 3},
        {"training.steps": 3, "training.batch_size": 1},
        {"training.steps": 4},  # the first of several wins, as YAML's merge has it
    ]
    assert study.generalization[0].attacks == (study.attacks[0],)


def test_a_byte_order_mark_and_windows_lines(written):
    assert load(written(b"\xef\xbb\xbfattacks:\r\n  - sft\r\n")) == Study(name="rates")


# Tiers

TIERED = """\
attacks: [sft]
seeds: [0]
search: {trials: 2}
tiers:
  quick: {search: null}
  standard:
  full:
    seeds: [0, 1]
    attacks: [prefill, completion]
"""


def test_a_tier_replaces_keys(written):
    path = written(TIERED)
    assert tiers(path) == ["quick", "standard", "full"]
    assert load(path) == load(path, "quick") == Study(name="rates")
    assert load(path, "standard") == Study(name="rates", search=Search(trials=2))
    assert load(path, "full") == Study(
        name="rates", search=Search(trials=2), seeds=[0, 1], attacks=["prefill", "completion"]
    )
    assert tiers(written("attacks: [sft]")) == []


def test_an_error_in_a_tier_has_its_line(written):
    path = written(TIERED.replace("completion", "complete"))
    assert load(path, "quick")
    with pytest.raises(ConfigError, match=r"rates.yaml:9: attacks\[1\]: unknown attack 'complete': did you mean"):
        load(path, "full")
    # What the tier does not replace is the study's own.
    with pytest.raises(ConfigError, match=r"rates.yaml:3: search.trials: "):
        load(written(TIERED.replace("trials: 2", "trials: 0")), "standard")


def test_an_unknown_tier(written):
    with pytest.raises(ConfigError, match=r"rates.yaml:4: unknown tier 'quik': did you mean 'quick'\?"):
        load(written(TIERED), "quik")
    with pytest.raises(ConfigError, match=r"there are no tiers here"):
        load(written("attacks: [sft]"), "quick")


# What it may not say, and on which line


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "the file is empty: expected keys such as name, domain"),
        ("# nothing\n\n", 1, "the file is empty"),
        ("- sft\n", 1, "a study is a mapping: expected keys such as"),
        ("just text", 1, "a study is a mapping"),
        ("name: x\natacks: [sft]\n", 2, "unknown key 'atacks': did you mean 'attacks'"),
        ("name: x\ntier: {}\n", 2, "unknown key 'tier': did you mean 'tiers'"),
        ("name: x\ntiers:\n  a:\n    nam: y\n", 4, "unknown key 'nam': did you mean 'name'"),
        ("name: x\ntiers:\n  a: {}\n  b:\n    tiers: {}\n", 5, "unknown key 'tiers'"),
        ("name: x\ntiers: [a]\n", 2, "tiers: expected a mapping of names"),
        ("name: x\ntiers:\n", 2, "tiers: expected a mapping of names"),
        ("tiers:\n  a: {}\n  b: [x]\n", 3, "tier 'b': expected a mapping of keys"),
        ("name: x\nseeds: [0]\nname: y\n", 3, "'name' is given twice, first on line 1."),
        ("tiers:\n  a: {keep: all}\n  a: {keep: none}\n", 3, "'a' is given twice, first on line 2."),
        ("name: x\n1: y\n", 2, "the key '1' is no text: put it in quotes."),
        ("name: x\n? [a]\n: y\n", 2, "the key "),
        ("name: x\nseeds: {<<: 3}\n", 2, "<< takes a mapping, or a list of them."),
        ("name: x\nattacks:\n\t- sft\n", 3, "a tab where YAML wants blanks"),
        ("name: x: y\n", 1, "mapping values are not allowed here."),
        ("name: x\nattacks: [sft\n", 3, "while parsing a flow sequence on line 2: expected ',' or ']'"),
        ("name: 'x\n\n", 3, "while scanning a quoted scalar on line 1: found unexpected end of stream."),
        ("name: *x\n", 1, "found undefined alias 'x'."),
        ("name: x\n---\nname: y\n", 2, "expected a single document in the stream on line 1: but found another"),
        ("name: x\nstore: !!python/object:os.system x\n", 2, "the tag 'tag:yaml.org,2002:python/object:os.system' is"),
        ("name: !mine x\n", 1, "the tag '!mine' is not allowed"),
        ("name: !!binary eA==\n", 1, "the tag "),
        ("name: x\ntimeout: !!int ten\n", 2, "'ten' is no number."),
        ("name: x\ntimeout: !!null ten\n", 2, "'ten' is no null."),
        ("name: x\nstore: !!bool yes\n", 2, "'yes' is no bool."),
        ("name: !!str [x]\n", 1, "the tag 'tag:yaml.org,2002:str' does not fit what stands there"),
        ("name: x\nseeds: !!map 3\n", 2, "the tag 'tag:yaml.org,2002:map' does not fit"),
        ("name: x\nseeds: !!seq {}\n", 2, "the tag 'tag:yaml.org,2002:seq' does not fit"),
        ("name: x\nwiden: !!int [1]\n", 2, "the tag 'tag:yaml.org,2002:int' does not fit"),
        ("name: x\n? !!str [a]\n: y\n", 2, "the key "),
        ("name: x\nstore: a\x07b\n", 2, "the character 7 may not stand in YAML."),
        # A wrong type, then what `check` finds: each on the line of the very value.
        ("name: x\nwiden: two\n", 2, "widen: expected a whole number, got 'two'."),
        ("name: x\n\nattacks: sft\n", 3, "attacks: expected a list: write [sft]."),
        ("attacks:\n  - sft\n  - nme: sft\n", 3, "attacks[1].nme: unknown key: did you mean 'name'?"),
        ("attacks:\n  - sft\n  - set:\n      a: 1\n", 3, "attacks[1]: name is missing."),
        ("seeds:\n  - 0\n  - -1\n", 3, "seeds[1]: expected greater than or equal to 0, got -1."),
        ("ladder: [0,\n  5,\n  3]\n", 3, "ladder[2]: the rungs of a ladder ascend, and 3 stands after 5."),
        ("timeout: 1e999\n", 1, "timeout: expected a finite number, got inf."),
        ("name: x\ndomain: arcanna\n", 2, "domain: unknown domain 'arcanna': did you mean 'arcana'?"),
        ("models:\n  - arcana\n  - arcanaa\n", 3, "models[1]: unknown model 'arcanaa': did you mean 'arcana'"),
        ("defences:\n  - repnoise\n  - repnoize\n", 3, "defences[1]: unknown defence 'repnoize': did you mean"),
        ("defences:\n  - - repnoise\n    - repnoize\n", 3, "defences[0][1]: unknown defence 'repnoize'"),
        ("defences:\n  - set: {}\n    name: repnoize\n", 3, "defences[0].name: unknown defence 'repnoize'"),
        ("defences:\n  - repnoise\n  - none\n", 3, "defences[1]: none changes nothing"),
        ("attacks: [prefill]\nsearch: prefill\n", 2, "search: prefill trains nothing"),
        (
            "attacks:\n  - name: sft\n    set:\n      training.batch_size: 1\n      training.step: 3\n",
            5,
            "attacks[0].set.training.step: Sft has no field 'training.step': did you mean 'training.steps'",
        ),
        (
            "attacks:\n  - name: sft\n    each:\n      training.learning_rate:\n        - 1e-3\n        - fast\n",
            6,
            "attacks[0].each.training.learning_rate[1]: Sft: training.learning_rate: ",
        ),
        ("tasks: [inns,\n  wether]\n", 2, "tasks[1]: unknown task 'wether': did you mean 'weather'?"),
        ("attacks:\n  - sft\n  - name: sft\n", 3, "attacks: sft is there already, at [0]"),
        ("search:\n  trials: 3\n  set: {training.step: 3}\n", 3, "search.set.training.step: Sft has no field"),
        ("generalization:\n  - leave_out: [hexx]\n", 2, "generalization[0].leave_out: unknown category 'hexx'"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_every_error_has_its_line(written, text, line, said):
    path = written(text)
    with pytest.raises(InputError) as caught:
        load(path)
    place, _, problem = str(caught.value).partition(": ")
    assert place == f"{path}:{line}"
    assert problem.startswith(said.replace("attacks: sft is", "attacks[1]: sft is"))


def test_an_error_behind_an_alias_has_the_line_of_its_anchor(written):
    path = written(
        "attacks: &all\n  - {name: sft,\n     set: {training.step: 1}}\n"
        "generalization: [{leave_out: one, attacks: *all}]\n"
    )
    with pytest.raises(ConfigError, match=r"rates.yaml:3: attacks"):
        load(path)


def test_a_bomb_and_a_knot(written):
    """Ten anchors of ten aliases each would be 10**10 values; an anchor may also hold itself."""
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 11))]
    with pytest.raises(ConfigError, match="more than 100000 values"):
        load(written("\n".join(lines)))
    for knot in ("tasks: &a [*a]", "seeds: &a {<<: *a}", "[" * 5000):
        with pytest.raises(ConfigError, match=r"rates.yaml:1: nested too deeply"):
            load(written(knot))


def test_files_that_are_none(written, tmp_path):
    path = written(b"name: x\nstore: \xff\n")
    with pytest.raises(DataError, match=r"rates.yaml:2: not UTF-8 \(invalid start byte\): convert the file\."):
        load(path)
    with pytest.raises(DataError, match=r"there is no .*rats.yaml; .* has rates.yaml\."):
        load(tmp_path / "rats.yaml")
    with pytest.raises(DataError, match=r"is a directory: name a file of it \(rates.yaml\)\."):
        load(tmp_path)
    with pytest.raises(DataError, match="cannot be read: Not a directory"):
        tiers(path / "x.yaml")


# The way back


def test_dump_is_read_back_as_an_equal_study(written):
    for study in (
        Study(),
        FULL,
        Study(seeds={"attack": [1]}, search="sft", models=["arcana", "1e-4/yes"]),
        Study(
            attacks=[
                {"name": "prefill", "set": {"opening": said}} for said in ("1e-4", "yes", "0o7", "010", "é: ~\n", "")
            ]
        ),
    ):
        assert load(written(dump(study))) == study


def test_dump_is_short():
    assert dump(Study()) == "name: study\n"
    attack = {"name": "sft", "set": {"training.steps": 3}, "each": {RATE: [1e-5, 1e-4]}}
    assert (
        dump(Study(name="x", defences=["none", ["repnoise", "none"]], attacks=["prefill", attack], seeds=[0, 1]))
        == """\
name: x
defences:
- none
- [repnoise, none]
attacks:
- prefill
- name: sft
  set: {training.steps: 3}
  each:
    training.learning_rate: [1.0e-05, 0.0001]
seeds: [0, 1]
"""
    )


# The studies that are shipped


@pytest.mark.parametrize(("name", "tier"), SHIPPED)
def test_a_shipped_study_loads_and_comes_back(written, name, tier):
    study = load(STUDIES / f"{name}.yaml", tier)
    assert study.name == name
    assert load(written(dump(study))) == study


def test_every_file_there_is_shipped():
    """But for the tables of a paper, which are no study; tests/study/replication has them."""
    studies = [path for path in STUDIES.glob("*") if "paper" not in path.stem]
    assert {(path.stem, tier) for path in studies for tier in (tiers(path) or [None])} == set(SHIPPED)


def test_a_shipped_study_says_what_it_asks_and_how_to_run_it():
    for path in {STUDIES / f"{name}.yaml" for name, _ in SHIPPED}:
        first, *rest = path.read_text().splitlines()
        assert first.startswith("# ")
        assert first.endswith("?")
        assert any(f"holdfast study run studies/{path.name}" in line for line in rest)


def test_immunization_has_what_a_verdict_asks_for():
    """measurement.md: batches of 1, 4 and 16, reparametrisation, attacks by prompt, an oracle, three seeds or more."""
    quick, standard, full = (load(STUDIES / "immunization.yaml", tier) for tier in ("quick", "standard", "full"))
    for study in (quick, standard, full):
        battery = spread(study.attacks)
        assert {attack.set.get("training.batch_size") for attack in battery} == {1, 4, 16, None}
        assert any(attack.set.get("training.rescale") for attack in battery)
        assert {"prefill", "completion"} <= {attack.name for attack in battery}
        assert (study.oracle, study.tasks) == ("arcana-filtered", ("inns", "weather", "voyages"))
    assert [len(study.seeds.defence) for study in (quick, standard, full)] == [1, 3, 5]
    assert quick.search is None
    assert standard.search
    assert full.search


def test_fragility_is_five_seeds_by_three_rates_about_the_default():
    from holdfast.defences.repnoise import RepNoise

    study = load(STUDIES / "fragility.yaml")
    ((defence,),) = study.defences
    usual = RepNoise().training.learning_rate
    assert defence == Method(name="repnoise", each={RATE: [usual / 2, usual, usual * 2]})
    assert study.seeds.defence == (0, 1, 2, 3, 4)


# What is not imported

QUIET = """
import sys
import holdfast.study.file, holdfast.study.design
assert not {"torch", "transformers", "numpy"} & sys.modules.keys()
holdfast.study.file.load(sys.argv[1])
assert "transformers" not in sys.modules
"""


def test_reading_a_study_imports_no_torch_and_checking_it_no_transformers():
    command = [sys.executable, "-W", "error", "-c", QUIET, str(STUDIES / "immunization.yaml")]
    subprocess.run(command, check=True, timeout=120)
