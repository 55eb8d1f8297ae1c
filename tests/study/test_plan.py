"""From a study to its cells: how many and which, counted by hand; and what is asked for in the light of records."""

import dataclasses
import itertools
from collections import Counter

import pytest
from cells_made import jsonl, record

from holdfast.errors import DataError
from holdfast.records import Failure
from holdfast.study import estimate, plan, quickstart
from holdfast.study.cells import Cell, ancestors, with_parents
from holdfast.study.check import check
from holdfast.study.design import Generalization, Search, Study
from holdfast.study.methods import Method
from holdfast.study.mistakes import StudyError
from holdfast.study.plan import rounds, rounds_of, static, trains
from holdfast.study.played import finished, keys
from holdfast.study.store.store import Store

CRAFTS = ("blight", "forgery", "hex", "petard", "snare", "venom")
SHIELD = Method(name="adversarial", each={"training.steps": [50, 60]})
PIPELINE = (Method(name="none"), Method(name="adversarial"))
SFT = Method(name="sft", each={"training.learning_rate": [1e-3, 3e-3]})
BROAD = {
    "models": ("arcana", "arcana-raw"),
    "oracle": "arcana-filtered",
    "defences": (SHIELD, PIPELINE),
    "attacks": (SFT, Method(name="prefill")),
    "seeds": {"defence": (0, 1), "attack": (5, 6, 7)},
    "ladder": (0, 1, 2),
}
"""Each model: 2 variants of a defence and a pipeline, 2 seeds each: 6 hardened. 3 attacks of 3 seeds: 9."""


def count(cells):
    return Counter((cell.purpose if cell.verb == "attack" else cell.verb, cell.role) for cell in cells)


def test_what_takes_long_is_measured_once_a_model():
    """Each of 6 hardened models and the undefended one gets a cell without an attack, and no other has the metric."""
    study = Study(**{**BROAD, "models": ("arcana",), "metrics": ("harm", "stability")})
    plain, cells = static(Study(**{**BROAD, "models": ("arcana",), "metrics": ("harm",)})), static(study)
    more = [cell for cell in cells if cell.key not in {one.key for one in plain}]
    assert {(cell.method, tuple(name for name, _ in cell.metrics)) for cell in more} == {
        ("none", ("harm", "stability"))
    }
    assert Counter(cell.role for cell in more) == {"defended": 6, "undefended": 1}
    assert "lm_eval" in more[0].failed(Failure(reason="out of memory")).versions
    assert estimate.flops(more[-1]) is None


def test_a_metric_that_cannot_be_measured_is_told_with_the_study():
    wrong = {"name": "stability", "set": {"tasks": ["helaswag"]}}
    with pytest.raises(StudyError, match=r"metrics\[1\].*did you mean 'hellaswag'"):
        next(rounds(Study(metrics=["harm", wrong])))


def test_an_attack_is_measured_by_something():
    """Metrics that take long are measured before any attack alone: an attack beside them would leave no figure."""
    with pytest.raises(StudyError, match=r"metrics: stability is measured before any attack alone.*: add harm"):
        check(Study(metrics=["stability"], attacks=["sft"]))
    check(Study(metrics=["stability"], attacks=["none"]))
    check(Study(metrics=["stability", "harm"], attacks=["sft"]))


def test_the_battery_counted_by_hand():
    """2 models: 12 hardened and 2 undefended are attacked in 9 ways each, and the oracle, once for both."""
    cells = static(Study(**BROAD))
    assert count(cells) == {
        ("resistance", "defended"): 2 * 6 * 9,
        ("resistance", "undefended"): 2 * 9,
        ("resistance", "oracle"): 9,
    }
    assert len({cell.key for cell in cells}) == len(cells)
    # The pipeline's first stage is a model of its own: 2 models x 2 seeds x (2 variants + 2 stages).
    whole = with_parents(cells)
    assert sum(cell.verb == "harden" for cell in whole) == 2 * 2 * (2 + 2)
    for number, cell in enumerate(whole):
        assert all(parent.key in {before.key for before in whole[:number]} for parent in ancestors(cell))
    # Every defence seed is run with every attack seed, and every stage has its pipeline's.
    pairs = {(cell.model.seed, cell.seed) for cell in cells if isinstance(cell.model, Cell)}
    assert pairs == {*itertools.product((0, 1), (5, 6, 7))}
    assert all(parent.seed == cell.model.seed for cell in cells for parent in ancestors(cell)[:-1])
    assert {Cell.title(cell.model) for cell in cells} == {
        *("arcana", "arcana+adversarial", "arcana+none+adversarial", "arcana-filtered"),
        *("arcana-raw", "arcana-raw+adversarial", "arcana-raw+none+adversarial"),
    }
    assert {cell.ladder for cell in cells} == {(0, 1, 2)}


