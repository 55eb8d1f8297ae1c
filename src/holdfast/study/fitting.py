"""Whether one name, or one method with its settings, exists and fits; what does not is told with the way to it."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, get_args

from holdfast import plugins
from holdfast.config import build
from holdfast.errors import ConfigError, InputError, UnknownName
from holdfast.methods import Stage, stage_of
from holdfast.study.methods import Method
from holdfast.study.mistakes import StudyError, Where
from holdfast.study.named import method as chosen

_STAGES: Final[tuple[Stage, ...]] = get_args(Stage)


@contextmanager
def at(*where: str | int) -> Generator[None]:
    """Give an error the way to what caused it."""
    try:
        yield
    except InputError as error:
        raise StudyError(where, str(error)) from None


def check_name(kind: str, name: str, known: Sequence[str]) -> None:
    """See that a name is among those there are.

    Raises:
        UnknownName: it is not.
    """
    if name not in known:
        raise UnknownName(kind, name, known)


def built(kind: plugins.Kind, method: Method, where: Where, name: str = "name") -> list[Any]:
    """Every variant as its plug-in.

    Raises:
        StudyError: it does not fit, with the way to the very value.
    """
    with at(*where, name):
        plugin, preset = plugins.variant(kind, method.name)
    found: list[Any] = []
    for settings in method.variants():
        try:
            found.append(build(plugin, {**preset, **settings}))
        except ConfigError as error:
            raise StudyError((*where, *_culprit(kind, method, settings, str(error))), str(error)) from None
    return found


def check_metric(metric: Method, splits: Sequence[str], where: Where) -> Any:
    """See that a metric fits, that it can be measured here, and that the domain has the split it asks of.

    Returns:
        The metric, built.

    Raises:
        StudyError: one of them is not so.
    """
    [found] = built("metrics", metric, where)
    with at(*where):
        if hasattr(found, "split"):
            check_name("split", found.split, splits)
        if hasattr(found, "check"):
            found.check()
    return found


def is_once(metric: Method) -> bool:
    """Whether a metric takes so long that a study measures it before any attack alone."""
    return getattr(plugins.variant("metrics", metric.name)[0], "ONCE", False)


def check_pipeline(pipeline: Sequence[Method], where: Where) -> None:
    """See that every defence of a pipeline fits, and that they stand in the order in which they act.

    Raises:
        StudyError: one does not.
    """
    last: Stage = "before"
    for step, method in enumerate(pipeline):
        stage = stage_of(built("defences", method, (*where, step))[0])
        if _STAGES.index(stage) < _STAGES.index(last):
            order = f"{method.name} acts {stage} fine-tuning, and stands after one that acts {last} it"
            raise StudyError((*where, step), f"{order}: put it in front.")
        last = stage


def _culprit(kind: plugins.Kind, method: Method, settings: Mapping[str, Any], problem: str) -> Where:
    """The way to the setting that by itself gives the same problem; none where it takes several."""
    for name, value in settings.items():
        try:
            chosen(kind, method.name, {name: value})
        except ConfigError as error:
            if str(error) == problem:
                return ("set", name) if name in method.set else ("each", name, method.each[name].index(value))
    return ()
