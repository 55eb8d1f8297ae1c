"""A cell's key: equal where the result is, and nowhere else; and the record of a cell that failed."""

import dataclasses
import os
import pickle
import time

import pytest
from cells_made import jsonl, outside, python, record

from holdfast import plugins
from holdfast.config import content_hash
from holdfast.models.load import load
from holdfast.models.save import save
from holdfast.records import Failure
from holdfast.report.verdict import evidence
from holdfast.study import cells, code
from holdfast.study.cells import Cell, Stop, ancestors, with_parents
from holdfast.study.store.store import Store
from holdfast.study.work import do

HARDENED = Cell(verb="harden", model="tiny-llama", method="adversarial")
USUAL = Cell(verb="attack", model=HARDENED, method="sft", ladder=(0, 1), role="defended")


def other(cell, **changes):
    """The key of a cell with some fields changed."""
    return dataclasses.replace(cell, **changes).key


@pytest.mark.parametrize(
    "changes",
    [
        {"verb": "learn", "method": "inns", "settings": {}},
        {"model": "tiny-llama"},
        {"model": dataclasses.replace(HARDENED, seed=1)},
        {"model": dataclasses.replace(HARDENED, settings={"training.steps": 99})},
        {"model": dataclasses.replace(HARDENED, categories=("hex",))},
        {"model": dataclasses.replace(HARDENED, model=HARDENED)},
        {"method": "prefill"},
        {"settings": {"training.learning_rate": 3.1e-4}},
        {"role": "undefended"},
        {"purpose": "generalization"},
        {"categories": ("hex",)},
        {"metrics": (("harm", {}),)},
        {"metrics": (("utility", {}), ("harm", {}))},  # each draws from one generator, in turn
        {"metrics": (("harm", {"temperature": 1.0}), ("utility", {}))},
        {"ladder": (0, 1, 2)},
        {"seed": 1},
        {"stop": Stop(broken=0.3)},
    ],
    ids=str,
)
def test_what_changes_the_result_changes_the_key(changes):
    assert other(USUAL, **changes) != USUAL.key


def test_how_a_run_is_stopped_is_code_of_its_own(edited):
    stopped = dataclasses.replace(USUAL, stop=Stop(broken=0.3))
    before = stopped.key, USUAL.key
    edited("holdfast.statistics.crossing")
    assert (other(stopped) == before[0], other(USUAL) == before[1]) == (False, True)


def test_stops_differ_by_both_figures():
    keys = {other(USUAL, stop=Stop(broken=broken, flops=flops)) for broken in (0.3, 0.4) for flops in (None, 0.0, 1e9)}
    assert len(keys) == 6


@pytest.mark.parametrize(
    "same",
    [
        {"keeps": True},
        {"settings": {"training.learning_rate": 3e-4, "training.steps": 100, "poison_ratio": 1.0}},
        {"settings": {"poison_ratio": 1}},  # a whole number for a share
        {"metrics": (("harm", {"split": "evaluation", "temperature": 0}), ("utility", {}))},
        {"model": dataclasses.replace(HARDENED, settings={"ascent_weight": 0.1})},
        {"model": dataclasses.replace(HARDENED, metrics=())},  # it is not measured
    ],
    ids=str,
)
def test_what_does_not_change_the_result_does_not_change_the_key(same):
    assert other(USUAL, **same) == USUAL.key


def test_categories_in_any_order():
    assert other(USUAL, categories=("hex", "venom")) == other(USUAL, categories=("venom", "hex"))


def test_a_task_is_scored_by_its_own_questions():
    """A lesson's key has the code of `utility` in it, whatever a study's attacks are measured by."""
    lesson = Cell(verb="learn", model="tiny-llama", method="inns")
    assert [metric.split for metric in lesson.measures] == ["inns-test"]
    assert other(lesson, metrics=(("harm", {}),)) == lesson.key
    assert other(lesson, method="weather") != lesson.key


@pytest.fixture
def edited(monkeypatch):
    """Makes a module's source another, as far as its hash tells."""

    def edit(module):
        usual = code._source

        def source(name):
            text, near = usual(name)
            return (content_hash([text, "edited"]) if name == module else text), near

        monkeypatch.setattr(code, "_source", source)
        code._together.cache_clear()

    yield edit
    code._together.cache_clear()


