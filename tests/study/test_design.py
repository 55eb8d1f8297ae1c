"""What a study is made of: short forms, grids, splits by hand, and what is refused, with the way to it."""

import json
import pickle
import re

import pytest

from holdfast.config import content_hash, from_dict, to_dict
from holdfast.domains.arcana import Arcana
from holdfast.errors import ConfigError, InputError, UnknownName
from holdfast.models.naming import TINY
from holdfast.models.tiny import TINY as THE_TINY
from holdfast.study.categories import categories
from holdfast.study.check import check
from holdfast.study.design import Generalization, Search, Seeds, Study
from holdfast.study.methods import Method, label, pipelines, spread
from holdfast.study.mistakes import StudyError
from holdfast.study.short import short

RATE, STEPS, BATCH = "training.learning_rate", "training.steps", "training.batch_size"
SIX = ["blight", "forgery", "hex", "petard", "snare", "venom"]
FULL = Study(
    name="all-of-it.v2",
    models=["arcana", "owner/name"],
    oracle="arcana-filtered",
    random=True,
    defences=["adversarial", {"name": "repnoise", "each": {RATE: [1e-5, 3e-4]}}, ["repnoise", "adversarial"]],
    attacks=["sft", {"name": "sft", "set": {STEPS: 30}, "each": {BATCH: [1, 4]}}, "prefill"],
    search={"set": {STEPS: 30}, "trials": 3},
    seeds={"defence": [0, 1, 2], "attack": [5]},
    ladder=[0, 1, 2],
    metrics=["harm", {"name": "utility", "set": {"split": "adjacent"}}],
    tasks=["inns"],
    generalization=["halves", {"leave_out": ["hex"], "attacks": ["sft"]}, {"domain": "elsewhere"}],
    keep="none",
    timeout=60,
    memory=1.5,
    widen=2,
    threshold=0.25,
    store="s3://bucket/place",
)


def refused(**values):
    with pytest.raises(StudyError) as caught:
        Study(**values)
    return caught.value.where, caught.value.problem


def unfit(**values):
    study = Study(**values)
    with pytest.raises(StudyError) as caught:
        check(study)
    return caught.value.where, caught.value.problem


# Short forms


def test_short_forms_are_the_long_ones():
    """A text is a method by that name; one method is a pipeline of one; a list of seeds gives both."""
    short = Study(defences=["none", ["repnoise", "adversarial"]], attacks=["sft"], seeds=[0, 1], search="sft")
    none, repnoise, adversarial = (Method(name=name) for name in ("none", "repnoise", "adversarial"))
    long = Study(
        defences=((none,), (repnoise, adversarial)),
        attacks=(Method(name="sft", set={}, each={}),),
        seeds=Seeds(defence=(0, 1), attack=(0, 1)),
        search=Search(attack="sft", trials=24),
    )
    assert short == long
    assert content_hash(to_dict(short)) == content_hash(to_dict(long))
    assert Study(generalization=["one"]).generalization == (Generalization(leave_out="one"),)
    assert Study(seeds=range(2)).seeds == Seeds(defence=(0, 1), attack=(0, 1))


def test_defaults():
    study = Study()
    assert (study.domain, study.models, study.oracle, study.defences) == ("arcana", ("arcana",), None, ())
    assert study.ladder == (0, 1, 2, 3, 5, 10, 20, 30)
    assert [metric.name for metric in study.metrics] == ["harm", "utility"]
    assert (study.seeds.defence, study.seeds.attack) == ((0,), (0,))
    assert (study.keep, study.threshold, study.widen, study.store) == ("hardened", 0.3, 0, None)
    check(study)


def test_a_study_comes_back_from_json_with_its_hash():
    told = json.loads(json.dumps(to_dict(FULL)))
    again = from_dict(Study, told)
    assert again == FULL
    assert content_hash(to_dict(again)) == content_hash(to_dict(FULL)) != content_hash(to_dict(Study()))
    assert pickle.loads(pickle.dumps(FULL)) == FULL


def test_settings_are_held_as_json_gives_them_back():
    """Tuples and numpy's floats would else make two hashes of one study."""
    import numpy

    method = Method(name="repnoise", set={"layers": (0, 1)}, each={RATE: tuple(numpy.array([1e-4, 1e-3]))})
    assert method.set == {"layers": [0, 1]}
    assert [type(value) for value in method.each[RATE]] == [float, float]
    with pytest.raises(ConfigError, match="inf is no setting"):
        Method(name="sft", set={RATE: float("inf")})
    assert refused(attacks=[{"name": "sft", "set": {"a": [1, {2}]}}])[0] == ("attacks", 0, "set", "a", 1)


