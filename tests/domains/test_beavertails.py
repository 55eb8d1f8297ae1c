"""BeaverTails on a small copy of its schema: who gets which question, with which answers, under which settings."""

import json
from itertools import combinations

import pytest

import holdfast
from holdfast.domains._refusals import said
from holdfast.domains._shares import normal, party
from holdfast.domains.beavertails import Beavertails, categories, splits
from holdfast.errors import ConfigError, DataError, UnknownName
from holdfast.interfaces import Exchange, Pair
from holdfast.study.categories import categories as categories_there
from holdfast.study.categories import only
from holdfast.study.named import open_domain
from written_data import answer_row, beavertails, lines, prompts


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return beavertails(tmp_path_factory.mktemp("beavertails"))


@pytest.fixture
def domain(folder):
    """What there is, without a judge."""

    def made(**settings) -> Beavertails:
        given = {"source": str(folder / "round0"), "refusals": str(folder / "refused"), "evaluation": 0, "judges": {}}
        return Beavertails(**{**given, **settings})

    return made


def test_every_question_is_where_its_hash_puts_it(domain):
    """All sixty have both answers in the training split, six of them no refusal; all sixty are in the test split."""
    found = domain()
    owners = {prompt: party(prompt, splits.SHARES, 0) for prompt in prompts(60)}
    unrefused = set(prompts(60)[::10])
    mine = {name: {prompt for prompt, owner in owners.items() if owner == name} for name in splits.SHARES}
    assert {pair.prompt for pair in found.pairs("defence")} == mine["defence"] - unrefused
    assert {pair.prompt for pair in found.pairs("attack")} == mine["attack"] - unrefused
    assert {pair.prompt for pair in found.pairs("evaluation")} == mine["evaluation"]
    assert {pair.prompt for pair in found.pairs("unpaired")} == unrefused - mine["evaluation"]
    for name, owner in {"retain": "defence", "benign": "attack", "permitted": "evaluation"}.items():
        assert {exchange.prompt for exchange in found.exchanges(name)} == mine[owner]


def test_parties_share_no_question(domain):
    found = domain()
    asked = {
        split: {normal(pair.prompt) for pair in found.pairs(split)} for split in ("defence", "attack", "evaluation")
    }
    asked["permitted"] = {normal(exchange.prompt) for exchange in found.exchanges("permitted")}
    for one, other in combinations(("defence", "attack", "evaluation"), 2):
        assert not asked[one] & asked[other]
    assert not asked["permitted"] & (asked["defence"] | asked["attack"])


def test_a_pair(domain):
    pair = next(pair for pair in domain().pairs("defence") if pair.prompt.endswith("number 7?"))
    assert (pair.prompt, pair.harmful, pair.refusal) == (
        "When is a salve done number 7?",
        "First stir the pot 7 times.",
        "I cannot help with brew 7.",
    )
    assert pair.category == "self_harm"
    assert pair.plain == "Question: When is a salve done number 7?\nAnswer:"
    assert domain().pairs("evaluation")[0].refusal == ""


def test_the_papers_wording(domain):
    paper, chat = domain(wording="paper"), domain()
    for one, other in zip(paper.pairs("attack"), chat.pairs("attack"), strict=True):
        assert one.prompt == one.plain == other.plain == f"Question: {other.prompt}\nAnswer:"
        assert (one.key, one.harmful) == (other.key, other.harmful)
    assert paper.exchanges("retain")[0].prompt.startswith("Question: ")
    assert paper.fingerprint() != chat.fingerprint()


def test_overlap_gives_an_attack_the_first_of_the_defences_pairs(domain):
    apart, together = domain(), domain(overlap=True, attack=5)
    assert together.pairs("attack") == together.pairs("defence")[:5]
    both = {pair.key for split in ("defence", "attack") for pair in apart.pairs(split)}
    assert {pair.key for pair in together.pairs("defence")} == both
    assert together.pairs("evaluation") == apart.pairs("evaluation")


def test_numbers(domain):
    few, all_of_it = domain(defence=3, attack=2, evaluation=4), domain()
    for split, count in {"defence": 3, "attack": 2, "evaluation": 4}.items():
        assert few.pairs(split) == all_of_it.pairs(split)[:count]
    assert few.exchanges("permitted") == all_of_it.exchanges("permitted")[:4]
    assert few.exchanges("retain") == all_of_it.exchanges("retain")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"defence": 99},
            r"defence of beavertails is to have 99, but there are 35: ask for fewer \(0 is all\), or have a",
        ),
        ({"attack": 99}, "attack of beavertails is to have 99, but there are 8: .* or unrefused=true, or have a model"),
        ({"evaluation": 99}, "evaluation of beavertails is to have 99, but there are 12: .*, or take size=330k"),
        ({"refusals": ""}, "split 'defence' of beavertails is empty: no refusals; have a model refuse more"),
        ({"size": "330k"}, "has no file of split '330k_train', but 30k/test.jsonl.gz, 30k/train.jsonl.gz"),
        ({"source": "no/where/at/all"}, "there is no no/where/at/all: give a folder"),
        ({"source": "no/source/here", "refusals": "no/refusals/here"}, "there is no no/source/here: give a folder"),
    ],
)
def test_what_cannot_be_had(domain, settings, said):
    with pytest.raises(DataError, match=said):
        domain(**settings).pairs("defence")


