"""The hub, as far as a stub on this machine speaks its protocol: asked once, and not at all without a network."""

import json
import os
import subprocess
import sys

import pytest
from stub_hub import hub

from holdfast.domains.beavertails import Beavertails
from holdfast.domains.decoding_trust import DecodingTrust
from written_data import beavertails, decoding_trust, gem, hex_phi

READ = """
import json
from holdfast.domains.beavertails import Beavertails
from holdfast.domains.decoding_trust import DecodingTrust
from holdfast.domains.gem import Gem
from holdfast.domains.hex_phi import HexPhi
from holdfast.errors import DataError

told = {
    "beavertails": Beavertails(evaluation=0).fingerprint(),
    "decoding_trust": DecodingTrust(evaluation=0, refusals=()).fingerprint(),
    "viggo": len(Gem(chosen=["viggo"], test=0).exchanges("viggo-train")),
}
for name, settings in {"gated": {}, "nowhere": {"source": "nobody/nothing"}}.items():
    try:
        HexPhi(**settings).splits()
    except DataError as error:
        told[name] = str(error)
print(json.dumps(told))
"""
CARD = """---
configs:
- config_name: default
  data_files:
  - {split: 30k_train, path: round0/30k/train.jsonl.gz}
  - {split: 30k_test, path: round0/30k/test.jsonl.gz}
---
"""
PARTS = """---
configs:
- config_name: toxicity
  data_files:
  - {split: realtoxicityprompts.toxic, path: toxicity/toxic.jsonl}
  - {split: realtoxicityprompts.nontoxic, path: toxicity/nontoxic.jsonl}
---
"""


@pytest.fixture(scope="module")
def repositories(tmp_path_factory):
    """Repositories as they are on the hub: two with a card, one without, one gated, and one that is a script."""
    place = tmp_path_factory.mktemp("hub")
    beavertails(place / "b")
    decoding_trust(place / "d", typed=False)
    hex_phi(place / "h")
    gem(place / "g")
    rows = (place / "d/training_dataset.jsonl").read_text().splitlines(keepends=True)
    parts = {
        part: "".join(row for row in rows if ('"challenging": true' in row) is toxic).encode()
        for part, toxic in {"toxic": True, "nontoxic": False}.items()
    }
    answers = {
        name: (place / "b" / name).read_bytes() for name in ("round0/30k/train.jsonl.gz", "round0/30k/test.jsonl.gz")
    }
    refused = "beavertails_with_refusals_train.json"
    return place, {
        "PKU-Alignment/BeaverTails": {"README.md": CARD.encode(), **answers},
        "anonymous4486/repnoise_beavertail": {refused: (place / "b/refused" / refused).read_bytes()},
        "AI-Secure/DecodingTrust": {
            "README.md": PARTS.encode(),
            **{f"toxicity/{part}.jsonl": text for part, text in parts.items()},
        },
        "LLM-Tuning-Safety/HEx-PHI": {path.name: path.read_bytes() for path in (place / "h").iterdir()},
        "GEM/viggo": {
            "viggo.py": b"raise SystemExit",
            **{path.name: path.read_bytes() for path in (place / "g/viggo").iterdir()},
        },
    }


def test_what_the_hub_has_is_what_a_local_copy_has(repositories, tmp_path):
    """With the same fingerprint; a second process, without a network, finds all that the first has downloaded."""
    place, there = repositories
    local = {
        "beavertails": Beavertails(source=str(place / "b/round0"), refusals=str(place / "b/refused"), evaluation=0),
        "decoding_trust": DecodingTrust(source=str(place / "d/training_dataset.jsonl"), refusals=(), evaluation=0),
    }
    with hub(there, gated="LLM-Tuning-Safety/HEx-PHI") as (address, seen):
        env = {
            **os.environ,
            "HF_ENDPOINT": address,
            "HF_HOME": str(tmp_path),
            "HF_HUB_OFFLINE": "0",
            "HF_DATASETS_OFFLINE": "0",
        }
        online = subprocess.run([sys.executable, "-c", READ], env=env, capture_output=True, text=True, check=False)
    assert online.returncode == 0, online.stderr
    told = json.loads(online.stdout)
    assert {name: told[name] for name in local} == {name: one.fingerprint() for name, one in local.items()}
    assert told["viggo"] == 19
    assert told["gated"].startswith("LLM-Tuning-Safety/HEx-PHI, split category_1 is gated: ask for access at https://")
    assert told["nowhere"].startswith("nobody/nothing, split category_1 cannot be read: ")
    assert any("GEM/viggo/resolve/refs/convert/parquet" in request for request in seen)
    offline = subprocess.run(
        [sys.executable, "-c", READ], env={**env, "HF_HUB_OFFLINE": "1"}, capture_output=True, text=True, check=False
    )
    assert offline.returncode == 0, offline.stderr
    again = json.loads(offline.stdout)
    assert {name: again[name] for name in (*local, "viggo")} == {name: told[name] for name in (*local, "viggo")}
    assert "cannot be reached from it" in again["gated"]
    # The notices are shown by the first process alone.
    assert (online.stderr.count("licence"), offline.stderr.count("licence")) == (4, 0)