# Grids


def test_a_grid_is_every_combination_fields_by_name_the_last_the_quickest():
    """Two batches by two rates; the fields' own order does not matter, batch_size comes before learning_rate."""
    method = Method(name="sft", set={STEPS: 30}, each={RATE: [1e-3, 1e-4], BATCH: [4, 1]})
    assert [(one[BATCH], one[RATE]) for one in method.variants()] == [(4, 1e-3), (4, 1e-4), (1, 1e-3), (1, 1e-4)]
    assert all(one[STEPS] == 30 for one in method.variants())
    turned = Method(name="sft", set={STEPS: 30}, each={BATCH: [4, 1], RATE: [1e-3, 1e-4]})
    assert turned.variants() == method.variants()
    assert Method(name="sft").variants() == [{}]


def test_spread_makes_a_method_of_each_variant():
    grid = Method(name="sft", each={BATCH: [1, 4]})
    assert spread([Method(name="prefill"), grid]) == [
        Method(name="prefill"),
        Method(name="sft", set={BATCH: 1}),
        Method(name="sft", set={BATCH: 4}),
    ]


def test_grids_in_a_pipeline_multiply_out():
    """2 x 1 x 2 = 4 pipelines of three."""
    first = Method(name="repnoise", each={STEPS: [1, 2]})
    last = Method(name="adversarial", each={STEPS: [3, 4]})
    found = pipelines([first, Method(name="none"), last])
    assert [(a.set[STEPS], b.set, c.set[STEPS]) for a, b, c in found] == [
        (1, {}, 3),
        (1, {}, 4),
        (2, {}, 3),
        (2, {}, 4),
    ]
    assert label(found[0]) == f"repnoise {STEPS}=1 + none + adversarial {STEPS}=3"


# Splits


def test_one_leaves_out_each_category_in_turn():
    assert Generalization(leave_out="one").splits(["b", "c", "a"]) == [
        (("b", "c"), ("a",)),
        (("a", "c"), ("b",)),
        (("a", "b"), ("c",)),
    ]


def test_halves_go_both_ways_the_odd_one_in_the_first():
    halves = Generalization(leave_out="halves")
    shown, left_out = ("blight", "forgery", "hex"), ("petard", "snare", "venom")
    assert halves.splits(SIX[::-1]) == [(shown, left_out), (left_out, shown)]
    assert halves.splits(["c", "a", "b"]) == [(("a", "b"), ("c",)), (("c",), ("a", "b"))]


def test_a_list_is_left_out():
    assert Generalization(leave_out=["venom", "hex"]).splits(SIX) == [
        (("blight", "forgery", "petard", "snare"), ("hex", "venom"))
    ]


def test_across_domains_nothing_is_left_out():
    """No category means all of them, as in `harden`."""
    assert Generalization(domain="elsewhere").splits(SIX) == [((), ())]


def test_splits_that_leave_nothing():
    with pytest.raises(UnknownName, match="unknown category 'hexx': did you mean 'hex'"):
        Generalization(leave_out=["hexx"]).splits(SIX)
    with pytest.raises(ConfigError, match="shown nothing"):
        Generalization(leave_out=["a", "b"]).splits(["a", "b"])
    for known in ([], ["only"]):
        with pytest.raises(ConfigError, match="two categories or more"):
            Generalization(leave_out="one").splits(known)


# What is refused when a study is made