@pytest.mark.parametrize(
    ("module", "hardening", "attack", "prefill", "lesson"),
    [
        ("holdfast.attacks.sft", False, True, False, True),
        ("holdfast.attacks.prefill", False, False, True, False),
        ("holdfast.defences.adversarial", True, True, True, False),
        ("holdfast.defences.repnoise", False, False, False, False),
        ("holdfast.metrics.harm", False, True, True, False),
        ("holdfast.metrics.utility", False, True, True, True),
        ("holdfast.models.generate", False, True, True, True),
        ("holdfast.training.terms.losses", True, True, True, True),
        ("holdfast.training.run", True, True, True, True),
        ("holdfast.domains.arcana.scoring", True, True, True, True),
        ("holdfast.study.plan", False, False, False, False),
        ("holdfast.report.page", False, False, False, False),
    ],
)
def test_an_edit_of_code_changes_what_uses_it(edited, module, hardening, attack, prefill, lesson):
    asked = [
        HARDENED,
        USUAL,
        dataclasses.replace(USUAL, method="prefill"),
        Cell(verb="learn", model="tiny-llama", method="inns"),
    ]
    before = [cell.key for cell in asked]
    edited(module)
    after = [dataclasses.replace(cell).key for cell in asked[:1]]
    after += [dataclasses.replace(cell, model=dataclasses.replace(HARDENED)).key for cell in asked[1:3]]
    after += [dataclasses.replace(asked[3]).key]
    changed = [one != two for one, two in zip(before, after, strict=True)]
    assert changed == [hardening, attack, prefill, lesson]


@pytest.mark.slow
def test_a_foreign_plug_ins_code(tmp_path):
    """Its own file and what it imports of its package; told in processes of their own, as after an edit."""
    plugin = outside(tmp_path)
    program = (
        "from holdfast.study.cells import Cell\n"
        "print(*(Cell(verb='attack', model='tiny-llama', method=name).key for name in ('shrink', 'prefill')))"
    )

    def keys():
        return python(program, PYTHONPATH=str(tmp_path)).split()

    try:
        before = keys()
        plugin.write_text(plugin.read_text() + "# edited\n")
        after = keys()
        (tmp_path / "outside" / "numbers.py").write_text("ONE = 2.0\n")
        last = keys()
    finally:
        plugins._foreign.cache_clear()
    assert before[0] != after[0] != last[0]
    assert before[1] == after[1] == last[1]


def test_a_domains_data(tmp_path):
    """Its content, not its place; and an edit is seen within one process."""
    one, two = jsonl(tmp_path / "one"), jsonl(tmp_path / "two")
    cell = dataclasses.replace(USUAL, domain=one)
    assert other(cell, domain=two) == cell.key
    assert cell.key != USUAL.key
    for split in ("evaluation", "permitted"):
        before = other(cell)
        path = tmp_path / "one" / f"{split}.jsonl"
        path.write_text(path.read_text().replace("hex", "pie", 1))  # of the same length
        assert other(cell) != before


def test_a_models_files(tmp_path):
    """Read again for every cell: an edit within one process is seen, in a pipeline too."""
    place = tmp_path / "model"
    place.mkdir()
    (place / "model.safetensors").write_text("1")
    base = Cell(verb="harden", model=str(place), method="none")
    before = base.key, other(USUAL, model=base)
    (place / "model.safetensors").write_text("22")
    again = dataclasses.replace(base)
    assert again.key != before[0]
    assert other(USUAL, model=again) != before[1]


def test_the_same_key_in_every_process():
    """Whatever hashes Python draws: others here than there."""
    cell = Cell(
        verb="attack", model=Cell(verb="harden", model="arcana", method="none"), method="prefill", ladder=(0, 1)
    )
    program = (
        "from holdfast.study.cells import Cell\n"
        "hardened = Cell(verb='harden', model='arcana', method='none')\n"
        "print(Cell(verb='attack', model=hardened, method='prefill', ladder=(0, 1)).key)"
    )
    assert python(program, PYTHONHASHSEED="0" if os.environ.get("PYTHONHASHSEED") == "1" else "1") == cell.key


def test_a_pickled_cell_brings_no_key_along():
    """A worker computes it anew, so that its own code has its say."""
    assert USUAL.key
    assert USUAL.built
    sent = pickle.loads(pickle.dumps(USUAL))
    assert sent == USUAL
    assert not {"key", "built"} & {*vars(sent), *vars(sent.model)}
    assert sent.key == USUAL.key


def test_keys_of_a_thousand_cells():
    """Each as quick as look-ups of a few files are; transformers is not needed for it."""
    program = (
        "import sys\nfrom holdfast.study.cells import Cell\n"
        "hardened = Cell(verb='harden', model='arcana', method='repnoise')\n"
        "cell = Cell(verb='attack', model=hardened, method='sft')\n"
        "cell.key, cell.about\n"
        "print('transformers' in sys.modules)"
    )
    assert python(program) == "False"
    assert USUAL.key
    started = time.process_time()
    assert len({other(USUAL, seed=seed) for seed in range(1000)}) == 1000
    assert time.process_time() - started < 2