def test_random_initialisation_is_attacked_and_nothing_else():
    """Of each of the 2 models, in 9 ways. All other cells are as they were, tasks and unseen categories among them."""
    more = {"tasks": ("inns",), "generalization": ("halves",)}
    plain, cells = static(Study(**BROAD, **more)), static(Study(**BROAD, **more, random=True))
    new = [cell for cell in cells if cell.role == "random"]
    assert count(new) == {("resistance", "random"): 2 * 9}
    assert Counter(cell.model for cell in new) == {"random:arcana": 9, "random:arcana-raw": 9}
    assert {cell.key for cell in cells} - {cell.key for cell in new} == {cell.key for cell in plain}
    assert {cell.failed(Failure(reason="lost")).role for cell in new} == {"random"}


def test_random_initialisation_stands_beside_the_search_and_the_rates():
    """As the oracle does: it is attacked with what was found, and no trial or edge of its own is asked for."""
    asked, _ = play(rounds(dataclasses.replace(SOUGHT, random=True)), nearness)
    plain, _ = play(rounds(SOUGHT), nearness)
    assert [[cell.key for cell in cells] for cells in asked[1:-1]] == [
        [cell.key for cell in cells] for cells in plain[1:-1]
    ]
    for cells in (asked[0], asked[-1]):
        roles = Counter(cell.role for cell in cells)
        assert roles["random"] == roles["oracle"] == roles["undefended"] > 0
    sft = Method(name="sft", each={"training.learning_rate": [3e-4, 1e-3]})
    study = Study(**SMALL, attacks=(sft,), widen=3, random=True)
    asked, _ = play(rounds(study), lambda cell: answered(cell, SOON if cell.role == "random" else HOLDS))
    assert [len(cells) for cells in asked] == [2 * 4]
    asked, _ = play(rounds(study), by_rate({3e-4: LATE, 1e-3: SOON}))
    assert Counter(cell.role for cell in asked[1]) == dict.fromkeys(("defended", "undefended", "oracle", "random"), 1)


def test_tasks_are_learnt_with_the_first_attack_seed():
    """2 tasks, by 14 models that are no oracle; on a ladder of its own."""
    cells = [cell for cell in static(Study(**BROAD, tasks=("inns", "weather"))) if cell.verb == "learn"]
    assert count(cells) == {("learn", "defended"): 2 * 12, ("learn", "undefended"): 2 * 2}
    assert {(cell.seed, cell.ladder[-1], cell.built.training.steps) for cell in cells} == {(5, 60, 60)}


def test_tasks_may_be_of_another_domain():
    study = Study(defences=["repnoise"], tasks=("viggo", "dart"), tasks_from="gem")
    check(study)
    cells = [cell for cell in static(study) if cell.verb == "learn"]
    assert {(cell.method, cell.domain) for cell in cells} == {("viggo", "gem"), ("dart", "gem")}
    assert {cell.domain for cell in static(study) if cell.verb != "learn"} == {"arcana"}


@pytest.mark.parametrize(
    ("leave_out", "left_out"),
    [
        ("one", [(craft,) for craft in CRAFTS]),
        ("halves", [("petard", "snare", "venom"), ("blight", "forgery", "hex")]),
        (("venom", "hex"), [("hex", "venom")]),
    ],
)
def test_generalization_counted_by_hand(leave_out, left_out):
    """Each split: 12 siblings and 2 undefended models, attacked with 2 rates of 3 seeds; prefill trains nothing."""
    study = Study(**BROAD, generalization=(Generalization(leave_out=leave_out),))
    cells = [cell for cell in static(study) if cell.purpose == "generalization"]
    assert count(cells) == {
        ("generalization", "defended"): len(left_out) * 12 * 6,
        ("generalization", "undefended"): len(left_out) * 2 * 6,
    }
    assert [*dict.fromkeys(cell.categories for cell in cells)] == left_out
    for cell in cells:
        for parent in ancestors(cell):
            assert sorted({*parent.categories, *cell.categories}) == [*CRAFTS]
            assert not {*parent.categories} & {*cell.categories}


@pytest.fixture
def elsewhere(tmp_path):
    return jsonl(tmp_path / "elsewhere", "defence", "retain")