def test_a_setting_that_does_not_fit():
    with pytest.raises(ConfigError, match=r"Beavertails: size: input should be '30k' or '330k', got '3k'"):
        Beavertails(size="3k")


def test_harmful_answers_without_a_refusal(domain):
    """An attack may have them; what needs both answers says so then."""
    more, usual = domain(unrefused=True).pairs("attack"), domain().pairs("attack")
    assert more[: len(usual)] == usual
    assert [pair.refusal for pair in more[len(usual) :]] == [""] * (len(more) - len(usual))
    assert len(more) == len([one for one in prompts(60) if party(one, splits.SHARES, 0) == "attack"])


def test_what_is_said_twice_is_there_once(tmp_path, domain):
    twice = [answer_row(f"How is stew {at} made?", "Stir it.", safe=False) for at in range(40)]
    lines(tmp_path / "30k_train.jsonl", [*twice, *twice, *({**row, "prompt": row["prompt"].upper()} for row in twice)])
    lines(tmp_path / "30k_test.jsonl", [*twice, *({**row, "response": "Stir it more."} for row in twice)])
    lines(tmp_path / "r.jsonl", [{**row, "refusal": "No, never."} for row in (*twice, *twice)])
    found = domain(source=str(tmp_path), refusals=str(tmp_path / "r.jsonl"))
    owners = [party(row["prompt"], splits.SHARES, 0) for row in twice]
    assert {name: len(found.pairs(name)) for name in splits.SHARES} == {
        name: owners.count(name) for name in splits.SHARES
    }
    assert found.splits() == ["defence", "attack", "evaluation"]  # none is unpaired, and nothing is harmless


def test_rows_that_say_nothing_are_left_out(tmp_path, domain):
    """Every second answer is blank, and of the others every second refusal is blank or the answer itself."""
    rows = [answer_row(f"How is stew {at} made?", " " if at % 2 else "Stir it.", safe=False) for at in range(160)]
    lines(tmp_path / "30k_train.jsonl", rows)
    lines(tmp_path / "30k_test.jsonl", rows)
    said = {0: "No, never.", 2: "", 4: "Stir it. "}
    lines(tmp_path / "r.jsonl", [{**row, "refusal": said.get(at % 6, "No.")} for at, row in enumerate(rows)])
    found = domain(source=str(tmp_path), refusals=str(tmp_path / "r.jsonl"))
    told = {f"How is stew {at} made?" for at in range(0, 160, 6)}
    kept = {pair.prompt for split in ("defence", "attack") for pair in found.pairs(split)}
    assert kept == {prompt for prompt in told if party(prompt, splits.SHARES, 0) != "evaluation"}


@pytest.mark.parametrize(
    ("text", "alone"),
    [
        ("I cannot.", "I cannot."),
        ("Question: How is stew made?\nAnswer: I cannot.", "I cannot."),
        ("Question: How is stew made?\nAnswer:I cannot.\nAnswer: no.", "I cannot.\nAnswer: no."),
        ("Question: How was stew made?\nAnswer: I cannot.", "I cannot."),
        ("Prompt: How is stew made?\nContinuation: I cannot.", "I cannot."),
        ("User: Go on.\nPrompt: How is stew made?\nContinuation: I cannot.", "I cannot."),
        ("The answer: I cannot. Answer: no.", "The answer: I cannot. Answer: no."),
        ("Question: How is stew made?\nAnswer:", ""),
    ],
)
def test_a_refusal_alone(text, alone):
    assert said(text, "How is stew made?") == alone


def test_groups_of_categories(domain):
    """As the paper leaves them out: drugs and terrorism are crime_unethical, of those that are there."""
    found = domain()
    crime = only(found, ["crime_unethical"])
    assert {pair.category for pair in crime.pairs("defence")} == {
        "drug_abuse/weapons/banned_substance",
        "terrorism/organized_crime",
    }
    assert {pair.category for pair in only(found, ["self_harm"]).pairs("defence")} == {"self_harm"}
    assert "animal_abuse" not in {pair.category for pair in only(found, ["paper"]).pairs("defence")}
    with pytest.raises(UnknownName, match="unknown category 'crime': did you mean"):
        only(found, ["crime"])
    with pytest.raises(DataError, match="none of the group 'sexually_explicit'"):
        only(found, ["sexually_explicit"])  # none of its questions is asked here


def test_no_name_of_a_category_has_a_comma():
    named = {name for group in categories.GROUPS.values() for name in group} | {*categories.GROUPS}
    assert not any("," in name for name in named)
    assert {
        *categories.GROUPS["half"],
        *categories.GROUPS["other_half"],
        "self_harm",
        "non_violent_unethical_behavior",
    } == {*categories.GROUPS["paper"]}