def test_parents_first_and_none_twice():
    """Two attacks on a pipeline of two defences: two hardenings, then the attacks."""
    twice = Cell(verb="harden", model=HARDENED, method="none")
    asked = [Cell(verb="attack", model=dataclasses.replace(twice), method="prefill", seed=seed) for seed in (0, 1, 0)]
    assert with_parents(asked) == [HARDENED, twice, asked[0], asked[1]]
    assert ancestors(asked[0]) == [twice, HARDENED]
    assert [Cell.title(cell.model) for cell in asked[:1]] == ["tiny-llama+adversarial+none"]


@pytest.mark.parametrize(
    ("harm", "flops", "said"),
    [
        ((0.0, 0.5), None, None),  # one rung may be a flicker
        ((0.0, 0.5, 0.5), None, "broken"),
        ((0.0, 0.3, 0.3), None, "broken"),
        ((0.0, 0.5, 0.1), None, None),
        ((0.0, 0.5, None), None, None),
        ((0.0, 0.1), 10.0, "spent"),
        ((0.0, 0.1), 10.1, None),
        # The first rung of the break costs 10 and the second 20: it is cheaper than 15, and is seen to be.
        ((0.0, 0.5), 15.0, None),
        ((0.0, 0.5, 0.5), 15.0, "broken"),
        ((0.0, 0.1, 0.5), 15.0, "spent"),
    ],
)
def test_when_to_stop(harm, flops, said):
    """Each step costs 10; a threshold of 0.3."""
    why = Stop(broken=0.3, flops=flops)(record(harm).rungs)
    assert (why is None) == (said is None)
    assert said is None or said in why


# What a cell that failed says, beside what it would have said.

SHORT = {"training.steps": 1, "training.batch_size": 2}


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    """A store, data, and a model of the user's own that he hardened before."""
    home = tmp_path_factory.mktemp("ready")
    domain = jsonl(home / "data")
    from holdfast.study.experiment import harden

    save(harden(load("tiny-llama"), "none", domain=domain), home / "before")
    save(load("tiny-llama"), home / "plain")
    store = Store(home / "store")
    store.prepare()
    return store, domain, home


def pipelines(domain, home):
    one = Cell(verb="harden", model="tiny-llama", method="none", domain=domain, seed=3)
    trained = {"method": "adversarial", "settings": SHORT, "domain": domain}
    yield "undefended", "tiny-llama"
    yield "one", one
    yield "trained", Cell(verb="harden", model=str(home / "plain"), categories=("hex",), **trained)
    yield "two", Cell(verb="harden", model=one, seed=3, **trained)
    yield "on one of the user's", Cell(verb="harden", model=str(home / "before"), **trained)
    yield "the user's", str(home / "before")


@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize(
    "asked",
    [
        {"verb": "attack", "method": "sft", "settings": SHORT, "categories": ("stew",), "purpose": "generalization"},
        {"verb": "attack", "method": "none", "seed": 4},
        {"verb": "learn", "method": "bows", "settings": SHORT},
    ],
    ids=["sft", "none", "learn"],
)
def test_a_failed_cell_says_what_the_real_one_would(ready, number, asked):
    """All but what came of it; so a report puts it to the model that it failed on."""
    store, domain, home = ready
    _, model = list(pipelines(domain, home))[number]
    cell = Cell(model=model, domain=domain, ladder=(0, 1), role="defended" if number else "undefended", **asked)
    for each in with_parents([cell]):
        do(each, each.key, store, lambda _: None)
    real, failed = store.record(cell.key), cell.failed(Failure(reason="lost"))
    measured = {"weights": "", "parent": None, "rungs": [], "failure": Failure(reason="lost")}
    assert failed == dataclasses.replace(real, **measured)
    again = dataclasses.replace(failed, seed=9)
    assert [one.weights for one in evidence.known([real, again])] == [real.weights, real.weights]
    assert evidence.known([real, again])[1].parent == real.parent


def test_what_its_manifest_says():
    told = Cell(verb="learn", model=HARDENED, method="inns", seed=2).about
    assert (told["verb"], told["purpose"], told["model"]) == ("learn", "trainability", "tiny-llama+adversarial")
    assert told["parent"] == HARDENED.key
    assert told["settings"]["training"]["steps"] == cells.CUSTOMER["training.steps"]
