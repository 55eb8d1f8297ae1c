"""A study from beginning to end, from Python."""

from pathlib import Path

from holdfast.records import Record
from holdfast.study.design import Study
from holdfast.study.plan import rounds
from holdfast.study.played import finished
from holdfast.study.run import Watch, run
from holdfast.study.runners.runner import Runner
from holdfast.study.store.store import Store


def home(study: Study) -> str:
    """Where a study's results lie unless one says otherwise."""
    return study.store or f"holdfast-studies/{study.name}"


def conduct(
    study: Study,
    store: str | Path | None = None,
    runner: Runner | None = None,
    *,
    retry_failed: bool = False,
    watch: Watch | None = None,
) -> dict[str, Record]:
    """Do every cell of a study that is not done, and return all its records by key, failures among them.

    Args:
        study: what is to be done.
        store: a folder or an fsspec URL; else the study's own, or `holdfast-studies/NAME`.
        runner: where work is done; else in two processes of this machine. A script needs
            `if __name__ == "__main__":` around the call then, since the processes import it.
        retry_failed: whether what failed in an earlier run is tried again.
        watch: is told about twice a second where the run stands.

    Raises:
        StudyError: a name or setting of the study does not exist or fit.
        StoreError: the store cannot be read or written. What is finished is not lost.
    """
    from holdfast.study.runners.chosen import runner as made

    place = Store(store or home(study))
    asked = rounds(study)
    runner = runner or made("local", timeout=study.timeout, memory=study.memory)
    run(asked, place, runner, keep=study.keep, retry_failed=retry_failed, watch=watch)
    return finished(rounds(study), place)
