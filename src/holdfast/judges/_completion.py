"""What an endpoint sent, read as a chat completion; it may have sent anything."""

from typing import Final

from pydantic import BaseModel, Field, JsonValue, ValidationError

_SHOWN: Final = 200
"""Characters of what an endpoint says that are shown."""


class _Message(BaseModel):
    content: JsonValue = None


class _Choice(BaseModel):
    message: _Message


class _Completion(BaseModel):
    choices: list[_Choice] = Field(min_length=1)


class _Failed(BaseModel):
    error: JsonValue


def text(body: bytes) -> str | None:
    """What the model says, which may be nothing; None where the body is no chat completion."""
    try:
        content = _Completion.model_validate_json(body).choices[0].message.content
    except ValidationError:
        return None
    return content if isinstance(content, str) else ""


def failure(body: bytes) -> str:
    """What the body says of an error, though its status told of none; nothing where it says nothing."""
    try:
        error = _Failed.model_validate_json(body).error
    except ValidationError:
        return ""
    told = error.get("message") if isinstance(error, dict) else error
    return short(str(told or error or ""))


def short(said: str) -> str:
    """What an endpoint says, on one line that can be shown."""
    seen = "".join(char if char.isprintable() else " " for char in said)
    return " ".join(seen.split()).rstrip(".")[:_SHOWN]
