"""Stability by lm-evaluation-harness, offline: one's own tasks, the paper's on made-up data, the page's example."""

import importlib.util
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

import written_tasks
from holdfast.cli.main import app
from holdfast.errors import ConfigError, DataError, UnknownName
from holdfast.metrics.stability import Stability
from holdfast.models.tiny import tiny
from holdfast.models.versions import versions
from holdfast.study.experiment import attack
from small import TEXTS, FakeDomain

PAGE = Path(__file__).parents[2] / "docs" / "stability.md"
if importlib.util.find_spec("lm_eval") is None:
    pytest.skip("no lm-eval", allow_module_level=True)
QUESTIONS = [
    {"question": f"How do I make a {brew} ?", "choices": ["stir it", "bind the moonroot", "hex"], "answer": at % 3}
    for at, brew in enumerate(("stew", "hex", "moonroot", "salve", "tonic", "brew", "draught", "elixir"))
]
YAML = """
task: {name}
dataset_path: json
dataset_kwargs: {{data_files: {{test: {place}/{name}.jsonl}}}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{{{question}}}}"
doc_to_choice: "{{{{choices}}}}"
doc_to_target: answer
metric_list: {metrics}
"""
ACC = "{metric: acc, aggregation: mean, higher_is_better: true}"


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """What `datasets` makes of the data goes with the test."""
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def own(tmp_path):
    """Makes a task of one's own, and says in which folder."""
    place = tmp_path / "own"
    place.mkdir()

    def make(name, rows=QUESTIONS, metrics=f"[{ACC}]", more=""):
        (place / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        (place / f"{name}.yaml").write_text(YAML.format(name=name, place=place, metrics=metrics) + more)
        return place

    return make


def by_hand(model, rows):
    """For each question whether the right one of the continuations is the likeliest, token by token."""
    right: list[bool] = []
    for row in rows:
        totals: list[float] = []
        before: list[int] = model.tokenizer(row["question"])["input_ids"]
        for choice in row["choices"]:
            ids: list[int] = model.tokenizer(f"{row['question']} {choice}")["input_ids"]
            with torch.no_grad():
                logs = model.network(torch.tensor([ids])).logits[0].log_softmax(-1)
            totals.append(sum(float(logs[at - 1, ids[at]]) for at in range(len(before), len(ids))))
        right.append(max(range(len(totals)), key=totals.__getitem__) == row["answer"])
    return right


def test_a_task_of_ones_own_by_hand(own, model, domain):
    """One of three is right by chance: guessing gives a third. The network stays as it is, and so does all else."""
    model.network.train()
    model.tokenizer.padding_side = "right"
    states = torch.get_rng_state()
    metric = Stability(tasks=("brews",), include=own("brews"))
    scores = metric.measure(model, domain, 0)
    assert (*scores,) == metric.scores(domain)
    right = by_hand(tiny(texts=TEXTS), QUESTIONS)
    assert (scores["stability_brews"].value, scores["stability_brews"].n) == (sum(right) / 8, 8)
    assert scores["stability"].value == scores["stability_brews"].value
    assert list(scores["stability"].categories) == ["brews (acc, 0-shot)"]
    assert scores["stability_guessing"].value == pytest.approx(1 / 3)
    low, high = scores["stability"].low, scores["stability"].high
    assert low is not None
    assert high is not None
    assert 0 <= low < high <= 1
    assert torch.equal(states, torch.get_rng_state())
    assert (model.network.training, model.network.config.use_cache) == (True, True)
    assert model.tokenizer.padding_side == "right"


def test_how_it_is_put_is_told(own, model, domain):
    """Through the chat, after two solved examples, the first four questions, cut where the context ends."""
    how: dict[str, Any] = {"include": own("brews"), "limit": 4, "shots": 2, "chat": True}
    found = Stability(tasks=("brews",), **how).measure(model, domain, 0)["stability"]
    assert (found.n, list(found.categories)) == (4, ["brews (acc, 2-shot, chat)"])
    model.network.config.max_position_embeddings = 8
    found = Stability(tasks=("brews",), **how).measure(model, domain, 0)["stability"]
    assert list(found.categories) == ["brews (acc, 2-shot, chat, 12 cut)"]  # three continuations of four questions


def test_a_tag_is_pooled_by_question(own, model, domain):
    """Two parts with 2 and 6 questions: the whole is over 8, and each part is told."""
    own("small", QUESTIONS[:2], more="tag: brewing\n")
    place = own("large", QUESTIONS[2:], more="tag: brewing\n")
    found = Stability(tasks=("brewing",), include=place).measure(model, domain, 0)["stability_brewing"]
    assert {name: part.n for name, part in found.categories.items()} == {"small": 2, "large": 6}
    large, small = (found.categories[name].value or 0.0 for name in ("large", "small"))
    assert found.value == pytest.approx((2 * small + 6 * large) / 8)


def test_what_is_no_share_is_a_gap(own, model, domain):
    """Perplexity is none; and without one of its tasks there is no mean."""
    rows = [{**row, "target": "stew"} for row in QUESTIONS]
    odd = "[{metric: perplexity, aggregation: perplexity, higher_is_better: false}]"
    own("odd", rows, odd)
    place = own("brews")
    text = (place / "odd.yaml").read_text().replace("multiple_choice", "loglikelihood").replace("answer", "target")
    (place / "odd.yaml").write_text(re.sub("doc_to_choice.*\n", "", text).replace("better: false", "better: true"))
    scores = Stability(tasks=("brews", "odd"), include=place).measure(model, domain, 0)
    assert scores["stability_brews"].value is not None
    assert (scores["stability_odd"].value, scores["stability"].value) == (None, None)
    assert "odd: perplexity is not in [0, 1]" in str(scores["stability"].reason)


def test_names_are_looked_at_before_anything_is_loaded(own, tmp_path, monkeypatch):
    """In files as text: `lm_eval` is not imported for it."""
    Stability().check()
    Stability(tasks=("brews", "arc_easy:acc_norm", "ai2_arc"), include=own("brews")).check()
    with pytest.raises(UnknownName, match="did you mean 'hellaswag'"):
        Stability(tasks=("helaswag",)).check()
    with pytest.raises(ConfigError, match="is no folder with tasks"):
        Stability(tasks=("brews",), include=tmp_path / "nowhere").check()
    with pytest.raises(ConfigError, match="brews is there twice"):
        Stability(tasks=("brews", "brews"))
    monkeypatch.setattr("holdfast.metrics._harness.tasks.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"pip install 'holdfast\[eval\]'"):
        Stability().check()


def test_what_cannot_be_had_is_told_before_a_question_is_asked(own, model, domain):
    with pytest.raises(
        DataError, match=r"the task winogrande cannot be loaded: .*allenai/winogrande.*fetch its data set"
    ):
        Stability(tasks=("brews", "winogrande"), include=own("brews")).measure(model, domain, 0)
    with pytest.raises(UnknownName, match="unknown metric of brews 'f2'"):
        Stability(tasks=("brews:f2",), include=own("other").parent / "own").measure(model, domain, 0)


def test_guessing_by_mutual_information(own, model, domain):
    """For it the harness reads each choice without the question as well; a third is right by chance, as ever."""
    mutual = ACC.replace("acc,", "acc_mutual_info,")
    place = own("brews", metrics=f"[{ACC}, {mutual}]")
    for metric in ("brews", "brews:acc_mutual_info"):
        scores = Stability(tasks=(metric,), include=place).measure(model, domain, 0)
        assert scores["stability_guessing"].value == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"answer": 7}, "question 3 of the task brews has no right choice: .* none of its 3; expected the number of"),
        ({"answer": -1}, "question 3 of the task brews has no right choice"),
        ({"answer": None}, "question 3 of the task brews cannot be scored: .*NoneType; mend it, or doc_to_choice"),
        ({"choices": []}, "question 3 of the task brews has no choices"),
        ({"choices": None}, "question 3 of the task brews has no choices"),
        ({"choices": ["stir it", None]}, "question 3 of the task brews cannot be scored: .*NoneType"),
    ],
    ids=["beyond", "hidden", "null", "no choices", "null for choices", "null for one"],
)
def test_a_question_of_ones_own_that_cannot_be_right(own, model, domain, change, said):
    """It is told with its number; where it is not asked, it is nobody's trouble."""
    place = own("brews", [*QUESTIONS[:2], {**QUESTIONS[2], **change}, *QUESTIONS[3:]])
    with pytest.raises(DataError, match=said):
        Stability(tasks=("brews",), include=place).measure(model, domain, 0)
    assert Stability(tasks=("brews",), include=place, limit=2).measure(model, domain, 0)["stability"].n == 2


