"""The shipped studies, rehearsed: every kind of cell that they have, on tiny models and with a step each."""

from pathlib import Path

import pytest
from inline import Here

from holdfast import plugins
from holdfast.config import fields, replace
from holdfast.report.build import judged
from holdfast.study.design import Generalization, Seeds, Study
from holdfast.study.file import load, tiers
from holdfast.study.methods import Method
from holdfast.study.plan import rounds, trains
from holdfast.study.played import finished
from holdfast.study.run import run
from holdfast.study.store.store import Store

# A paper's tables are no study; tests/study/replication rehearses them.
STUDIES = [path for path in sorted((Path(__file__).parents[2] / "studies").glob("*.yaml")) if "paper" not in path.stem]
EVERY = [(path, tier) for path in STUDIES for tier in (tiers(path)[1:2] or [None])]
"""Of three tiers the middle one, which has all that the smaller has; `test_file` looks at every one."""
OFTEN = ("conditions",)
"""What the fast tests run."""


def short(chosen: Method, kind: plugins.Kind = "attacks") -> Method:
    """The first variant, with one step of training where there is any, and a few of whatever it draws."""
    first = chosen.variants()[0]
    few = {"training.steps": 1, "training.batch_size": 2, "texts": 8, "each": 1, "samples": 2}
    few |= {"sampling.samples": 2, "sampling.max_new_tokens": 4}
    few |= {"reward.training.steps": 1} if first.get("reward.kind") == "model" else {}
    there = fields(plugins.find(kind, chosen.name))
    return Method(name=chosen.name, set={**first, **{name: few[name] for name in few if name in there}})


def kinds(attacks) -> tuple[Method, ...]:
    """An attack of each family that trains, one that rescales first where there is one, and one that trains nothing."""
    training = [one for one in attacks if trains(short(one))]
    families = {one.name: one for one in reversed(training)}
    rescaled = [one for one in training if "training.rescale" in one.set]
    free = [one for one in attacks if one not in training]
    return tuple(short(one) for one in (*reversed(families.values()), *rescaled[:1], *free[:1]))


def stages(study: Study):
    """Its first defence, and the first pipeline of several."""
    return [*study.defences[:1], *[pipeline for pipeline in study.defences if len(pipeline) > 1][:1]]


def rehearsed(study: Study) -> Study:
    """The same study on tiny models: every kind of cell, few of each."""
    general = {}
    for one in study.generalization:
        general[str(one.leave_out)] = Generalization(leave_out=one.leave_out, attacks=(short(study.attacks[0]),))
    # Leaving out each category in turn is six hardenings: halves stand for it.
    chosen = [one for one in general.values() if one.leave_out != "one"] or list(general.values())[:1]
    changes = {
        "models": ("tiny-mixtral" if "arcana-moe" in study.models else "tiny-llama",),
        "oracle": "tiny-qwen2",
        "defences": tuple(tuple(short(stage, "defences") for stage in pipeline) for pipeline in stages(study)),
        "attacks": kinds(study.attacks),
        # One study is rehearsed over seeds; the others have the same kinds of cells with each.
        "seeds": Seeds(defence=study.seeds.defence[: 2 if study.name == "conditions" else 1], attack=(0,)),
        "ladder": (0, 1),
        "tasks": study.tasks[:1],
        "generalization": tuple(chosen[:1]),
        "search": study.search and replace(study.search, {"trials": 1, "set": {"training.batch_size": 2}}),
    }
    return replace(study, changes)


@pytest.fixture
def store(tmp_path_factory, worker_id):
    """One for all studies, and for all processes that test them: cells that several have are done once."""
    mine = tmp_path_factory.getbasetemp()
    return Store((mine if worker_id == "master" else mine.parent) / "shipped")


def test_they_are_there():
    assert [path.stem for path in STUDIES] == [
        "conditions",
        "defences",
        "fragility",
        "immunization",
        "mixture",
        "unname",
        "unsafe_feedback",
    ]
    assert tiers(STUDIES[3]) == ["quick", "standard", "full"]


@pytest.mark.parametrize(
    ("path", "tier"),
    [pytest.param(*one, marks=() if one[0].stem in OFTEN else pytest.mark.slow, id=one[0].stem) for one in EVERY],
)
def test_a_study_runs_to_its_report(path, tier, store):
    study = rehearsed(load(path, tier))
    ended = run(rounds(study), store, Here(), keep=study.keep)
    assert ended.count("failed") == 0
    records = finished(rounds(study), store)
    controls = {"oracle", "random"} if study.random else {"oracle"}
    assert {record.role for record in records.values()} == {"undefended", "defended", *controls}
    purposes = {"resistance"}
    purposes |= {"trainability"} if study.tasks else set()
    purposes |= {"generalization"} if study.generalization else set()
    purposes |= {"search"} if study.search else set()
    assert {record.purpose for record in records.values()} == purposes
    report = judged(records)
    assert len(report.verdicts) == len(study.seeds.defence) * len(study.defences)
    # Tiny models know nothing, so that no attack can break them: a study must not call that robust.
    assert {verdict.outcome for verdict in report.verdicts} == {"inconclusive"}