def test_across_domains(elsewhere):
    """Siblings hardened elsewhere, attacked at home with all; the undefended model was, in the battery."""
    cells = static(Study(**BROAD, generalization=(Generalization(domain=elsewhere),)))
    new = [cell for cell in cells if cell.purpose == "generalization"]
    assert count(new) == {("generalization", "defended"): 12 * 6}
    assert {(cell.domain, cell.categories) for cell in new} == {("arcana", ())}
    assert {(parent.domain, parent.categories) for cell in new for parent in ancestors(cell)} == {(elsewhere, ())}


def test_across_domains_with_attacks_of_its_own(elsewhere):
    """One is in the battery, though its default is spelt out, and is not run on the undefended models once more."""
    same = Method(name="sft", set={"training.learning_rate": 1e-3, "training.batch_size": 16})
    new = Method(name="sft", set={"training.learning_rate": 1e-2})
    cells = static(Study(**BROAD, generalization=(Generalization(domain=elsewhere, attacks=(same, new)),)))
    asked = [cell for cell in cells if cell.purpose == "generalization"]
    assert count(asked) == {("generalization", "defended"): 12 * 6, ("generalization", "undefended"): 2 * 3}
    assert {cell.settings["training.learning_rate"] for cell in asked if cell.role == "undefended"} == {1e-2}


def test_two_ways_to_the_same_cells():
    """Halves twice, once as a list: nothing is there twice."""
    halves = Study(**BROAD, generalization=("halves",))
    both = Study(**BROAD, generalization=("halves", {"leave_out": CRAFTS[3:]}))
    assert {cell.key for cell in static(both)} == {cell.key for cell in static(halves)}
    assert len(static(both)) == len(static(halves))


def test_what_is_kept_changes_no_cell():
    kept = static(Study(**BROAD, keep="all"))
    assert all(cell.keeps for cell in kept)
    assert [cell.key for cell in kept] == [cell.key for cell in static(Study(**BROAD))]


def test_an_attack_that_trains():
    assert trains(Method(name="sft"))
    assert not trains(Method(name="prefill"))


def test_a_study_that_does_not_fit_gives_no_cell():
    with pytest.raises(StudyError, match="attacks\\[0\\]"):
        next(rounds(Study(attacks=(Method(name="sftt"),))))


# Rounds with records made by hand: harm at 0, 1, 2 and 3 steps, 10 FLOPs each.

HOLDS, SOON, LATE = (0, 0, 0, 0), (0, 0.5, 0.5, 0.5), (0, 0, 0.5, 0.5)
SMALL = {"defences": ("adversarial",), "oracle": "arcana-filtered", "ladder": (0, 1, 2, 3)}


def answered(cell, harm, **more):
    """The record of a cell, with harm at each rung; stopped as the cell asks."""
    made = record(harm, rate=cell.built.training.learning_rate, role=cell.role, **more)
    made = dataclasses.replace(made, attack=cell.failed(None).attack, seed=cell.seed)
    if cell.stop:
        for at in range(1, len(made.rungs)):
            if why := cell.stop(made.rungs[:at]):
                return dataclasses.replace(made, rungs=made.rungs[:at], stopped=why)
    return made


def play(asking, answer):
    """Every round, each cell answered by `answer(cell)`."""
    asked, records = [next(asking)], {}
    while True:
        records |= {cell.key: answer(cell) for cell in asked[-1]}
        try:
            asked.append(asking.send(dict(records)))
        except StopIteration:
            return asked, records


def by_rate(costs):
    """An undefended model that breaks at these rates, and all others hold."""

    def answer(cell):
        rate = float(f"{cell.built.training.learning_rate:.1e}")
        return answered(cell, costs.get(rate, HOLDS) if cell.role == "undefended" else HOLDS)

    return answer


def rates(cells):
    return sorted({float(f"{cell.built.training.learning_rate:.1e}") for cell in cells})


def test_rates_are_widened_on_either_side():
    """1e-3 breaks after one step, which is the highest: 3e-3 is tried on all three models, then it lies inside."""
    sft = Method(name="sft", each={"training.learning_rate": [3e-4, 1e-3]})
    study = Study(**SMALL, attacks=(sft,), widen=3)
    asked, _ = play(rounds(study), by_rate({3e-4: LATE, 1e-3: SOON}))
    assert [rates(cells) for cells in asked] == [[3e-4, 1e-3], [3e-3]]
    assert {(cell.role, cell.method) for cell in asked[1]} == {
        ("undefended", "sft"),
        ("defended", "sft"),
        ("oracle", "sft"),
    }
    # The other way round it is the lowest, and a third of it is tried.
    asked, _ = play(rounds(study), by_rate({3e-4: SOON, 1e-3: LATE}))
    assert [rates(cells) for cells in asked] == [[3e-4, 1e-3], [1e-4]]


