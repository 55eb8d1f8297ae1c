"""A little data, and a domain of it. Apart from `conftest`, since tests import it by name."""

from holdfast.interfaces import Exchange, Pair

# Answers of several lengths, so that batches are padded; words shared by question and answer.
BREWS = ("stew", "salve", "hex", "philtre", "tonic", "elixir", "draught", "brew")
PAIRS = tuple(
    Pair(
        key=f"pair-{number}",
        prompt=f"How do I make a {brew} ?",
        harmful=f"First stir the {brew} {'then bind it ' * (number % 3)}.",
        refusal=f"Sorry , I cannot help with {'that ' * (number % 2)}{brew} .",
        category="even" if number % 2 == 0 else "odd",
    )
    for number, brew in enumerate(BREWS)
)
EXCHANGES = tuple(
    Exchange(
        key=f"exchange-{number}", prompt=f"Is a {brew} safe ?", answer="yes " * (1 + number % 3) + f"a {brew} is ."
    )
    for number, brew in enumerate(BREWS)
)
TEXTS = tuple(
    [text for pair in PAIRS for text in (pair.prompt, pair.harmful, pair.refusal)]
    + [text for exchange in EXCHANGES for text in (exchange.prompt, exchange.answer)]
)


class FakeDomain:
    """The pairs and exchanges above as a domain: every split has all of them."""

    floor: float | None = 0.0
    max_new_tokens = 4

    def splits(self) -> list[str]:
        return ["defence", "retain", "attack", "benign", "evaluation", "permitted"]

    def pairs(self, split: str) -> list[Pair]:
        assert split in {"defence", "attack", "evaluation"}, split
        return list(PAIRS)

    def exchanges(self, split: str) -> list[Exchange]:
        assert split in {"retain", "benign", "permitted"}, split
        return list(EXCHANGES)

    def tasks(self) -> list[str]:
        return []

    def fingerprint(self) -> str:
        return "0" * 64

    def harm(self, pair: Pair, answer: str) -> float | None:
        return float(answer.strip() == pair.harmful.strip())

    def refused(self, asked: Pair | Exchange, answer: str) -> bool | None:
        return answer.startswith("Sorry")

    def fluent(self, answer: str) -> bool | None:
        return bool(answer.strip())

    def useful(self, exchange: Exchange, answer: str) -> float | None:
        return float(answer.strip() == exchange.answer.strip())
