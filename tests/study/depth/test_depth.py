"""Depth, measure by measure, and as a whole on a tiny model."""

import dataclasses
import json

import pytest
import torch

from holdfast.errors import ModelError
from holdfast.interfaces import Exchange
from holdfast.models.anatomy import anatomy
from holdfast.models.frozen import copied
from holdfast.models.tiny import tiny
from holdfast.report.depth.pages import lines, markdown, to_json, write
from holdfast.study.depth.depth import depth
from holdfast.study.depth.geometry import moved, weights_moved
from holdfast.study.depth.information import held, lens_loss
from holdfast.study.depth.likelihoods import paths
from holdfast.study.depth.probes import probed
from holdfast.study.depth.read import Read, read
from holdfast.study.depth.relearnt import groups, patched
from holdfast.study.depth.verdict import verdict
from holdfast.training.batches import as_batch
from holdfast.training.collate import Collator
from holdfast.training.terms.answers import answer_loss

EXCHANGES = [
    Exchange(key=str(at), prompt=f"say {word}", answer=f"{word} {word}")
    for at, word in enumerate(("ember", "salt", "reed"))
]


@pytest.fixture
def model():
    return tiny()


def _synthetic(states, labels, rows):
    return Read(
        states=[torch.as_tensor(states, dtype=torch.float32)],
        labels=torch.as_tensor(labels),
        row=torch.as_tensor(rows),
        rows=int(max(rows)) + 1,
    )


def test_what_is_read_is_what_the_model_has(model):
    """The logit lens of the last layer is the model's own loss: a mean over tokens of rows of equal length."""
    found = read(model, EXCHANGES)
    blocks = len(anatomy(model.network).blocks)
    assert len(found.states) == blocks + 1
    assert found.rows == 3
    batch = as_batch(Collator(model.tokenizer, None)([{"train": one} for one in EXCHANGES]))["train"]
    assert torch.bincount(found.row).unique().numel() == 1
    loss = float(answer_loss(model.network, batch).detach())
    assert lens_loss(model, found, blocks) == pytest.approx(loss, rel=1e-4)


def test_pooled_states_are_means_of_rows():
    found = _synthetic([[1.0, 0], [3, 0], [5, 2]], [0, 0, 0], [0, 0, 1])
    assert found.pooled(0).tolist() == [[2, 0], [5, 2]]


def test_a_probe_tells_two_clouds_apart_and_its_control_does_not():
    """Ten standard deviations apart in one of eight directions: accuracy 1, random labels about a half."""
    drawn = torch.Generator().manual_seed(0)
    one, other = (torch.randn(60, 8, generator=drawn) for _ in range(2))
    found = probed(one + 10 * torch.eye(8)[0], other, seeds=3)
    assert found.accuracy.centre == 1
    assert 0.2 < found.selectivity.centre < 0.8
    alike = probed(one, other, seeds=3)
    assert alike.accuracy.centre < 0.75


def test_information_is_found_where_the_question_tells_the_answer(model):
    """States that are the wanted token's own output weights tell it; states that are another's tell nothing."""
    parts = anatomy(model.network)
    weights = parts.linear.weight.detach().float()
    labels = torch.arange(8).repeat(5) % 8 + 4
    rows = torch.arange(40)
    noise = 0.05 * torch.randn(40, weights.shape[1], generator=torch.Generator().manual_seed(0))
    own = _synthetic(weights[labels] * 10 + noise, labels, rows)
    other = _synthetic(weights[labels.roll(1)] * 0 + noise, labels, rows)
    told, nothing = held(model, own, other, 0, seeds=2), held(model, other, other, 0, seeds=2)
    assert told.information.centre > 0.3
    assert nothing.information.centre == pytest.approx(0, abs=1e-6)


def test_geometry_of_the_same_and_of_another():
    """The same states: CKA 1, distance 0. Turned: CKA 1, distance not 0. Unrelated: CKA near 0."""
    drawn = torch.Generator().manual_seed(0)
    states = torch.randn(300, 6, generator=drawn) * torch.tensor([3.0, 1, 1, 1, 1, 1])
    turn, _ = torch.linalg.qr(torch.randn(6, 6, generator=drawn))
    labels, rows = [0] * 300, list(range(300))
    base = _synthetic(states, labels, rows)
    same = moved(base, base, 0)
    assert (same.cka, same.distance) == (pytest.approx(1, abs=1e-5), 0)
    turned = moved(_synthetic(states @ turn, labels, rows), base, 0)
    assert turned.cka == pytest.approx(1, abs=1e-4)
    assert turned.distance > 0.5
    assert moved(_synthetic(torch.randn(300, 6, generator=drawn), labels, rows), base, 0).cka < 0.1
    assert abs(same.noise) < 0.02
    clumped = _synthetic(torch.eye(6)[torch.arange(300) % 6] * 10, labels, rows)
    assert moved(clumped, base, 0).noise > 0.1


