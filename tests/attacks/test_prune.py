"""Pruning, by hand."""

from typing import Any

import pytest
import torch

from holdfast.attacks.prune import Prune, _highest
from holdfast.config import build
from holdfast.errors import ConfigError, DataError
from holdfast.interfaces import Exchange, Model, View
from holdfast.models.tiny import tiny
from holdfast.training.weights.matrices import linears, matrix
from holdfast.training.weights.outputs import by_output
from holdfast.training.weights.wanda import input_norms
from small import EXCHANGES, PAIRS, TEXTS


def test_the_highest_share_of_a_matrix_and_of_each_expert() -> None:
    """Half of (4 1 / 3 2) is 4 and 3; of two experts each has its own half, though one is ten times the other."""
    score = torch.tensor([[4.0, 1.0], [3.0, 2.0]])
    wanted = torch.tensor([[True, False], [True, False]])
    assert torch.equal(_highest(score, 0.5), wanted)
    assert torch.equal(_highest(torch.stack([score, 10 * score]), 0.5), torch.stack([wanted, wanted]))
    assert not _highest(score, 0.0).any()
    assert _highest(score, 1.0).all()


@pytest.mark.parametrize("name", ["tiny-llama", "tiny-gpt2", "tiny-mixtral"])
def test_magnitude_takes_the_smallest(name: str, view: View) -> None:
    """Half of every matrix is 0, and what is left is larger than what is gone."""
    model = tiny(name, texts=TEXTS)
    before = {path: weight.clone() for path, weight in by_output(model.network).items()}
    build(Prune, Prune.PRESETS["magnitude"]).edit(model, view)
    for path, weight in by_output(model.network).items():
        gone = weight == 0
        assert gone.float().mean() == 0.5
        assert torch.equal(weight[~gone], before[path][~gone])
        if weight.ndim == 2:
            assert before[path][gone].abs().max() <= before[path][~gone].abs().min()


def test_the_norms_are_of_tokens_that_predict_an_answer(model: Model) -> None:
    """Of one exchange, by a forward pass alone: from the prompt's last token to the answer's last but one."""
    exchange = EXCHANGES[0]
    network: Any = model.network
    seen: list[torch.Tensor] = []
    layer = network.model.layers[2].mlp.up_proj
    handle = layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0][0]))
    from holdfast.models.chat import encode

    ids, start = encode(model.tokenizer, exchange.prompt, exchange.answer)
    network(input_ids=torch.tensor([ids]))
    handle.remove()
    wanted = seen[0][start - 1 : len(ids) - 1].norm(dim=0)
    found = input_norms(model, [exchange])
    assert found.keys() == linears(network).keys()
    torch.testing.assert_close(found["2.mlp.up_proj"], wanted.detach())


def test_two_batches_add_up(model: Model) -> None:
    """Norms over 8 exchanges are the roots of the sums of squares over each; padding counts for nothing."""
    at_once, one_by_one = input_norms(model, EXCHANGES), input_norms(model, EXCHANGES, batch_size=1)
    for name, norm in at_once.items():
        torch.testing.assert_close(norm, one_by_one[name])


def test_refusals_lose_what_answers_do_not_need(model: Model, view: View) -> None:
    """The top quarter by refusals but for the top half by harmless answers is 0, and nothing else."""
    before = {name: matrix(layer).clone() for name, layer in linears(model.network).items()}
    refusals = [Exchange(key=pair.key, prompt=pair.prompt, answer=pair.refusal) for pair in PAIRS]
    refusing, answering = input_norms(model, refusals), input_norms(model, EXCHANGES)
    Prune(share=0.25, kept=0.5).edit(model, view)
    some = 0
    for name, layer in linears(model.network).items():
        size = before[name].numel()
        scores = [(before[name].abs() * norms[name]).flatten() for norms in (refusing, answering)]
        counted = zip(scores, (size // 4, size // 2), strict=True)
        top = [set(score.topk(count).indices.tolist()) for score, count in counted]
        assert set((matrix(layer).flatten() == 0).nonzero()[:, 0].tolist()) == top[0] - top[1]
        some += len(top[0] - top[1])
    assert some > 0


def test_experts_that_are_fused_are_left_by_refusals(view: View) -> None:
    model = tiny("tiny-mixtral", texts=TEXTS)
    Prune().edit(model, view)
    zeros = {path: bool((weight == 0).any()) for path, weight in by_output(model.network).items()}
    assert any(zeros.values())
    assert not any(there for path, there in zeros.items() if "experts" in path)


def test_refusals_need_something_to_be_compared_with(model: Model) -> None:
    with pytest.raises(DataError, match="the view has not both"):
        Prune().edit(model, View(pairs=PAIRS, exchanges=()))


def test_a_layer_that_no_exchange_reaches_stays(model: Model, view: View, monkeypatch: pytest.MonkeyPatch) -> None:
    """An expert that only harmless answers come to has no norm over refusals."""
    from holdfast.training.weights import wanda

    unreached, seen = "2.mlp.up_proj", wanda.input_norms
    told: list[dict[str, torch.Tensor]] = []

    def routed(*given: Any) -> dict[str, torch.Tensor]:
        norms = seen(*given)
        if not told:  # the first are those of refusals
            del norms[unreached]
        told.append(norms)
        return norms

    monkeypatch.setattr(wanda, "input_norms", routed)
    Prune(share=0.5, kept=0.0).edit(model, view)
    zeros = {name: bool((matrix(layer) == 0).any()) for name, layer in linears(model.network).items()}
    assert [name for name, there in zeros.items() if not there] == [unreached]


@pytest.mark.parametrize("settings", [{"kept": 0.3}, {"exchanges": 5}])
def test_by_magnitude_nothing_else_is_looked_at(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="by=magnitude looks at nothing but weights"):
        Prune(by="magnitude", share=0.5, **settings)
    assert Prune(**settings)