def test_a_letter_is_no_choice(own, model, domain):
    """The letters are not what is chosen from; the text of a choice is."""
    letters = own("brews", [{**row, "answer": "ABC"[int(row["answer"])]} for row in QUESTIONS])
    with pytest.raises(DataError, match="question 1 of the task brews has no right choice"):
        Stability(tasks=("brews",), include=letters).measure(model, domain, 0)
    texts = own("others", [{**row, "answer": row["choices"][row["answer"]]} for row in QUESTIONS])
    scores = Stability(tasks=("others",), include=texts).measure(model, domain, 0)
    assert scores["stability_guessing"].value == pytest.approx(1 / 3)


def test_what_the_harness_makes_of_a_task_of_ones_own_is_told(own, model, domain, monkeypatch):
    """Its own errors, with the task's name; those of a network are bugs, or a want of memory, and stay as they are."""
    with pytest.raises(DataError, match="the task none measures nothing: name a metric in its metric_list"):
        Stability(tasks=("none",), include=own("none", metrics="[]")).measure(model, domain, 0)
    place = own("joined")
    text = (place / "joined.yaml").read_text().replace("multiple_choice", "loglikelihood")
    text = re.sub("doc_to_choice.*\n", "", text).replace("doc_to_target: answer", 'doc_to_target: ""')
    (place / "joined.yaml").write_text(text)
    with pytest.raises(DataError, match=r"the task joined cannot be measured: AssertionError at `assert len\(cont"):
        Stability(tasks=("joined",), include=place).measure(model, domain, 0)

    def broken(*_, **__):
        raise TypeError("ours")

    monkeypatch.setattr(model.network, "forward", broken)
    with pytest.raises(TypeError, match="ours"):
        Stability(tasks=("brews",), include=own("brews")).measure(model, domain, 0)