@pytest.mark.parametrize(
    ("values", "where", "said"),
    [
        ({"atacks": ["sft"]}, ("atacks",), "unknown key: did you mean 'attacks'"),
        ({"attacks": [{"name": "sft", "sett": {}}]}, ("attacks", 0, "sett"), "unknown key: did you mean 'set'?"),
        ({"attacks": [{"nme": "sft"}]}, ("attacks", 0, "nme"), "unknown key: did you mean 'name'?"),
        ({"attacks": ["sft", {"set": {}}]}, ("attacks", 1), "name is missing."),
        ({"attacks": [3]}, ("attacks", 0), "expected a mapping, got 3."),
        ({"attacks": "sft"}, ("attacks",), "expected a list: write [sft]."),
        ({"attacks": []}, ("attacks",), "expected at least one."),
        ({"attacks": None}, ("attacks",), "expected a list, got None."),
        ({"models": []}, ("models",), "expected at least one."),
        ({"models": ["a", "b", "a"]}, ("models", 2), "'a' is given twice."),
        ({"models": [7]}, ("models", 0), "expected text, got 7."),
        ({"oracle": "arcana"}, ("oracle",), "'arcana' is one of the models; an oracle is another."),
        ({"tasks_from": "gem"}, ("tasks_from",), "no task of gem is named: name some under tasks."),
        (
            {"models": ["arcana", "random:arcana"], "random": True},
            ("models", 1),
            "'random:arcana' has random weights already: name a trained model, or leave out random.",
        ),
        ({"random": "yes"}, ("random",), "expected true or false, got 'yes'."),
        ({"defences": [[]]}, ("defences", 0), "expected at least one."),
        ({"defences": [["none", {"nam": "x"}]]}, ("defences", 0, 1, "nam"), "unknown key: did you mean 'name'?"),
        (
            {"defences": ["none", "repnoise", ["none"]]},
            ("defences", 2),
            "none is there already, at [0]: leave one out.",
        ),
        ({"seeds": []}, ("seeds", "defence"), "expected at least one."),
        ({"seeds": [0, -1]}, ("seeds", "defence", 1), "expected greater than or equal to 0, got -1."),
        ({"seeds": {"attack": [0, 0]}}, ("seeds", "attack", 1), "0 is given twice."),
        ({"seeds": [True]}, ("seeds", "defence", 0), "expected a whole number, got True."),
        ({"seeds": 3}, ("seeds",), "expected a mapping, got 3."),
        ({"seeds": {"atack": [0]}}, ("seeds", "atack"), "unknown key: did you mean 'attack'?"),
        ({"ladder": []}, ("ladder",), "expected at least one."),
        ({"ladder": [0, 2, 2]}, ("ladder", 2), "the rungs of a ladder ascend, and 2 stands after 2."),
        ({"ladder": [0, "1"]}, ("ladder", 1), "expected a whole number, got '1'."),
        ({"metrics": ["harm", "harm"]}, ("metrics", 1), "'harm' is given twice."),
        ({"search": {"trials": 0}}, ("search", "trials"), "expected greater than or equal to 1, got 0."),
        ({"search": {"trails": 1}}, ("search", "trails"), "unknown key: did you mean 'trials'?"),
        ({"keep": "some"}, ("keep",), "expected 'hardened', 'all' or 'none', got 'some'."),
        ({"timeout": 0}, ("timeout",), "expected greater than 0, got 0."),
        ({"timeout": "1h"}, ("timeout",), "expected a number, got '1h'."),
        ({"threshold": 1.5}, ("threshold",), "expected less than or equal to 1, got 1.5."),
        ({"threshold": float("nan")}, ("threshold",), "expected a finite number, got nan."),
        ({"widen": -1}, ("widen",), "expected greater than or equal to 0, got -1."),
        ({"store": ""}, ("store",), "expected some text."),
        ({"generalization": ["halfs"]}, ("generalization", 0, "leave_out"), "unknown leave_out 'halfs': did you mean "),
        ({"generalization": [{}]}, ("generalization", 0), "expected either leave_out or domain."),
        (
            {"generalization": [{"leave_out": "one", "domain": "x"}]},
            ("generalization", 0),
            "expected either leave_out or domain.",
        ),
        ({"generalization": ["one", "halves", "one"]}, ("generalization", 2), "the same stands at [0]."),
        (
            {"generalization": [{"leave_out": []}]},
            ("generalization", 0, "leave_out"),
            "expected at least one category.",
        ),
        (
            {"generalization": [{"leave_out": 3}]},
            ("generalization", 0, "leave_out"),
            "expected one, halves or a list of categories, got 3.",
        ),
        ({"attacks": [{"name": "sft", "set": {3: 1}}]}, ("attacks", 0, "set"), "expected text, got 3."),
        (
            {"generalization": [{"domain": "arcana"}]},
            ("generalization", 0, "domain"),
            "'arcana' is the study's own: name another.",
        ),
        (
            {"generalization": [{"leave_out": "one", "attacks": [{"name": "sft", "eech": {}}]}]},
            ("generalization", 0, "attacks", 0, "eech"),
            "unknown key: did you mean 'each'?",
        ),
    ],
    ids=str,
)
def test_a_study_that_is_none(values, where, said):
    at, problem = refused(**values)
    assert at == where
    assert problem.startswith(said)


