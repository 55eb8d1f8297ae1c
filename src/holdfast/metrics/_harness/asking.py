"""One task of lm-evaluation-harness put to a network as it is in memory."""

import traceback
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from numbers import Real
from typing import Any, Final, NamedTuple

from holdfast.errors import DataError, UnknownName
from holdfast.interfaces import Model
from holdfast.metrics._harness.guessing import guessed
from holdfast.metrics._harness.hush import hushed, line
from holdfast.training.rng import preserved_rng

_SEED: Final = 1234
"""Draws the solved examples: the harness's own."""
_NETWORK: Final = "torch.nn.modules.module"
"""The module of torch by which every network is called."""


class Asked(NamedTuple):
    """What came of one task of the harness."""

    task: str
    metric: str
    values: list[float]
    """One a question, in [0, 1]; none where `reason` says why."""
    reason: str | None
    guessed: float
    """The mean of one who guesses."""
    rises: bool
    """Whether more is better."""
    shots: int
    cut: int
    """Prompts that were longer than the model's context, and lost their beginning."""


def ask(
    model: Model, task: Any, metric: str | None, *, limit: int | None, shots: int | None, batch_size: int, chat: bool
) -> Asked:
    """Put one task's questions to a model as it is in memory. Its mode and its tokenizer are as before afterwards.

    Args:
        model: who is asked, on its own device and in its own precision.
        task: what `load` gave.
        metric: which of the task's metrics counts; None is the first.
        limit: so many questions at most, the first.
        shots: solved examples before each; None leaves it to the task.
        batch_size: prompts at once.
        chat: whether the prompts go through the model's chat template.

    Raises:
        UnknownName: the task has no such metric.
        DataError: the task, or its data, is not as the harness has it, or a package or a resource is missing.
    """
    from lm_eval.evaluator import evaluate
    from lm_eval.models.huggingface import HFLM

    wrapper: Any = HFLM
    chosen = _metric(task, metric)
    own = task.get_config("num_fewshot")
    task.set_config("num_fewshot", shots if shots is not None and own != 0 else own or 0)  # whose own is 0 takes none
    task.set_fewshot_seed(_SEED)
    with _as_before(model), hushed() as told:
        guess = guessed(task, [doc for _, doc in task.doc_iterator(limit=limit)], chosen)
        asked = wrapper(pretrained=model.network, tokenizer=model.tokenizer, batch_size=batch_size)
        try:
            found: Any = evaluate(
                asked,
                {"tasks": {task.task_name: task}},
                limit=limit,
                bootstrap_iters=0,
                apply_chat_template=chat,
                fewshot_as_multiturn=chat,
            )
        except Exception as error:
            if _of_network(error):
                raise
            raise DataError(
                f"the task {task.task_name} cannot be measured: {line(error)}; look at its YAML and at its data."
            ) from error
    samples: list[dict[str, Any]] = found["samples"][task.task_name]
    first = [sample for sample in samples if sample["filter"] == samples[0]["filter"]]
    values: list[Any] = [sample.get(chosen) for sample in first]
    mean = found["results"][task.task_name].get(f"{chosen},{samples[0]['filter']}")
    reason = _unfit(chosen, values, mean)
    return Asked(
        task=task.task_name,
        metric=chosen,
        values=[] if reason else [float(value) for value in values],
        reason=reason,
        guessed=0.0 if reason else guess,
        rises=bool(task.higher_is_better()[chosen]),
        shots=task.get_config("num_fewshot"),
        cut=sum("runcat" in message for message in told),
    )


def _metric(task: Any, metric: str | None) -> str:
    """The metric that counts."""
    known = list(task.higher_is_better())
    if not known:
        raise DataError(f"the task {task.task_name} measures nothing: name a metric in its metric_list.")
    if metric is not None and metric not in known:
        raise UnknownName(f"metric of {task.task_name}", metric, known)
    return metric or known[0]


def _of_network(error: Exception) -> bool:
    """Whether the network raised an error, or torch beside it where memory is short; all else is about the task."""
    return isinstance(error, RuntimeError) or any(
        frame.f_globals.get("__name__") == _NETWORK for frame, _ in traceback.walk_tb(error.__traceback__)
    )


def _unfit(metric: str, values: Sequence[Any], mean: Any) -> str | None:
    """Why a metric is no share of questions, where it is none."""
    if not all(isinstance(value, Real) and 0 <= float(value) <= 1 for value in values):
        return f"{metric} is not in [0, 1] question by question"
    if abs(sum(map(float, values)) / len(values) - mean) > 1e-9:
        return f"{metric} is not the mean over questions"
    return None


@contextmanager
def _as_before(model: Model) -> Generator[None]:
    """What the harness changes of a network and of a tokenizer is put back, and the global RNG with it."""
    network: Any = model.network
    tokenizer: Any = model.tokenizer
    modes = [(module, module.training) for module in network.modules()]
    cache = network.config.use_cache
    side, pad = tokenizer.padding_side, tokenizer.pad_token
    try:
        with preserved_rng():
            yield
    finally:
        for module, mode in modes:
            module.training = mode
        network.config.use_cache = cache
        tokenizer.padding_side, tokenizer.pad_token = side, pad
