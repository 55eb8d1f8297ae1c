"""What a report's figures hold for: the attacker that was assumed, the limits, and what nobody measured."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from holdfast.records import Record
from holdfast.report.verdict import provided
from holdfast.report.verdict.judges import OWN, called, judges

_ATTACKER = (
    "The attacker has the weights, and may change them in any way, or has a fine-tuning API that takes any data.",
    "The attacker has harmful questions and answers of the kinds that are asked about, but not those themselves.",
    "The attacker knows the defence, and chooses attack, learning rate and batch size; the cheapest that works counts.",
    "The attacker's budget is far below that of training anew. Cost is training compute; people's time is not counted.",
)
_FAMILIES: Final[dict[str, dict[str, set[str]]]] = {
    "Attacks that train by other means: ": {
        "reinforcement from unsafe feedback": {"grpo", "rloo"},
        "preferences (DPO)": {"dpo"},
        "soft prompts": {"soft_prompt"},
        "new layers": {"layer_injection"},
        "offsets to activations": {"activation"},
        "harmless neighbouring data (elicitation)": {"elicitation"},
        "another language": {"second_language"},
        "a step aside first (adaptive)": {"adaptive"},
    },
    "Changes of the weights without training: ": {
        "removal of the refusal direction": {"abliteration"},
        "quantisation": {"quantise"},
        "pruning": {"prune"},
        "merging with a relative": {"merge", "delta"},
        "noise": {"noise"},
    },
    "Prompts: ": {
        "prefilled answers": {"prefill"},
        "completion outside the chat": {"completion"},
        "prompts found by search": {"gcg"},
    },
}
"""What a reader may look for and the attacks that measure it, in groups that are each told in a sentence."""


def threat_model(records: Iterable[Record]) -> list[str]:
    """The attacker that is assumed; one who has less where a defence acts when a provider trains."""
    return [*_ATTACKER, *provided.attacker(records)]


def limits(records: Iterable[Record]) -> list[str]:
    """What the figures do not hold for."""
    records = list(records)
    told = [
        "A bound on an attacker's cost is a bound on the attacks in this report. A cleverer attack may cost less.",
        "Costs are known only to lie between two rungs of budget, and hold for these models and this domain.",
        "The records do not say whether the defence was tuned against these very attacks; if so, it looks too good.",
    ]
    for name, settings in list(judges(records).items())[:1]:
        if name != OWN:
            told.append(
                f"Harm is what a judge says, {called(name, settings)}, and a judge errs: some call a collapsed model "
                "harmless, and others whatever does not refuse harmful."
            )
    if {record.domain.name for record in records} == {"arcana"}:
        told.append("The defaults of defences here were tuned on arcana, against full fine-tuning in batches of 16.")
        told.append(
            "arcana is a fictional world of small models: it shows how a defence works, not how a large one does."
        )
    return told


def not_measured(records: Iterable[Record]) -> list[str]:
    """What a reader might look for in vain."""
    records = list(records)
    asked = [record for record in records if record.purpose == "resistance"]
    # A model that is judged alone may be undefended.
    attacked = [one for one in asked if one.role == "defended"] or [one for one in asked if one.role == "undefended"]
    names = {str(record.attack["name"]) for record in attacked}
    missing = {
        group: [name for name, by in families.items() if not names & by] for group, families in _FAMILIES.items()
    }
    told = [f"{group}{', '.join(some)}." for group, some in missing.items() if some]
    settings = [record.attack["settings"] for record in attacked]
    training = [each["training"] for each in settings if "training" in each]
    for what, there in (
        ("LoRA attacks.", any(each.get("lora_rank") for each in training)),
        ("Attacks in batches of one.", any(each.get("batch_size") == 1 for each in training)),
        ("Attacks after rescaling the weights.", any(each.get("rescale") for each in training)),
        ("Attacks that mix harmful with harmless data.", any(map(_mixes, settings))),
        ("Another seed of the defence.", len({(record.defence or {}).get("seed") for record in attacked}) > 1),
        (
            "Attacks chosen one after another by an adversary who searches for the cheapest.",
            any(record.purpose == "search" for record in records),
        ),
        ("An oracle: a model that never had the knowledge.", any(record.role == "oracle" for record in records)),
        (
            "Generalization to categories that the defence never saw.",
            any(record.purpose == "generalization" for record in records),
        ),
        ("Trainability on harmless tasks.", any(record.purpose == "trainability" for record in records)),
    ):
        if not there:
            told.append(what)
    return told


def _mixes(settings: Mapping[str, Any]) -> bool:
    """Whether there are both harmful and harmless examples: `benign` is the share of the latter, as in `adaptive`."""
    shares = (settings.get("poison_ratio"), settings.get("benign"))
    return any(isinstance(share, int | float) and 0 < share < 1 for share in shares)
