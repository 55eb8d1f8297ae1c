"""Tiny sequence classifiers whose verdicts are known: the head's weights are zero, its biases are what is said."""

from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification, BertConfig, DebertaV2Config

from holdfast.models.words import word_tokenizer
from small import TEXTS

WORDS = (*TEXTS, "Question: Answer: ok")


def classifier(place: Path, *, family: str = "bert", labels: tuple[str, ...] = ("LABEL_0", "LABEL_1"),
               biases: tuple[float, ...] | None = None, **more: Any) -> str:  # fmt: skip
    """A directory with a random classifier.

    Args:
        place: where it is written.
        family: bert or deberta.
        labels: of its head.
        biases: of its head, which then says the same of every text; none leaves the head random.
        more: of its configuration.
    """
    tokenizer = word_tokenizer(WORDS)
    size: dict[str, Any] = {
        "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16,
        "max_position_embeddings": 64, "vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id,
        "initializer_range": 0.5, "hidden_dropout_prob": 0.5,
        "id2label": dict(enumerate(labels)), "label2id": {label: at for at, label in enumerate(labels)},
    }  # fmt: skip
    config = {"bert": BertConfig, "deberta": DebertaV2Config}[family](**size, **more)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network: Any = AutoModelForSequenceClassification.from_config(config)
    if biases:
        network.classifier.weight.data.zero_()
        network.classifier.bias.data = torch.tensor(biases)
    network.save_pretrained(place)
    tokenizer.save_pretrained(place)
    return str(place)