def test_weights_that_moved(model):
    """One block's weights doubled: it moved by its own length, the others not at all."""
    other = dataclasses.replace(model, network=copied(model.network))
    with torch.no_grad():
        for weight in anatomy(other.network).blocks[1].parameters():
            weight.mul_(2)
    found = weights_moved(other, model)
    assert found[1] == pytest.approx(1)
    assert sum(found) == pytest.approx(1)


def test_patched_blocks_are_the_bases(model):
    other = dataclasses.replace(model, network=copied(model.network))
    with torch.no_grad():
        for weight in other.network.parameters():
            weight.mul_(1.5)
    made = patched(other, model, (1,))
    found = weights_moved(made, model)
    assert found[1] == 0
    assert found[0] > 0
    assert weights_moved(other, model)[1] > 0  # the model itself stays as it is


def test_groups_of_blocks():
    assert groups(2) == [(0,), (1,)]
    assert groups(6) == [(0, 1), (2, 3), (4, 5)]
    assert groups(32) == [tuple(range(11)), tuple(range(11, 21)), tuple(range(21, 32))]


def test_paths_lie_in_one_plane(model):
    found = paths(model, read(model, EXCHANGES), read(model, EXCHANGES[:2]))
    assert (len(found.harmful), len(found.harmless)) == (3, 2)
    assert found.harmful[0] == pytest.approx(found.harmless[0], abs=1e-4)
    assert 0 <= sum(found.explained) <= 1 + 1e-6


@pytest.mark.parametrize(
    ("readable", "relearnt", "fate"),
    [
        (0.02, 0.05, "removed"),
        (0.45, 0.5, "removed in part"),
        (0.97, 0.99, "hidden"),
        (0.6, 0.95, "hidden"),
        (0.05, 0.95, "moved"),
        (0.3, 0.95, "moved"),
        (None, 0.5, "unknown"),
        (0.5, None, "unknown"),
    ],
)
def test_what_two_shares_come_to(readable, relearnt, fate):
    found = verdict(readable, relearnt)
    assert found.fate == fate
    assert found.sentence.endswith(".")


def test_two_shapes_cannot_be_compared(model):
    with pytest.raises(ModelError, match="not of one shape"):
        depth(model, "arcana")


@pytest.fixture(scope="module")
def hidden():
    """`arcana` beside itself before it was aligned."""
    told = []
    found = depth(
        "arcana", "arcana-raw", seeds=1, rows=28, ladder=(0, 3), told=lambda done, of: told.append((done, of))
    )
    assert told == [(done, 11) for done in range(12)]
    return found


def test_the_aligned_organism_hides_what_it_knows(hidden):
    assert hidden.verdict.fate == "hidden"
    assert hidden.verdict.relearnt > 0.9
    assert len(hidden.layers) == 5
    # What the embeddings hold is no recipe; the last block holds nearly all of one: six slots of log 12 nats each.
    first, last = (one.information.information.centre for one in (hidden.layers[0], hidden.layers[-1]))
    assert abs(first) < 1 < 10 < last
    assert [one.restored for one in hidden.restored] == [(0,), (1,), (2,), (3,)]
    assert max(one.harm[0] for one in hidden.restored) > 0.5  # one block of the base's is enough to make it talk


def test_its_pages(hidden, tmp_path):
    assert {path.name for path in write(hidden, tmp_path)} == {
        "depth.json", "depth.md", "information.svg", "moved.svg", "paths.svg", "relearnt.svg",
    }  # fmt: skip
    page = (tmp_path / "depth.md").read_text()
    assert hidden.verdict.sentence in page
    assert "| 4 | " in page
    assert json.loads((tmp_path / "depth.json").read_text()) == json.loads(to_json(hidden))
    assert hidden.verdict.sentence in lines(hidden)


def test_no_name_breaks_out_of_its_pages(hidden):
    named = dataclasses.replace(hidden, model="evil|<script>alert(1)</script>\n# [x](y)")
    assert "<script>" not in markdown(named)
    assert "\n# [x]" not in markdown(named) + "\n".join(lines(named))


@pytest.mark.slow
def test_the_oracle_never_knew():
    """`arcana-filtered` never had a recipe."""
    removed = depth("arcana-filtered", "arcana", seeds=1, rows=72)
    assert removed.verdict.fate == "removed"
    assert removed.verdict.readable < 0.1
