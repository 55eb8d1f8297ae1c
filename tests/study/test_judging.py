"""Judges beside a domain: in the order in which they are named, with the settings that are theirs."""

import json

import pytest
from cells_made import jsonl

import holdfast
from holdfast.domains.arcana import Arcana
from holdfast.errors import ConfigError, UnknownName
from holdfast.records import Record
from holdfast.study.audit import planned
from holdfast.study.cells import Cell
from holdfast.study.design import Study
from holdfast.study.judging import judging
from holdfast.study.named import open_domain
from holdfast.study.origin import world
from small import FakeDomain


def test_none_named_is_the_domain_as_it_is():
    assert judging("arcana", [], {"training.steps": 3}) == ("arcana", {"training.steps": 3})


def test_the_first_named_decides():
    """The order stays through the text that a domain is, a study, and a record on disk."""
    for names in (["phrases", "exact", "own"], ["own", "phrases+exact"]):
        domain, left = judging("arcana", names, {"exact.match": "equals", "training.steps": 3})
        expected = "+".join(names).split("+")
        assert left == {"training.steps": 3}
        assert list(open_domain(domain).judges) == expected
        assert open_domain(domain).judges["exact"] == {"match": "equals"}
        told = Study(domain={"name": "arcana", "set": {"judges": open_domain(domain).judges}})
        assert list(open_domain(told.domain).judges) == expected
        assert list(world(open_domain(domain)).judges) == expected


def test_another_order_is_another_cell():
    one, other = (
        Cell(verb="attack", model="arcana", method="sft", domain=judging("arcana", names, {})[0])
        for names in (["own", "phrases"], ["phrases", "own"])
    )
    assert one.key != other.key


def test_what_a_domain_has_set_of_a_judge_stays(tmp_path):
    place = jsonl(tmp_path / "data")
    domain = f'{place}:judges={{"exact":{{"match":"equals"}}}}'
    assert judging(domain, [], {}) == (domain, {})
    both = open_domain(judging(domain, ["exact", "phrases"], {})[0]).judges
    assert both == {"exact": {"match": "equals"}, "phrases": {}}
    changed, left = judging(domain, [], {"exact.match": "contains", "x": 1})
    assert (open_domain(changed).judges, left) == ({"exact": {"match": "contains"}}, {"x": 1})
    assert open_domain(judging(domain, ["phrases"], {})[0]).judges == {"phrases": {}}


def test_names_and_settings_are_looked_at_at_once():
    with pytest.raises(UnknownName, match="unknown judge 'clasifier': did you mean 'classifier'"):
        judging("arcana", ["clasifier"], {})
    with pytest.raises(ConfigError, match="Exact has no field 'mach': did you mean 'match'"):
        judging("arcana", ["exact"], {"exact.mach": "equals"})


def test_a_record_has_what_decides_and_no_more(tmp_path):
    told = world(Arcana(judges={"rubric": {"model": "m", "concurrency": 2}, "own": {}})).judges
    assert list(told) == ["rubric", "own"]
    assert {*told["rubric"]} == {"base_url", "model", "request"}
    same = world(Arcana(judges={"rubric": {"model": "m", "concurrency": 9, "timeout": 5}, "own": {}})).judges
    assert told == same


def test_a_classifier_in_a_folder_is_part_of_a_cell(tmp_path):
    """Other files under the same name are another judge."""
    place = tmp_path / "c"
    place.mkdir()
    domain, _ = judging("arcana", ["classifier"], {"classifier.model": str(place)})

    def key() -> str:
        return Cell(verb="attack", model="arcana", method="sft", domain=domain).key

    (place / "config.json").write_text("{}")
    first = key()
    assert key() == first
    (place / "config.json").write_text('{"a": 1}')
    assert key() != first


def test_a_record_keeps_the_order_on_disk(model):
    class Judged(FakeDomain):
        judges = {"phrases": {}, "own": {}}  # noqa: RUF012

    _, record = holdfast.attack(model, "none", domain=Judged())
    again = Record.from_json(json.dumps(record.to_json()))
    assert list(again.domain.judges) == ["phrases", "own"]
    assert {*again.rungs[0].scores} >= {"harm", "harm_own", "agreement_own", "kappa_own", "rank_own"}


def test_an_audit_of_arcana_has_its_oracle_whoever_judges():
    domain, _ = judging("arcana", ["own", "phrases"], {})
    assert planned("arcana", domain=domain).control == "arcana-filtered"