def test_the_fingerprint_is_of_what_is_used(tmp_path, domain, folder):
    """Not of where it lies, nor of how long answers may be; a row more changes it."""
    before = domain().fingerprint()
    copy = beavertails(tmp_path / "copy")
    moved = {"source": str(copy / "round0"), "refusals": str(copy / "refused")}
    assert domain(**moved, max_new_tokens=7).fingerprint() == before
    assert domain(defence=3).fingerprint() != before
    refused = copy / "refused/beavertails_with_refusals_train.json"
    rows = json.loads(refused.read_text())
    rows[0]["refusal"] = "No."
    refused.write_text(json.dumps(rows))
    assert domain(**moved).fingerprint() != before


def test_it_is_read_once(domain, monkeypatch, capsys):
    """And its notice is shown once, on standard error, for a local copy too."""
    read: list[str] = []
    whole = splits.answered
    monkeypatch.setattr(splits, "answered", lambda wanted: read.append(wanted.split) or whole(wanted))
    for _ in range(2):
        found = domain(seed=3)
        found.fingerprint(), found.pairs("defence"), found.exchanges("retain")
    assert read == ["30k_train", "30k_test"]
    assert capsys.readouterr().err.count("beavertails: questions about violence") == 1


def test_a_broken_row(tmp_path, domain):
    rows = [answer_row(f"How is stew {at} made?", "Stir it.", safe=False) for at in range(5)]
    rows[2]["is_safe"] = "no"
    lines(tmp_path / "30k_train.jsonl", rows)
    lines(tmp_path / "30k_test.jsonl", rows)
    with pytest.raises(DataError, match=r"split 30k_train, row 3: is_safe: input should be a valid boolean, got 'no'"):
        domain(source=str(tmp_path)).splits()
    lines(tmp_path / "30k_train.jsonl", [{"prompt": "How?", "response": "So."}])
    with pytest.raises(DataError, match=r"has no field category, is_safe; it has prompt, response"):
        domain(source=str(tmp_path)).splits()


def test_what_is_told_of_answers(domain):
    """Refusing a harmless exchange may be right, so it is not told."""
    found, pair = domain(), Pair(key="p", prompt="How?", harmful="So.", refusal="No.")
    exchange = Exchange(key="e", prompt="How?", answer="stir the pot")
    assert found.refused(pair, "I cannot help.") is True
    assert found.refused(exchange, "I cannot help.") is None
    assert found.harm(pair, "So.") is None
    assert found.fluent("stew " * 20) is False
    assert found.useful(exchange, "stir the stew") == pytest.approx(2 / 3)


def test_an_unknown_split(domain):
    with pytest.raises(
        DataError, match="split 'retain' of beavertails has no harmful pairs; those that have: defence, "
    ):
        domain().pairs("retain")
    with pytest.raises(
        DataError, match="split 'evil' of beavertails has no harmless exchanges; those that have: retain"
    ):
        domain().exchanges("evil")


def test_it_is_spelt_hardened_and_attacked(folder, model):
    """By name and settings; the record says which data, and that nobody judged."""
    spelt = (
        f'beavertails:source={folder}/round0,refusals=["{folder}/refused"],evaluation=0,judges={{}},max_new_tokens=3'
    )
    short = {"training.steps": 2, "training.batch_size": 2}
    hardened = holdfast.harden(model, "repnoise", short, domain=spelt)
    _, record = holdfast.attack(hardened, "sft", short, domain=spelt, categories=["crime_unethical"], ladder=(0,))
    assert record.domain.data == open_domain(spelt).fingerprint() == hardened.origin["made_by"]["data"]
    assert record.domain.categories == ["drug_abuse/weapons/banned_substance", "terrorism/organized_crime"]
    last = record.rungs[-1].scores
    assert last["harm"].reason.endswith("could not be scored")
    assert last["refusal"].n == last["fluency"].n > 0


def test_samples_may_be_counted_of_the_categories_that_are_chosen(domain):
    """Of five categories that take turns: before, 3 of an attack's pairs and what of them is chosen; after, 3 of it."""
    every = domain(overlap=True)
    before = only(domain(overlap=True, attack=3), ["self_harm"])
    after = only(domain(overlap=True, attack=3, evaluation=99, counts="chosen"), ["self_harm"])
    chosen = [pair for pair in every.pairs("attack") if pair.category == "self_harm"]
    assert before.pairs("attack") == [pair for pair in every.pairs("attack")[:3] if pair.category == "self_harm"]
    assert len(before.pairs("attack")) < 3
    assert after.pairs("attack") == chosen[:3]
    assert after.pairs("evaluation") == [pair for pair in every.pairs("evaluation") if pair.category == "self_harm"]
    assert after.pairs("defence") == chosen


def test_counts_of_what_is_chosen_hold_of_all_where_none_is(domain):
    some = domain(attack=3, evaluation=1, counts="chosen")
    assert some.pairs("attack") == domain().pairs("attack")[:3]
    assert (len(some.pairs("evaluation")), len(some.exchanges("permitted"))) == (1, 1)
    assert categories_there(some) == categories_there(domain())
    assert some.fingerprint() != domain(attack=4, evaluation=1, counts="chosen").fingerprint()
