"""What each party may use of a domain."""

from collections.abc import Sequence
from functools import partial

from holdfast.interfaces import Domain, Exchange, View
from holdfast.judges._panel import harm


def defender(domain: Domain) -> View:
    """What a defender may use: its own pairs, text to keep what is harmless, and a judge of answers."""
    return View(
        pairs=domain.pairs("defence"),
        exchanges=_harmless(domain, "retain"),
        harm=partial(harm, domain),
        refused=domain.refused,
    )


def attacker(domain: Domain) -> View:
    """What an attacker may use: its own pairs, benign text, framings of both, and a judge of answers."""
    return View(
        pairs=domain.pairs("attack"),
        exchanges=_harmless(domain, "benign"),
        adjacent=_harmless(domain, "adjacent"),
        framings=domain.framings(),
        harm=partial(harm, domain),
        refused=domain.refused,
    )


def _harmless(domain: Domain, split: str) -> Sequence[Exchange]:
    """Harmless exchanges may be missing where a domain is a user's own."""
    return domain.exchanges(split) if split in domain.splits() else ()
