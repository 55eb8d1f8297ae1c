"""How a policy's answers are drawn."""

from typing import Annotated

from pydantic import Field

from holdfast.config import config


@config
class Sampling:
    """What is drawn for each question of a step."""

    samples: Annotated[int, Field(ge=2)] = 16
    """Answers drawn a question: the group within which rewards are compared."""
    max_new_tokens: Annotated[int, Field(ge=1)] = 32
    """The longest drawn answer, in tokens."""
    temperature: Annotated[float, Field(gt=0)] = 1.0
    """Of the sampling; above 1, what is unlikely is tried more often."""
