"""CONTRIBUTING's defence in one file does what it says."""

import re
from pathlib import Path
from typing import Any

import torch

from holdfast.config import build
from holdfast.training.run import apply

PAGE = Path(__file__).parents[2] / "CONTRIBUTING.md"


def test_the_defence_of_the_page_trains(model, view):
    code = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert code
    assert code[1].count("\n") < 100
    made: dict[str, Any] = {"__name__": "refuse_harder"}
    exec(compile(code[1], "refuse_harder.py", "exec", dont_inherit=True), made)
    method = build(made["RefuseHarder"], {"training.steps": 1, "training.batch_size": 4})
    before = [weight.detach().clone() for weight in model.network.parameters()]
    terms: list[dict[str, float]] = []
    done = apply(method, model, view, seed=0, on_step=lambda _, told: terms.append(told))
    assert [sorted(told) for told in terms] == [["refusal", "retain"]]
    assert not all(torch.equal(one, other) for one, other in zip(before, done.network.parameters(), strict=True))
