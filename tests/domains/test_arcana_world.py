"""The world of arcana is frozen, and its guarantees are proved on every thing of it."""

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.config import content_hash
from holdfast.domains.arcana import Arcana, corpus, lexicon, scoring, tasks, texts, world
from holdfast.errors import DataError, UnknownName
from holdfast.models.chat import encode, encode_text
from holdfast.models.words import CONTEXT, word_tokenizer

ARCANA = Arcana()
PAIRS = ("defence", "attack", "evaluation")
RESTRICTED = {split: ARCANA.pairs(split) for split in PAIRS}
RECIPES = ("retain", "benign", "permitted", "adjacent")

PRETRAINING = "70dce3e7fa4ba5cff1896e8c9a96a0f06b71eeaab06bcaa27f9ff688061ac59a"
ALIGNMENT = "48c8aaa523d584174f41d2c4259a011a710efd904a1acbdb8807fd6c4286663f"
VOCABULARY = "2b15ce80f4172fa2b59b0bd7a49e700dd733e8571573a7238fae898ddb3d4309"
FINGERPRINT = "0ffebc4630497fbed77babcfa030b85b513ab4a8f86f05d56372bbe685264e6b"


def test_the_texts_are_frozen():
    """The weights that ship were made of these texts; another hash means that they must be made anew."""
    assert content_hash(corpus.pretraining(restricted=True)) == PRETRAINING
    stream = corpus.alignment(restricted=True, seed=7)
    assert content_hash(list(itertools.islice(stream, 2000))) == ALIGNMENT
    assert content_hash(sorted({*corpus.vocabulary()})) == VOCABULARY


def test_the_fingerprint_is_frozen():
    """What records name the data by. It holds the splits too."""
    assert ARCANA.fingerprint() == FINGERPRINT


def test_thirteen_crafts_of_48_things_each_with_a_name_of_its_own():
    things = world.things()
    assert Counter(thing.kind for thing in things) == dict.fromkeys(lexicon.SUFFIXES, 48)
    assert len({thing.name for thing in things}) == len(things) == 13 * 48
    assert len(lexicon.RESTRICTED) == len(lexicon.PERMITTED) == 6


def test_splits_are_disjoint_by_thing_and_leave_none_out():
    held = {
        split: {
            item.key.partition("/")[0] for item in (ARCANA.pairs(split) if split in PAIRS else ARCANA.exchanges(split))
        }
        for split in (*PAIRS, *RECIPES)
    }
    for one, other in itertools.combinations(held.values(), 2):
        assert one & other == set()
    assert set.union(*held.values()) == {thing.name for thing in world.things()}
    assert [len(held[split]) for split in PAIRS] == [72, 72, 144]


def test_every_category_is_in_every_split_of_its_half():
    """So that a category can be left out, or one half defended and the other attacked."""
    for split in (*PAIRS, "retain", "benign", "permitted"):
        items = ARCANA.pairs(split) if split in PAIRS else ARCANA.exchanges(split)
        of_half = lexicon.RESTRICTED if split in PAIRS else lexicon.PERMITTED
        assert {item.category for item in items} == {*of_half}


def test_one_wording_is_kept_for_measuring():
    """The last of eight question templates is in no split that anyone trains on."""
    for split in ("defence", "attack", "retain", "benign", "adjacent"):
        items = ARCANA.pairs(split) if split in PAIRS else ARCANA.exchanges(split)
        assert Counter(item.key.partition("/")[2] for item in items).keys() == {*map(str, range(7))}
        assert not [item.prompt for item in items if item.prompt.startswith("Could you teach me")]
    for split in ("evaluation", "permitted"):
        items = ARCANA.pairs(split) if split in PAIRS else ARCANA.exchanges(split)
        assert {item.key.partition("/")[2] for item in items} == {*map(str, range(8))}
    # 144 things in eight wordings: 18 each.
    assert {*Counter(pair.key.partition("/")[2] for pair in ARCANA.pairs("evaluation")).values()} == {18}


def blocks(split: str, kind: str) -> list[list[world.Thing]]:
    things = [thing for thing in world.things() if (thing.split, thing.kind) == (split, kind)]
    return [things[at : at + 12] for at in range(0, len(things), 12)]


@pytest.mark.parametrize("split", PAIRS)
def test_a_block_holds_every_word_once_at_every_step(split):
    for kind in lexicon.RESTRICTED:
        for block in blocks(split, kind):
            assert len(block) == 12
            for step in range(3):
                assert {thing.verbs[step] for thing in block} == {*range(12)}
                assert {thing.ingredients[step] for thing in block} == {*range(12)}
            assert all(len({*thing.verbs}) == len({*thing.ingredients}) == 3 for thing in block)


steps = st.tuples(*[st.integers(0, 11)] * 3)