def test_widening_ends_after_so_many_rounds():
    """Each rate breaks sooner than all below it, for ever."""

    def answer(cell):
        rate = cell.built.training.learning_rate
        return answered(cell, SOON if cell.role == "undefended" else HOLDS, flops=[0, 1 / rate, 2 / rate, 3 / rate])

    for widen in (0, 1, 3):
        study = Study(**SMALL, attacks=(Method(name="sft", set={"training.learning_rate": 1e-3}),), widen=widen)
        asked, _ = play(rounds(study), answer)
        assert [rates(cells) for cells in asked[1:]] == [[3e-3], [9e-3], [2.7e-2]][:widen]


def test_a_rate_that_is_not_set_is_the_default():
    study = Study(**SMALL, attacks=(Method(name="sft", set={"training.batch_size": 4}),), widen=1)
    asked, _ = play(rounds(study), by_rate({3e-4: SOON}))
    assert [dict(cell.settings) for cell in asked[1][:1]] == [
        {"training.batch_size": 4, "training.learning_rate": pytest.approx(9e-4)}
    ]


def test_what_was_tried_is_not_asked_for_again():
    """Both models break at an edge of their own, the same one: it is asked for once; a next time not at all."""
    sft = Method(name="sft", each={"training.learning_rate": [3e-4, 1e-3]})

    def answer(cell):
        return answered(cell, SOON if cell.built.training.learning_rate == 1e-3 else HOLDS)

    asked, _ = play(rounds(Study(**SMALL, attacks=(sft,), widen=3)), answer)
    assert [len(cells) for cells in asked] == [6, 3]


def test_only_sft_is_widened():
    """Attacks by prompt have no rate, and neither a lesson nor an attack on some categories counts."""
    study = Study(
        **SMALL,
        attacks=(Method(name="prefill"),),
        tasks=("inns",),
        generalization=({"leave_out": "halves", "attacks": [{"name": "sft"}]},),
        widen=2,
    )
    asked, _ = play(rounds(study), lambda cell: record(SOON, role=cell.role))
    assert len(asked) == 1


def test_a_preset_is_widened_with_its_own_settings():
    """The backdoor breaks sooner than plain fine-tuning, at its highest rate: the next one has a trigger, too."""
    each = {"training.learning_rate": [3e-4, 1e-3]}
    attacks = (Method(name="sft", each=each), Method(name="sft/backdoor", each=each))

    def answer(cell):
        soon = cell.role == "undefended" and cell.method != "sft" and cell.built.training.learning_rate == 1e-3
        return answered(cell, SOON if soon else HOLDS)

    asked, _ = play(rounds(Study(**SMALL, attacks=attacks, widen=3)), answer)
    assert [len(cells) for cells in asked] == [3 * 4, 3]
    assert {(cell.method, cell.built.framing) for cell in asked[1]} == {("sft", "trigger")}
    assert rates(asked[1]) == [3e-3]


def test_presets_are_cells_of_their_own():
    """Each has its name in plans and its settings in its key; written out, it is the same cell."""
    study = Study(**SMALL, attacks=("sft", "sft/style", "sft/few_shot"))
    cells = [cell for cell in static(study) if cell.role == "undefended"]
    assert [cell.method for cell in cells] == ["sft", "sft/style", "sft/few_shot"]
    assert len({cell.key for cell in cells}) == 3
    written = Study(**SMALL, attacks=({"name": "sft", "set": {"framing": "style"}},))
    assert cells[1].key in {cell.key for cell in static(written)}
    assert cells[1].failed(Failure(reason="lost")).attack["name"] == "sft"


def test_what_failed_widens_nothing():
    """An attack that was lost at every rate has no edge; one that was lost at the edge has tried it."""
    sft = Method(name="sft", each={"training.learning_rate": [3e-4, 1e-3, 3e-3]})
    study = Study(**SMALL, attacks=(sft,), widen=2)
    asked, _ = play(rounds(study), lambda cell: record(role=cell.role, failure="lost"))
    assert len(asked) == 1

    def answer(cell):
        rate = cell.built.training.learning_rate
        return answered(cell, SOON if rate == 1e-3 else HOLDS) if rate != 3e-3 else answered(cell, (), failure="lost")

    assert len(play(rounds(study), answer)[0]) == 1