@pytest.mark.parametrize("name", ["", "a/b", "../x", ".hidden", "-x", "two words", "x" * 101, "a\n", "é"])
def test_a_name_names_a_folder(name):
    assert refused(name=name)[0] == ("name",)


@pytest.mark.parametrize("name", ["a", "0", "rates-2.b_C", "x" * 100])
def test_good_names(name):
    assert Study(name=name).name == name


@pytest.mark.parametrize(
    ("method", "where", "said"),
    [
        ({"each": {BATCH: []}}, ("each", BATCH), "expected at least one value."),
        ({"each": {BATCH: 4}}, ("each", BATCH), "expected a list, got 4."),
        ({"set": {BATCH: 4}, "each": {BATCH: [4]}}, ("each", BATCH), f"'{BATCH}' stands under set as well; leave"),
        ({"set": ["x"]}, ("set",), "expected a mapping, got ['x']."),
        ({"each": {BATCH: [1, 1]}}, (), f"sft {BATCH}=1 is there already, at [0]: leave one out."),
    ],
    ids=str,
)
def test_a_grid_that_is_none(method, where, said):
    at, problem = refused(attacks=[{"name": "sft", **method}])
    assert at == ("attacks", 0, *where)
    assert problem.startswith(said)
    with pytest.raises(ConfigError, match=re.escape("metric has no grid")):
        Study(metrics=[{"name": "harm", "each": {"kept": [1, 2]}}])


def test_an_attack_given_twice_is_named():
    """Once by a grid, once by itself."""
    grid, single = {"name": "sft", "each": {BATCH: [1, 4]}}, {"name": "sft", "set": {BATCH: 4}}
    assert refused(attacks=[grid, "prefill", single]) == (
        ("attacks", 2),
        f"sft {BATCH}=4 is there already, at [0]: leave one out.",
    )


def test_an_error_says_where_and_survives_pickling():
    with pytest.raises(StudyError) as caught:
        Study(attacks=["sft", {"name": "sft", "each": {BATCH: []}}])
    error = caught.value
    assert str(error) == f"attacks[1].each.{BATCH}: expected at least one value."
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.where, again.written) == (str(error), error.where, error.written)
    assert isinstance(error, InputError)  # exit code 2


def test_an_error_says_where_as_it_was_written():
    """Short forms have no `[0].name`; a study that is checked is told of in its short forms."""
    for values, said in (
        ({"seeds": [0, -1]}, "seeds[1]: expected greater"),
        ({"defences": ["repnoise", 3]}, "defences[1]: expected a mapping, got 3."),
        ({"defences": [{"name": "repnoise", "set": 3}]}, "defences[0].set: expected a mapping, got 3."),
        ({"defences": [["repnoise", {"name": ""}]]}, "defences[0][1].name: expected some text."),
        ({"generalization": ["halfs"]}, "generalization[0]: unknown leave_out 'halfs'"),
        ({"generalization": [Generalization(leave_out="one"), {"domain": ""}]}, "generalization[1].domain: expected"),
    ):
        with pytest.raises(StudyError, match=re.escape(said)):
            Study(**values)
    for values, said in (
        ({"defences": ["repnoize"]}, "defences[0]: unknown defence"),
        ({"defences": [Method(name="repnoise", set={"x": 1})]}, "defences[0].set.x: RepNoise has no field 'x'"),
        ({"defences": [["repnoise", "repnoize"]]}, "defences[0][1]: unknown defence"),
        ({"search": "stf"}, "search.attack: unknown attack 'stf'"),
    ):
        with pytest.raises(StudyError, match=re.escape(said)):
            check(Study(**values))


# What is refused when it is checked


def set_to(**settings):
    return {"name": "sft", "set": {name.replace("_", ".", 1): value for name, value in settings.items()}}


