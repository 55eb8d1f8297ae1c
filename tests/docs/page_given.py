"""What is there when a page begins."""

import json
from pathlib import Path

from page_commands import DOCS, ROOT

from verdict import made as by_hand


def prepare(folder: Path, page: str, *, paired: bool = False) -> None:
    """What is there when a page begins: the repository's own files, data of one's own, and what it speaks of.

    Where the page makes the pairs of a defence, these are there beforehand only if asked for.
    """
    for name in ("studies", "examples", "benchmarks"):
        (folder / name).symlink_to(ROOT / name)
    text = (DOCS / page).read_text(encoding="utf-8")
    if "my-data" in text or "DIRECTORY" in text:
        _my_data(folder / "my-data", paired=paired or "my-data/defence.jsonl" not in text)
    if page == "one_scale.md":
        _records(folder / "holdfast-quickstart", "shield", 0.0)
        _records(folder / "new-records", "wall", 0.1)
    if "scores.csv" in text:
        rows = [f"model-{model},{bench},{0.1 + 0.1 * model + 0.2 * at:.2f}"
                for model in range(4) for at, bench in enumerate(("Winogrande", "other"))]  # fmt: skip
        (folder / "scores.csv").write_text("\n".join(["model,benchmark,performance", *rows]) + "\n")


def _records(place: Path, defence: str, more: float) -> None:
    """Records of attacks that break one model more than another, as a battery at its length leaves them."""
    made = {"defence": {"name": defence, "settings": {}, "seed": 0}, "parent": by_hand.BASE}
    about = {"undefended": {}, "defended": {**made, "model": f"base+{defence}", "weights": defence}}
    harms = {"undefended": (0.5, 0.7, 0.9), "defended": (0.2 + more, 0.4 + more, 0.6 + more)}
    place.mkdir()
    by_hand.folder(
        place,
        *(
            by_hand.record(role, (0.0, harm, harm), steps=(0, 1, 2), rate=rate, **about[role])
            for role in about
            for harm, rate in zip(harms[role], (1e-4, 1e-3, 1e-2), strict=True)
        ),
    )


def _my_data(place: Path, *, paired: bool) -> None:
    """Data of one's own that arcana knows, a file a split; a defence's pairs, or answers that nobody has refused."""
    from holdfast.study.named import open_domain

    world = open_domain("arcana")
    place.mkdir()
    for split in ("defence" if paired else "unpaired", "attack", "evaluation"):
        pairs = world.pairs("defence" if split == "unpaired" else split)[:: 8 if split == "evaluation" else 4]
        told = [{"prompt": one.prompt, "harmful": one.harmful, "refusal": one.refusal} for one in pairs]
        if split == "unpaired":
            told = [{key: value for key, value in one.items() if key != "refusal"} for one in told]
        (place / f"{split}.jsonl").write_text("".join(json.dumps(one) + "\n" for one in told))
    for split in ("retain", "benign", "permitted"):
        told = [{"prompt": one.prompt, "answer": one.answer} for one in world.exchanges(split)[::6]]
        (place / f"{split}.jsonl").write_text("".join(json.dumps(one) + "\n" for one in told))