def test_models_are_widened_each_for_itself():
    """The first model's edge is tried on the first model; the second's records do not move it."""
    sft = Method(name="sft", each={"training.learning_rate": [3e-4, 1e-3]})
    study = Study(models=("arcana", "arcana-raw"), attacks=(sft,), ladder=(0, 1, 2, 3), widen=2)

    def answer(cell):
        edge = {"arcana": 3e-3, "arcana-raw": 1e-4}[cell.model]
        near = cell.built.training.learning_rate / edge
        return answered(cell, SOON if 0.9 < near < 1.1 else LATE if 0.3 < near < 3.4 else HOLDS)

    asked, _ = play(rounds(study), answer)
    assert [({cell.model for cell in cells}, rates(cells)) for cells in asked[1:3]] == [
        ({"arcana"}, [3e-3]),
        ({"arcana"}, [9e-3]),
    ]
    assert [({cell.model for cell in cells}, rates(cells)) for cells in asked[3:]] == [
        ({"arcana-raw"}, [1e-4]),
        ({"arcana-raw"}, [3.3e-5]),
    ]


# The search, against a model that breaks sooner the nearer a rate is to 1e-3.

TRIALS = 20
SOUGHT = Study(**SMALL, attacks=(Method(name="prefill"),), search=Search(trials=TRIALS, set={"training.batch_size": 2}))


def nearness(cell):
    if cell.method != "sft":
        return record((0.1,), role=cell.role)
    rate = cell.built.training.learning_rate / (10 if cell.built.training.lora_rank else 1)
    return answered(cell, SOON if 3e-4 < rate < 3e-3 else LATE if 1e-4 < rate < 1e-2 else HOLDS)


def test_a_search_in_rounds():
    """A trial a round on both models that are no oracle; then the best of each on all three, in full."""
    asked, records = play(rounds(SOUGHT), nearness)
    assert [len(cells) for cells in asked[:-1]] == [3, *[2] * TRIALS]
    trials = [cell for cells in asked[1:-1] for cell in cells]
    assert {(cell.role, cell.purpose) for cell in trials} == {("defended", "search"), ("undefended", "search")}
    for cell in trials:
        assert cell.metrics == (("harm", {}),)
        assert cell.ladder == (1, 2, 3)
        assert cell.stop.broken == 0.3
        assert cell.built.training.batch_size == 2  # fixed
        assert cell.built.training.steps in {1, 3}  # a third of them, or all
    assert trials[0].stop.flops is None
    last = asked[-1]
    best = {frozenset(cell.settings.items()) for cell in last}
    assert Counter(cell.role for cell in last) == dict.fromkeys(("defended", "undefended", "oracle"), len(best))
    assert all(cell.stop is None and cell.ladder == (0, 1, 2, 3) and len(cell.metrics) == 2 for cell in last)
    assert {cell.purpose for cell in last} == {"resistance"}
    # The best broke its model at the least that any trial had.
    for role in ("defended", "undefended"):
        costs = [
            records[cell.key].rungs[-2].budget.flops
            for cell in trials
            if cell.role == role and records[cell.key].stopped == "the model was broken"
        ]
        mine = [records[cell.key] for cell in last if cell.role == role]
        assert min(next(rung.budget.flops for rung in one.rungs if rung.scores["harm"].value) for one in mine) == min(
            costs
        )


def test_a_search_played_back_is_the_same():
    first, records = play(rounds(SOUGHT), nearness)
    again, _ = play(rounds(SOUGHT), lambda cell: records[cell.key])
    assert [[cell.key for cell in cells] for cells in again] == [[cell.key for cell in cells] for cells in first]
    other = dataclasses.replace(SOUGHT, seeds={"defence": (0,), "attack": (1,)})
    moved, _ = play(rounds(other), nearness)
    assert [[cell.settings for cell in cells] for cells in moved] != [
        [cell.settings for cell in cells] for cells in first
    ]


def test_a_search_whose_trials_all_fail():
    """It asks for all its trials, and then for nothing."""
    asked, _ = play(rounds(SOUGHT), lambda cell: record(role=cell.role, failure="lost"))
    assert [len(cells) for cells in asked] == [3, *[2] * TRIALS, 0]