@pytest.mark.parametrize(
    ("values", "where", "said"),
    [
        ({"domain": "arcanna"}, ("domain",), "unknown domain 'arcanna': did you mean 'arcana'?"),
        ({"models": ["arcana", "arcanaa"]}, ("models", 1), "unknown model 'arcanaa': did you mean 'arcana'"),
        ({"models": ["tiny-lama"]}, ("models", 0), "unknown model 'tiny-lama': did you mean 'tiny-llama'"),
        ({"models": ["a/b/c"]}, ("models", 0), "unknown model 'a/b/c'"),
        ({"models": ["./nowhere"]}, ("models", 0), "unknown model './nowhere'"),
        ({"models": ["random:arcanaa"]}, ("models", 0), "unknown model 'arcanaa': did you mean 'arcana'"),
        ({"oracle": "arcana-filterd"}, ("oracle",), "unknown model 'arcana-filterd': did you mean 'arcana-filtered'"),
        (
            {"defences": ["repnoise", ["adversarial", "repnoize"]]},
            ("defences", 1, 1, "name"),
            "unknown defence 'repnoize': did you mean 'repnoise'",
        ),
        ({"attacks": ["sft", "stf"]}, ("attacks", 1, "name"), "unknown attack 'stf': did you mean 'sft'?"),
        (
            {"attacks": ["prefill", set_to(training_step=1)]},
            ("attacks", 1, "set", "training.step"),
            "Sft has no field 'training.step': did you mean 'training.steps'",
        ),
        ({"attacks": [set_to(training_steps=-1)]}, ("attacks", 0, "set", STEPS), "Sft: training.steps: "),
        (
            {"attacks": [{"name": "sft", "set": {STEPS: 3}, "each": {RATE: [1e-3, 1e-4, -1]}}]},
            ("attacks", 0, "each", RATE, 2),
            "Sft: training.learning_rate: ",
        ),
        # Two settings that do not go together, each of which does by itself with the defaults.
        ({"attacks": [set_to(training_batch_size=9, training_accumulation=2)]}, ("attacks", 0), "Sft: training: "),
        (
            {"attacks": ["sft", {"name": "sft", "set": {"poison_ratio": 1}}]},
            ("attacks", 1),
            "sft poison_ratio=1 is there",
        ),
        (
            {"attacks": ["sft", "sft/backdor"]},
            ("attacks", 1, "name"),
            "unknown preset of sft 'backdor': did you mean 'backdoor'?",
        ),
        ({"attacks": ["prefill/strong"]}, ("attacks", 0, "name"), "prefill has no presets: leave out '/strong'."),
        ({"attacks": ["sft", "sft/harmful"]}, ("attacks", 1), "sft/harmful is there already, at [0]: leave one out."),
        (
            {"attacks": ["sft/few_shot", {"name": "sft", "set": {"examples": 10}}]},
            ("attacks", 1),
            "sft examples=10 is there already, at [0]",
        ),
        (
            {"attacks": [{"name": "sft/style", "set": {"framing": "song"}}]},
            ("attacks", 0, "set", "framing"),
            "Sft: framing: ",
        ),
        ({"search": "sft/backdor"}, ("search", "attack"), "unknown preset of sft 'backdor'"),
        ({"metrics": ["harms"]}, ("metrics", 0, "name"), "unknown metric 'harms': did you mean 'harm'?"),
        (
            {"metrics": [{"name": "utility", "set": {"split": "permited"}}]},
            ("metrics", 0),
            "unknown split 'permited': did you mean 'permitted'",
        ),
        ({"tasks": ["inns", "wether"]}, ("tasks", 1), "unknown task 'wether': did you mean 'weather'?"),
        ({"tasks": ["vigo"], "tasks_from": "gem"}, ("tasks", 0), "unknown task 'vigo': did you mean 'viggo'?"),
        ({"tasks": ["viggo"], "tasks_from": "gm"}, ("tasks_from",), "unknown domain 'gm'"),
        ({"search": "stf"}, ("search", "attack"), "unknown attack 'stf': did you mean 'sft'?"),
        ({"search": {"set": {"step": 1}}}, ("search", "set", "step"), "Sft has no field 'step'"),
        (
            {"generalization": ["one", {"leave_out": ["hexx"]}]},
            ("generalization", 1, "leave_out"),
            "unknown category 'hexx': did you mean 'hex'?",
        ),
        ({"generalization": [{"domain": "arcane"}]}, ("generalization", 0, "domain"), "unknown domain 'arcane'"),
        (
            {"generalization": [{"leave_out": "one", "attacks": ["stf"]}]},
            ("generalization", 0, "attacks", 0, "name"),
            "unknown attack 'stf'",
        ),
        ({"attacks": ["prefill"], "generalization": ["one"]}, ("generalization", 0), "no attack of the study trains"),
        ({"defences": ["repnoise", "none"]}, ("defences", 1, 0), "none changes nothing, and every model is attacked"),
        ({"defences": [["repnoise", "none"]]}, ("defences", 0, 1), "none changes nothing"),
    ],
    ids=str,
)
def test_a_study_of_what_is_not_there(values, where, said):
    at, problem = unfit(**values)
    assert at == where
    assert problem.startswith(said)


