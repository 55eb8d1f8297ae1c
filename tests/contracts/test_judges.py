"""What every judge keeps to. A new one is tested for no lines of its own."""

import copy
import dataclasses
import inspect
import random
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification, BertConfig

from holdfast import plugins
from holdfast.config import build, content_hash, fields, from_dict, to_dict
from holdfast.domains.arcana import Arcana
from holdfast.interfaces import Judge
from holdfast.judges._panel import deciding
from holdfast.models.words import word_tokenizer
from small import PAIRS, TEXTS, FakeDomain

EVERY = plugins.names("judges")
NEEDS: dict[str, dict[str, Any]] = {
    "classifier": {"model": "classifier"},
    "rubric": {"base_url": "http://127.0.0.1:9/v1", "key": ""},
}
"""What a judge needs that is not here: a folder that the test makes, or an endpoint that it stands in for."""
DOMAIN = FakeDomain()
ANSWERS = [PAIRS[0].harmful, PAIRS[1].refusal, "", " \n", "B", "hex hex hex", "\U0001f9ea \u202e", "stew " * 400]

judge = pytest.mark.parametrize("name", EVERY)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A directory with a tiny random classifier."""
    place, tokenizer = str(tmp_path_factory.mktemp("classifier")), word_tokenizer(TEXTS)
    with torch.random.fork_rng():
        settings = BertConfig(
            vocab_size=len(tokenizer), hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
            intermediate_size=8, max_position_embeddings=32, pad_token_id=tokenizer.pad_token_id,
        )  # fmt: skip
        AutoModelForSequenceClassification.from_config(settings).save_pretrained(place)
    tokenizer.save_pretrained(place)
    return place


@pytest.fixture
def ready(name: str, classifier: str, monkeypatch: pytest.MonkeyPatch) -> Judge:
    """The judge with what it needs; an endpoint's replies are made here, and nothing is kept."""
    monkeypatch.setenv("HOLDFAST_CACHE", "off")
    monkeypatch.setattr(
        "holdfast.judges._endpoint.Endpoint.numbers",
        lambda _self, chats, read: (
            (at, type("Got", (), {"number": read("refusal: 0\nconvincing: 4\nspecific: 3"), "why": None}))
            for at in range(len(chats))
        ),
    )
    given = {key: classifier if value == "classifier" else value for key, value in NEEDS.get(name, {}).items()}
    return build(plugins.find("judges", name), given)


@judge
def test_configuration(name: str) -> None:
    """Defaults suffice; JSON there and back keeps the hash; a field is documented; a name is a file's name."""
    cls = plugins.find("judges", name)
    instance = cls()
    assert plugins.name_of(instance) == name
    again = from_dict(cls, to_dict(instance))
    assert again == instance
    assert content_hash(to_dict(again)) == content_hash(to_dict(instance))
    assert {*deciding(instance)} <= {*to_dict(instance)} == {*fields(cls)}
    assert getattr(cls, "ASIDE", set()) <= {*fields(cls)}
    assert not [field for field, info in fields(cls).items() if not info.description]
    with pytest.raises(dataclasses.FrozenInstanceError):
        instance.anything = 1


@judge
def test_the_file_tells_its_source(name: str) -> None:
    cls = plugins.find("judges", name)
    text = inspect.getdoc(inspect.getmodule(cls)) or ""
    assert inspect.getdoc(cls)
    assert plugins.only_class(inspect.getmodule(cls)) is cls
    # The domain's own score has its source there.
    assert name == "own" or [part for part in ("Paper:", "Defaults:", "Divergences:") if part not in text] == []


@judge
def test_one_value_an_answer(name: str, ready: Judge) -> None:
    found = ready.harm(DOMAIN, PAIRS, ANSWERS)
    assert len(found) == len(ANSWERS)
    assert all(value is None or (isinstance(value, float) and 0 <= value <= 1) for value in found)
    # A blank answer does no harm, whoever judges.
    assert found[2] in {0, None}
    assert found[3] in {0, None}
    assert ready.harm(DOMAIN, [], []) == []


@judge
def test_each_answer_is_judged_by_itself(name: str, ready: Judge) -> None:
    """Neither its neighbours nor its place matter."""
    forwards = ready.harm(DOMAIN, PAIRS, ANSWERS)
    backwards = ready.harm(DOMAIN, PAIRS[::-1], ANSWERS[::-1])[::-1]
    alone = [ready.harm(DOMAIN, [pair], [said])[0] for pair, said in zip(PAIRS, ANSWERS, strict=True)]
    for others in (backwards, alone):
        assert others == [value if value is None else pytest.approx(value, abs=1e-5) for value in forwards]


@judge
def test_it_leaves_everything_as_it_was(name: str, ready: Judge) -> None:
    pairs, answers, settings = copy.deepcopy(PAIRS), list(ANSWERS), to_dict(ready)
    random.seed(1), np.random.seed(2), torch.manual_seed(3)
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()
    ready.harm(DOMAIN, pairs, answers)
    assert random.getstate() == states[0]
    assert np.random.get_state()[1].tolist() == states[1]
    assert torch.equal(torch.get_rng_state(), states[2])
    assert (pairs, answers, to_dict(ready)) == (PAIRS, ANSWERS, settings)


@judge
def test_another_domain_is_no_trouble(name: str, ready: Judge) -> None:
    pairs = Arcana().pairs("evaluation")[:3]
    found = ready.harm(Arcana(), pairs, [pair.refusal for pair in pairs])
    assert len(found) == 3


def test_looking_one_up_imports_nothing_heavy() -> None:
    """All of them, one after the other, in a fresh interpreter; each says what has been imported by then."""
    code = """
import sys
from holdfast import plugins

for name in %r:
    plugins.find("judges", name)()
    print(name, *sorted({"torch", "transformers", "openai"} & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", code % EVERY], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == EVERY
