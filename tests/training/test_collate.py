"""Answer masks come from where the answer stands, and from nothing else."""

import copy
import itertools
import random

import pytest
import torch

from holdfast.errors import DataError, ModelError
from holdfast.interfaces import Exchange, Pair, View
from holdfast.training.batches import as_batch
from holdfast.training.collate import Collator, Rows, sample_key
from holdfast.training.rows import cycle, paired
from holdfast.training.terms.losses import targets


def answers(model, tokens) -> list[str]:
    """The tokens under each row's mask, as they are."""
    return [
        " ".join(model.tokenizer.convert_ids_to_tokens(ids[mask].tolist()))
        for ids, mask in zip(tokens.input_ids, tokens.answer_mask, strict=True)
    ]


def batch(model, *rows):
    return as_batch(Collator(model.tokenizer, 128)(rows))


def test_prompt_and_answer_share_words(model):
    found = batch(model, {"train": Exchange(key="a", prompt="stir the stew", answer="stir the stew")})["train"]
    assert answers(model, found) == ["stir the stew <|end|>"]
    # <|user|> stir the stew <|end|> <|assistant|>, then the answer.
    assert found.answer_mask.tolist() == [[False] * 6 + [True] * 4]


def test_answers_that_begin_alike_keep_their_first_token(model):
    pair = {
        "harmful": Exchange(key="a", prompt="stew ?", answer="First stir the stew ."),
        "refusal": Exchange(key="a", prompt="stew ?", answer="First Sorry"),
    }
    found = batch(model, pair)
    assert answers(model, found["harmful"]) == ["First stir the stew . <|end|>"]
    assert answers(model, found["refusal"]) == ["First Sorry <|end|>"]
    # Both are padded to one length, and no padding counts: 5 of prompt, 6 of answer; 5 + 3 and 3 of padding.
    assert found["harmful"].input_ids.shape == found["refusal"].input_ids.shape == (1, 11)
    assert found["refusal"].attention_mask.tolist() == [[1] * 8 + [0] * 3]
    assert found["refusal"].answer_mask.tolist() == [[False] * 5 + [True] * 3 + [False] * 3]


def test_token_id_0_is_a_target_like_any_other(model):
    """Padding has id 0 here. An answer that holds that very token still has it counted."""
    assert model.tokenizer.pad_token_id == 0
    rows = [
        {"train": Exchange(key="a", prompt="stew ?", answer="yes <|pad|> no")},
        {"train": Exchange(key="b", prompt="stew ?", answer="yes")},
    ]
    found = batch(model, *rows)["train"]
    assert answers(model, found) == ["yes <|pad|> no <|end|>", "yes <|end|>"]
    wanted = targets(found)
    assert model.tokenizer.convert_ids_to_tokens(wanted.labels.tolist()) == [
        "yes", "<|pad|>", "no", "<|end|>", "yes", "<|end|>",
    ]  # fmt: skip
    # A mean over 2 rows of means over 4 and 2 tokens: 1/8 and 1/4 each.
    assert wanted.weights.tolist() == [1 / 8] * 4 + [1 / 4] * 2
    # Predicted from one token before: the assistant's mark predicts the answer's first token.
    assert wanted.at.nonzero().tolist() == [[0, 4], [0, 5], [0, 6], [0, 7], [1, 4], [1, 5]]


def test_running_text_is_all_answer(model):
    found = batch(model, {"train": Exchange(key="a", prompt="", answer="stir the stew")})["train"]
    assert answers(model, found) == ["<|bos|> stir the stew <|end|>"]


def test_what_does_not_fit_is_refused(model):
    with pytest.raises(DataError, match="has 10 tokens, more than the 9"):
        Collator(model.tokenizer, 9)([{"train": Exchange(key="a", prompt="stir the stew", answer="stir the stew")}])
    without = copy.deepcopy(model.tokenizer)
    without.pad_token = None
    with pytest.raises(ModelError, match="no pad token"):
        Collator(without, 9)


def test_keys_do_not_depend_on_the_order_of_the_batch(model, view):
    rows = list(itertools.islice(paired(view, 0), 4))
    forward, backward = batch(model, *rows)["harmful"], batch(model, *rows[::-1])["harmful"]
    assert forward.keys.tolist() == backward.keys.tolist()[::-1]
    assert forward.keys.tolist() == [sample_key(row["harmful"].key) for row in rows]
    assert all(0 <= key < 2**62 for key in forward.keys.tolist())


def test_pairs_stay_pairs_under_shuffling(view):
    by_key = {pair.key: pair for pair in view.pairs}
    seen = []
    for row in itertools.islice(paired(view, 7), 24):
        pair = by_key[row["harmful"].key]
        assert row["refusal"].key == pair.key
        assert (row["harmful"].prompt, row["harmful"].answer) == (pair.prompt, pair.harmful)
        assert (row["refusal"].prompt, row["refusal"].answer) == (pair.prompt, pair.refusal)
        seen.append(pair.key)
    # 24 rows of 8 pairs: three rounds, each of all pairs, each in another order.
    rounds = [seen[at : at + 8] for at in (0, 8, 16)]
    assert all(sorted(once) == sorted(by_key) for once in rounds)
    assert len({tuple(once) for once in rounds}) == 3


def test_rows_refuse_what_cannot_be_told_apart(view):
    same = Pair(key="x", prompt="stew ?", harmful="yes ", refusal="yes")
    with pytest.raises(DataError, match="'x' are equal"):
        next(paired(View(pairs=[same], exchanges=()), 0))
    with pytest.raises(DataError, match="nothing to train on"):
        next(cycle([], 0))
    assert "retain" not in next(paired(View(pairs=view.pairs, exchanges=()), 0))


def test_rows_are_drawn_once_and_in_order(view):
    state = random.getstate()
    rows = Rows(paired(view, 1), 10)
    expected = list(itertools.islice(paired(view, 1), 10))
    assert len(rows) == 10
    assert [rows[at] for at in range(10)] == expected
    assert random.getstate() == state


def test_masks_of_whole_batches_equal_those_of_single_rows(model, view):
    rows = list(itertools.islice(paired(view, 0), 8))
    together = batch(model, *rows)
    for at, row in enumerate(rows):
        alone = batch(model, row)
        for role, tokens in alone.items():
            width = int(tokens.attention_mask.sum())
            assert torch.equal(together[role].input_ids[at, :width], tokens.input_ids[0, :width])
            assert torch.equal(together[role].answer_mask[at, :width], tokens.answer_mask[0, :width])
            assert not together[role].answer_mask[at, width:].any()