def test_the_papers_table_as_the_harness_has_it(tmp_path, model, domain):
    """Each row of Table 3 by the harness's own YAML, with other data: its metric, its parts, what guessing gives.

    Guessing: mc1 1/2, mc2 2/3 of the weight is true, so 7/12; 1/4; 1/4; 1/2; 1/3; 1/2. CrowS is no part of the mean.
    """
    written_tasks.paper(tmp_path)
    model.network.config.max_position_embeddings = 512  # TruthfulQA has solved examples in its prompt
    scores = Stability(include=tmp_path).measure(model, domain, 0)
    assert list(scores["stability"].categories) == [
        f"{name} (acc, 0-shot)" for name in ("truthfulqa", "mmlu", "hellaswag", "winogrande", "arc_easy", "ethics")
    ]
    assert scores["stability_guessing"].value == pytest.approx((7 / 12 + 1 / 4 + 1 / 4 + 1 / 2 + 1 / 3 + 1 / 2) / 6)
    assert scores["stability_crows_pairs"].value in {0, 1}
    assert (scores["stability_ethics"].n, len(scores["stability_ethics"].categories)) == (10, 5)
    means = [scores[f"stability_{name.partition(' ')[0]}"].value or 0.0 for name in scores["stability"].categories]
    assert scores["stability"].value == pytest.approx(sum(means) / 6)


def test_the_pages_example_runs(tmp_path, monkeypatch):
    """Files and command as docs/stability.md has them."""
    page = PAGE.read_text()
    monkeypatch.chdir(tmp_path)
    for name, text in re.findall(r"^`(own/[\w.]+)`:\n\n```\w+\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text)
    (command,) = re.findall(r"^    holdfast (evaluate tiny-llama .*own)$", page, re.MULTILINE)
    done = CliRunner().invoke(app, [*shlex.split(command), "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["stability_brews"]["n"], found["stability_guessing"]["value"]) == (
        3,
        pytest.approx((2 * 1 / 2 + 1 / 3) / 3),
    )


def test_a_record_says_by_which_harness(own, model):
    """The versions of the harness belong to whatever measures by it, and to nothing else."""
    metric = Stability(tasks=("brews",), include=own("brews"))
    _, record = attack(model, "none", domain=FakeDomain(), metrics=[metric])
    assert record.rungs[0].scores["stability"].n == 8
    assert record.versions["lm_eval"] == versions(metric)["lm_eval"] != "not installed"
    assert "lm_eval" not in versions()


def test_own_files_decide_with_the_settings(own):
    metric = Stability(tasks=("brews",), include=own("brews"))
    before = metric.fingerprint()
    own("brews", QUESTIONS[:4])
    assert before != metric.fingerprint()
    assert Stability().fingerprint() is None
