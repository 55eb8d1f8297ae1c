"""Rows held against what a data set says it has, so that what is wrong is told by row and field."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, TypeVar

import pydantic

from holdfast.domains._hub import batches
from holdfast.domains._wanted import Wanted
from holdfast.errors import DataError

R = TypeVar("R", bound="Row")
_SHOWN = 40


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return text


NotBlank = Annotated[str, pydantic.AfterValidator(_not_blank)]
"""A text that says something."""


class Row(pydantic.BaseModel):
    """What the rows of every data set are: fields that are not named are not looked at, and a number is no text."""

    model_config = pydantic.ConfigDict(extra="ignore", strict=True, populate_by_name=True)


def rows(wanted: Wanted, schema: type[R]) -> Iterator[R]:
    """The rows of a split, each as its schema has it.

    Raises:
        DataError: a field is missing in all rows, or does not fit in one (source, row and field), or as for `batches`.
    """
    before = 0
    for fields, batch in batches(wanted):
        if not before:
            _check_fields(wanted, schema, fields)
        for number, row in enumerate(batch, start=before + 1):
            yield _checked(wanted, schema, number, row)
        before += len(batch)


def _checked(wanted: Wanted, schema: type[R], number: int, row: Mapping[str, Any]) -> R:
    try:
        return schema.model_validate(row)
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        said = first["msg"].removeprefix("Value error, ")
        got = "nothing" if first["input"] is None else repr(first["input"])
        raise DataError(
            f"{wanted}, row {number}: {field + ': ' if field else ''}{said[0].lower()}{said[1:]}, "
            f"got {got if len(got) <= _SHOWN else got[:_SHOWN] + ' ...'}."
        ) from None


def _check_fields(wanted: Wanted, schema: type[Row], there: list[str]) -> None:
    missing = [
        " or ".join(called)
        for name, info in schema.model_fields.items()
        if info.is_required() and not {*(called := _names(name, info))} & {*there}
    ]
    if missing:
        raise DataError(f"{wanted} has no field {', '.join(missing)}; it has {', '.join(there)}.")


def _names(name: str, info: pydantic.fields.FieldInfo) -> list[str]:
    """What a field may be called."""
    alias = info.validation_alias
    if isinstance(alias, pydantic.AliasChoices):
        return [str(choice) for choice in alias.choices]
    return [str(alias or name)]