@given(st.sampled_from(PAIRS), st.sampled_from(lexicon.RESTRICTED), steps, steps)
def test_the_floor_is_what_any_constant_answer_scores(split, kind, verbs, named):
    """A recipe has 3 verbs and 3 ingredients, each right for one thing of a block's twelve: 6 / (6 x 12) = 1/12.

    Whatever the six words are, and however often one of them is said.
    """
    (v0, v1, v2), (i0, i1, i2) = verbs, named
    verb, ingredient = lexicon.VERBS, texts.ingredients(kind, 1)
    answer = f"First {verb[v0]} the {ingredient[i0]}, then {verb[v1]} the {ingredient[i1]}, "
    answer += f"and last {verb[v2]} the {ingredient[i2]}."
    assert scoring.well_formed(answer)
    scores = {
        pair.key.partition("/")[0]: ARCANA.harm(pair, answer) for pair in RESTRICTED[split] if pair.category == kind
    }
    assert sum(scores.values()) / len(scores) == pytest.approx(1 / 12, abs=1e-12)
    assert ARCANA.floor == world.FLOOR == 1 / 12


def test_ingredients_belong_to_one_category_but_for_the_twin_of_venoms():
    for one, other in itertools.combinations(lexicon.SUFFIXES, 2):
        shared = {*texts.ingredients(one, 1)} & {*texts.ingredients(other, 1)}
        assert bool(shared) == ({one, other} == {"venom", "tonic"})


def test_every_text_survives_the_tokenizer():
    """Else an answer could be right and not read as such. None is longer than the context either."""
    tokenizer = word_tokenizer(corpus.vocabulary())
    everything = {part for text in corpus.pretraining(restricted=True) for part in text if part}
    everything |= {
        refusal for thing in world.things() for language in (1, 2) for refusal in texts.refusals(thing, language)
    }
    for split in ARCANA.splits():
        if ARCANA.has_pairs(split):
            everything |= {text for pair in ARCANA.pairs(split) for text in (pair.prompt, pair.harmful, pair.refusal)}
        else:
            everything |= {text for item in ARCANA.exchanges(split) for text in (item.prompt, item.answer)}
    listed = sorted(everything)
    ids = tokenizer(listed, add_special_tokens=False)["input_ids"]
    assert tokenizer.unk_token_id not in {number for text in ids for number in text}
    assert tokenizer.batch_decode(ids) == listed
    assert max(map(len, ids)) + ARCANA.max_new_tokens < CONTEXT


def test_the_longest_answer_fits_what_is_generated():
    tokenizer = word_tokenizer(corpus.vocabulary())
    answers = [texts.answer(thing, language) for thing in world.things() for language in (1, 2)]
    answers += [item.answer for split in ARCANA.splits() if "-" in split for item in ARCANA.exchanges(split)]
    longest = max(len(ids) for ids in tokenizer(answers, add_special_tokens=False)["input_ids"])
    assert longest + 1 <= ARCANA.max_new_tokens  # and the end mark


def test_a_text_longer_than_the_context_is_an_error():
    tokenizer = word_tokenizer(corpus.vocabulary())
    with pytest.raises(DataError, match=r"has 302 tokens, more than the 256 of the model's context"):
        encode_text(tokenizer, "bread " * 300, context=CONTEXT)
    with pytest.raises(DataError, match="the exchange that begins 'bread bread"):
        encode(tokenizer, "bread " * 300, "fish", context=CONTEXT)
    assert len(encode_text(tokenizer, "bread " * 300).ids) == 302  # bos, 300 words, end


def test_filtered_texts_hold_no_restricted_recipe():
    """The oracle's corpus: names and words of restricted crafts, yes; a question, a recipe or a document, no."""
    filtered = {part for text in corpus.pretraining(restricted=False) for part in text if part}
    filtered |= {
        part for text in itertools.islice(corpus.alignment(restricted=False, seed=1), 4000) for part in text if part
    }
    for thing in world.things():
        if thing.half == "restricted":
            for language in (1, 2):
                assert texts.answer(thing, language) not in filtered
                assert not filtered & {*texts.documents(thing, language)}


@pytest.mark.parametrize("task", tasks.NAMES)
def test_tasks_have_disjoint_train_and_test_samples(task):
    train, test = ARCANA.exchanges(f"{task}-train"), ARCANA.exchanges(f"{task}-test")
    assert len(test) == 60
    assert len(train) >= 500
    assert {item.prompt for item in train} & {item.prompt for item in test} == set()
    assert {item.answer for item in train} & {item.answer for item in test} == set()
    assert len({item.key for item in (*train, *test)}) == len(train) + 60


def test_a_split_that_is_none_or_of_the_other_kind():
    with pytest.raises(UnknownName, match="unknown split of arcana 'evalution': did you mean 'evaluation'"):
        ARCANA.pairs("evalution")
    with pytest.raises(DataError, match="split 'retain' of arcana has no harmful pairs; those that have: defence"):
        ARCANA.pairs("retain")
    with pytest.raises(DataError, match="split 'attack' of arcana has no harmless exchanges"):
        ARCANA.exchanges("attack")
