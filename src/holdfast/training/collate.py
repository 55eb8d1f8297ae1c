"""Where text and tokenizer meet: rows made into padded tensors."""

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset
from transformers import PreTrainedTokenizerBase

from holdfast.errors import ModelError
from holdfast.interfaces import Exchange, Row
from holdfast.models.chat import Encoded, encode, encode_text


class Rows(Dataset[Row]):
    """The first `count` rows of a stream, drawn once."""

    def __init__(self, stream: Iterator[Row], count: int):
        self._rows = list(itertools.islice(stream, count))

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Row:
        return self._rows[index]

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)


class Collator:
    """Makes rows into nested dictionaries of tensors, as the Trainer moves and splits them."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, context: int | None):
        if tokenizer.pad_token_id is None:
            raise ModelError("the tokenizer has no pad token; set one before training.")
        self._pad: Any = tokenizer.pad_token_id
        self._tokenizer = tokenizer
        self._context = context
        self._known: dict[tuple[str, str], Encoded] = {}

    def check(self, rows: Iterable[Row]) -> None:
        """Encode every row now, so that what cannot be encoded is told before a step is taken."""
        for row in rows:
            for exchange in row.values():
                self._encode(exchange)

    def __call__(self, rows: Sequence[Row]) -> dict[str, dict[str, Tensor]]:
        """One padded block a role; roles of a pair are padded to one common length."""
        width = self.widths(rows)
        return {role: self._pad_to([row[role] for row in rows], width[role]) for role in rows[0]}

    def widths(self, rows: Sequence[Row]) -> dict[str, int]:
        """How many tokens wide the block of each role is."""
        width = {role: max(len(self._encode(row[role]).ids) for row in rows) for role in rows[0]}
        if "harmful" in width and "refusal" in width:
            width["harmful"] = width["refusal"] = max(width["harmful"], width["refusal"])
        return width

    def _pad_to(self, exchanges: Sequence[Exchange], width: int) -> dict[str, Tensor]:
        shape = (len(exchanges), width)
        ids = torch.full(shape, self._pad)
        seen, answer = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.bool)
        for row, exchange in enumerate(exchanges):
            encoded = self._encode(exchange)
            length = len(encoded.ids)
            ids[row, :length] = torch.tensor(encoded.ids)
            seen[row, :length] = 1
            answer[row, encoded.start : length] = True
        keys = torch.tensor([sample_key(exchange.key) for exchange in exchanges])
        return {"input_ids": ids, "attention_mask": seen, "answer_mask": answer, "keys": keys}

    def _encode(self, exchange: Exchange) -> Encoded:
        at = (exchange.prompt, exchange.answer)
        if at not in self._known:
            if exchange.prompt:
                self._known[at] = encode(self._tokenizer, *at, context=self._context)
            else:
                self._known[at] = encode_text(self._tokenizer, exchange.answer, context=self._context)
        return self._known[at]


def sample_key(key: str) -> int:
    """A sample's key as a number below 2^62, the same on every machine."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest()) >> 2
