"""What tests of pages assume, in one place: what stands for a placeholder, what is there before, what is not run."""

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase

PLACEHOLDERS: Mapping[str, str] = {
    "MODEL": "arcana",
    "BASE": "arcana",
    "OWNER/NAME": "owner/name",
    "OWNER/BASE": "owner/base",
    "DIRECTORY": "my-data:judges=phrases",
    "FILE": "studies/immunization.yaml",
    "PRESET": "backdoor",
    "VERSION": "0.1.0",
    "Qwen/Qwen2.5-0.5B-Instruct": "tiny-qwen2",
    "meta-llama/Llama-2-7b-chat-hf": "arcana",
}
"""What stands for a word of a command, on every page."""
ON_PAGE: Mapping[str, Mapping[str, str]] = {
    "audit.md": {"MODEL": "mine/hardened"},
    "domains.md": {"NAME": "beavertails", "attack=1000": "attack=100"},
    "explanation/multiplier.md": {"MODEL": "mine/hardened"},
    "judges.md": {"NAME": "classifier", "DIR": "another-classifier"},
    "howto/release.md": {"DIR": "a-classifier"},
    "methods/booster.md": {"MODEL": "made"},
    "methods/t_vaccine.md": {"MODEL": "made"},
    "methods/vaccine.md": {"MODEL": "made"},
    "methods/weights.md": {"NAME": "noise", "field=value": "sigma=0.1"},
    "one_scale.md": {"NEW-RECORDS": "new-records"},
    "provider.md": {
        "DEFENCE": "lisa",
        "FIELD=VALUE": "alignment_steps=1",
        "DIR": "my-data",
        "N": "1",
        "SCRIPT ARGUMENTS": "examples/provider/train.py base inns.jsonl --output again",
    },
    "replication.md": {"FILE": "studies/repnoise_paper.yaml", "DIR": "my-data"},
    "scale.md": {"MODEL": "tiny-llama", "DIR": "somewhere"},
    "stability.md": {"MODEL": "tiny-llama"},
    "studies.md": {"DIR": "holdfast-studies/immunization"},
    "verdict.md": {"DIR": "earlier"},
}
"""The same on one page, which goes first."""

_HARDENED = "holdfast harden arcana repnoise -o mine/hardened"
GIVEN: Mapping[str, tuple[str, ...]] = {
    "audit.md": (
        _HARDENED,
        "holdfast harden arcana none -o owner/name",
        "holdfast organism export arcana owner/base",
        "holdfast organism export arcana release/base",
        "holdfast harden arcana repnoise -o release/model",
    ),
    "depth.md": (_HARDENED,),
    "explanation/pitfalls.md": (_HARDENED,),
    "howto/release.md": (_HARDENED,),
    "explanation/multiplier.md": (_HARDENED,),
    "verdict.md": (
        "holdfast harden arcana repnoise -o earlier/hardened",
        "holdfast attack arcana prefill --record earlier/records/base.json",
        "holdfast attack earlier/hardened prefill --record earlier/records/hardened.json",
    ),
}
"""Commands that have been run before a page begins, since it speaks of what they make."""

NOT_RUN: Mapping[str, str] = {
    "make install": "installs into .venv, where the tests run",
    ". .venv/bin/activate": "the tests run in it already",
    "pip install 'holdfast*": "installs a release",
    "pip install 'ray*": "installs from an index",
    "pip install liger-kernel": "installs from an index, for a GPU",
    "hf auth login": "asks for the user's own token",
    "ray *": "a Ray cluster of several machines; tests/study/runners has Ray on one",
    "chmod 600 ~/.ray/auth_token": "changes a file of the user's",
    "holdfast study run * --runner ray *": "a Ray cluster and a bucket; tests/study/runners has Ray on one machine",
    "holdfast replicate FILE": "a GPU of 80 GB, and data from the hub",
    "holdfast replicate studies/repnoise_paper.yaml --plan": "reads all data of the paper from the hub",
    "holdfast replicate studies/repnoise_paper.yaml --store *": "a GPU of 80 GB, and data from the hub",
    "holdfast replicate studies/repnoise_paper.yaml --model *": "tests/study/test_paper_rehearsal.py runs every table",
    "torchrun *": "eight GPUs; tests/training/test_several.py has two processes",
    "accelerate launch *": "several GPUs; tests/training/test_several.py has two processes",
    "holdfast --generator vllm *": "needs vLLM and a GPU; tests/models/test_engine.py has a stand-in",
    "holdfast --device auto *": "needs a GPU to spread over",
    "vllm serve *": "needs vLLM and a GPU",
    "holdfast * --judge rubric *": "asks an endpoint that costs; tests/judges/test_rubric.py has one of its own",
    "holdfast evaluate MODEL --metrics stability": "50,000 questions from the hub; the page's own task is run",
    "holdfast evaluate MODEL --metrics stability/instruction": "questions from the hub",
    "holdfast evaluate MODEL --metrics stability -s 'stability.tasks=*": "questions from the hub",
    "holdfast attack MODEL none --metrics harm,stability *": "questions from the hub",
    "python -c *nltk*": "downloads",
    "python benchmarks/*": "measures for minutes; RESULTS.md says what came of it",
    "holdfast study table studies/* -o docs/results/*": "reads the records of a study of hours; docs/results keeps it",
}
"""Commands that no test runs, as they stand on a page, and why. They are parsed all the same."""
BY_STAND_IN: Mapping[str, str] = {
    "pip install -e *": "lays down what pip would leave, from the page's own pyproject.toml, and asks no index",
}
"""Commands that a test runs by something else than themselves, and what that does."""
ENDS: Mapping[str, tuple[int, ...]] = {"*holdfast audit *": (0, 1, 3)}
"""Exit codes that a page says a command may end with, where 0 is not the only one: holds, broken, inconclusive."""


def filled(text: str, page: str) -> str:
    """A command with something in each place that a reader fills in."""
    table = {**PLACEHOLDERS, **ON_PAGE.get(page, {})}
    longest_first = "|".join(re.escape(name) for name in sorted(table, key=len, reverse=True))
    return re.sub(rf"(?<![\w$-])(?:{longest_first})(?!\w)", lambda found: table[found[0]], text)


def not_run(text: str) -> str | None:
    """Why a command is not run; None where it is."""
    return next((why for pattern, why in NOT_RUN.items() if fnmatchcase(_plain(text), pattern)), None)


def ends(text: str) -> tuple[int, ...]:
    """The exit codes that a command may end with."""
    return next((codes for pattern, codes in ENDS.items() if fnmatchcase(_plain(text), pattern)), (0,))


def unused(texts: list[str], table: Mapping[str, object]) -> list[str]:
    """Patterns of a table that no command fits."""
    return [one for one in table if not any(fnmatchcase(_plain(text), one) for text in texts)]


def _plain(text: str) -> str:
    """On one line, without a comment at its end."""
    return " ".join(re.sub(r"\\\n", " ", re.sub(r"\s+# .*$", "", text, flags=re.MULTILINE)).split())