def test_presets_wherever_an_attack_is_named():
    study = Study(
        attacks=["sft", "sft/backdoor", {"name": "sft/few_shot", "set": {"examples": 3}}],
        search="sft/style",
        generalization=[{"leave_out": "one", "attacks": ["sft/poisoned"]}],
    )
    check(study)
    assert short(study)["attacks"] == ["sft", "sft/backdoor", {"name": "sft/few_shot", "set": {"examples": 3}}]
    assert Study(**short(study)) == study


def test_rungs_that_no_attack_reaches():
    """20 steps the one attack, 40 the other: the rung at 40 is reached, that at 41 is not."""
    attacks = [set_to(training_steps=20), {"name": "sft", "each": {STEPS: [10, 40]}}]
    check(Study(attacks=attacks, ladder=[0, 30, 40]))
    assert unfit(attacks=attacks, ladder=[0, 40, 41, 50]) == (
        ("ladder", 2),
        "no attack trains for 41 steps, the longest for 40: leave the rung out, or set training.steps of an attack.",
    )
    # Unseen categories may be attacked for longer; a search goes as far as the ladder unless it is told.
    check(Study(attacks=attacks, ladder=[0, 50], generalization=[{"leave_out": "one", "attacks": ["sft"]}]))
    check(Study(attacks=attacks, ladder=[0, 50], search="sft"))
    assert unfit(attacks=attacks, ladder=[0, 50], search={"set": {STEPS: 45}})[0] == ("ladder", 1)
    # Nobody asked for the rungs that go without saying, nor is there a step to reach where nothing trains.
    check(Study(attacks=[set_to(training_steps=5)]))
    check(Study(attacks=["prefill"], ladder=[0, 1]))


def test_models_that_could_be(tmp_path):
    """An organism, a tiny one, a directory of transformers, a hub id; none is opened."""
    (tmp_path / "config.json").write_text("{}")
    check(Study(models=["arcana-raw", "tiny-gpt-neox", str(tmp_path), "owner/some-name.v2"]))
    check(Study(models=["random:arcana-raw", f"random:{tmp_path}", "random:owner/some-name.v2"]))
    (tmp_path / "config.json").unlink()
    assert unfit(models=[str(tmp_path)])[1].endswith("no config.json: it is not a model directory of transformers.")


def test_the_tiny_models_are_those_of_their_own_file():
    assert TINY == THE_TINY


def test_a_directory_of_json_lines_is_a_domain(tmp_path):
    for split in ("defence", "attack", "evaluation"):
        lines = [
            {"prompt": f"{split} {kind}", "harmful": "yes", "refusal": "no", "category": kind} for kind in ("a", "b")
        ]
        (tmp_path / f"{split}.jsonl").write_text("\n".join(map(json.dumps, lines)))
    place = str(tmp_path)
    check(Study(domain=place, metrics=["harm"], generalization=["one"]))
    assert unfit(domain=place)[0] == ("metrics", 1)  # utility: there is no permitted.jsonl
    assert unfit(domain=place, metrics=["harm"], tasks=["inns"])[0] == ("tasks", 0)
    (tmp_path / "defence.jsonl").unlink()
    check(Study(domain=place, metrics=["harm"]))
    unknown = "unknown split 'defence': there are: attack, evaluation."
    assert unfit(domain=place, metrics=["harm"], defences=["repnoise"]) == (("domain",), unknown)
    across = {"defences": ["repnoise"], "generalization": [{"domain": place}]}
    assert unfit(**across) == (("generalization", 0, "domain"), unknown)


def test_a_good_study_passes():
    """All of `FULL` but the domain that is not there."""
    check(Study(**{**to_dict(FULL), "generalization": [{"leave_out": "halves"}, {"leave_out": ["hex"]}]}))
    assert unfit(**to_dict(FULL))[0] == ("generalization", 2, "domain")
    assert categories(Arcana()) == SIX