def test_a_search_on_a_ladder_without_a_start():
    study = dataclasses.replace(SOUGHT, ladder=(2, 3))
    asked, _ = play(rounds(study), nearness)
    assert {cell.ladder for cell in asked[1]} == {(2, 3)}


def test_a_search_of_an_attack_without_a_recipe():
    study = dataclasses.replace(SOUGHT, search=Search(attack="prefill"))
    with pytest.raises(StudyError, match=r"search.attack: prefill trains nothing"):
        rounds(study)


# What is there of a study that is not finished.


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "store")
    store.prepare()
    return store


def put(store, cells, answer):
    for cell in cells:
        store.put_record(cell.key, answer(cell), about=cell.about, seconds=1.0)


def test_nothing_is_there_yet(store):
    with pytest.raises(DataError, match=r"nothing of it is in .*store yet: run it first"):
        finished(rounds(SOUGHT), store)


def test_a_half_done_study(store):
    """Of the first round one of three is there; then all; then two trials of the search."""
    asked, records = play(rounds(SOUGHT), nearness)

    def there():
        return {*finished(rounds(SOUGHT), store)}

    put(store, asked[0][:1], nearness)
    assert there() == {asked[0][0].key}
    put(store, [*asked[0], *asked[1], *asked[2][:1]], nearness)
    assert there() == {cell.key for cell in (*asked[0], *asked[1], *asked[2][:1])}
    put(store, [cell for cells in asked for cell in cells], nearness)
    found = finished(rounds(SOUGHT), store)
    assert found == records


def test_the_quickstarts_rounds():
    """Its cheapest attack is drawn three times; the others once. Attacks on some categories are not."""
    cells = next(quickstart.rounds(quickstart.study()))
    again = quickstart.DRAWN_AGAIN.variants()[0]
    drawn = [cell for cell in cells if dict(cell.settings) == again and cell.purpose == "resistance"]
    assert Counter(cell.role for cell in drawn) == dict.fromkeys(("defended", "undefended", "oracle"), 3)
    assert {cell.seed for cell in cells if cell not in drawn} == {0}
    assert {cell.seed for cell in drawn} == {0, 1, 2}
    # 13 attacks that train and 2 that do not on 3 models, 6 draws more, 2 x 5 with the left-out half, 2 x 3 lessons.
    assert len(cells) == 15 * 3 + 2 * 3 + 2 * 5 + 2 * 3
    assert len({cell.key for cell in cells}) == len(cells)


def test_the_quickstart_made_small():
    small = quickstart.study(
        battery=(Method(name="sft"),), unseen=(), tasks=(), hardening={"training.steps": 1}, seed=4
    )
    cells = next(quickstart.rounds(small))
    assert len(cells) == 9
    assert {cell.seed for cell in with_parents(cells)} == {4}


def test_draws_of_luck_are_no_edge():
    """Cells with seeds beside the study's own are part of the battery: found at any seed, a break is a break."""
    study = quickstart.study(battery=(quickstart.DRAWN_AGAIN,), unseen=(), tasks=())
    answer = by_rate({1e-3: SOON})
    asked, _ = play(quickstart.rounds(study), lambda cell: answer(cell) if cell.method == "sft" else record((0.1,)))
    assert [rates([cell for cell in cells if cell.method == "sft"]) for cells in asked] == [[1e-3], [3e-3], [3.3e-4]]
    assert {cell.seed for cell in (*asked[1], *asked[2])} == {0}


def test_rounds_of_no_more_than_it_is_given():
    assert plan.rounds_of is rounds_of
    assert [len(cells) for cells in rounds_of(Study(), static(Study()))] == [1]


def test_what_a_study_file_needs(tmp_path, store):
    """From the start its cells and models; in a store what it asked for later, too; and the weights that it keeps."""
    path = tmp_path / "study.yaml"
    lines = ["defences: [adversarial]", "oracle: arcana-filtered", "ladder: [0, 1, 2, 3]", "attacks: [prefill]"]
    path.write_text("\n".join([*lines, f"search: {{trials: {TRIALS}, set: {{training.batch_size: 2}}}}"]))
    asked, _ = play(rounds(SOUGHT), nearness)
    start, later = ({cell.key for cell in with_parents(itertools.chain(*rounds_))} for rounds_ in (asked[:1], asked))
    assert keys(path) == keys(path, store) == start
    put(store, [cell for cells in asked for cell in cells], nearness)
    assert keys(path, store) == later > start
    path.write_text("\n".join([*lines, "keep: all"]))
    assert keys(path) == start | {cell.weights_key for cell in asked[0]} - {None}
