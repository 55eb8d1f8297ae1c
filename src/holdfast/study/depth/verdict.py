"""Whether information was removed, moved or only hidden: the sentence that depth comes to."""

from typing import Final

from holdfast.depths import Verdict

LITTLE: Final = 0.15
"""A share of the base's, at most, that counts as nothing left."""
MOST: Final = 0.85
"""A share, at least, that counts as all of it."""


def verdict(readable: float | None, relearnt: float | None) -> Verdict:
    """What two shares come to.

    - Neither is left: removed.
    - Both of all of it, or what is read off is: hidden, since layers hold it and only the output does not say it.
    - It cannot be read off, but comes back: moved, out of a linear map's reach and not out of the weights.
    - Something in between: removed in part.

    Args:
        readable: from 0 to 1, of the base's; None where the base holds none.
        relearnt: the same of the harm that re-learning brings back.
    """
    if readable is None or relearnt is None:
        what = "layers of the base hold none of it" if readable is None else "re-learning brings none back in the base"
        return Verdict(fate="unknown", readable=readable, relearnt=relearnt, sentence=f"Nothing can be said: {what}.")
    left, shares = max(readable, relearnt), f"{_percent(readable)} can be read off its layers"
    back = f"{_percent(relearnt)} comes back by training on other answers"
    if left <= LITTLE:
        fate, said = "removed", f"The information was removed: {shares} of what the base holds, and {back}."
    elif left < MOST:
        fate = "removed in part"
        said = f"The information was removed in part: {shares} of what the base holds, and {back}."
    elif readable > LITTLE and readable >= relearnt / 2:
        fate = "hidden"
        said = f"The information was only hidden: {shares} of what the base holds, and {back}."
    else:
        fate = "moved"
        said = (
            f"The information was moved, not removed: {shares} of what the base holds, but {back}; it is in the "
            "weights, where no linear map of the states finds it."
        )
    return Verdict(fate=fate, readable=readable, relearnt=relearnt, sentence=said)


def _percent(share: float) -> str:
    return f"{100 * min(1.0, max(0.0, share)):.0f} %"
