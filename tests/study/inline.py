"""A runner in the process of the test. Apart from the tests, since several import it."""

from holdfast.study.runners.runner import Ended


class Here:
    """A runner in this process: it does what it is given at once. `fails` and `errors` say how a cell ends instead."""

    def __init__(self, fails=None, errors=None, slots=1):
        self.slots, self.fails, self.errors = slots, fails or {}, errors or {}
        self.ended: list[Ended] = []
        self.did: list[str] = []
        self.closed = False

    def start(self, key, function, *args):
        cell = args[0]
        self.did.append(cell.label)
        if cell.label in self.errors:
            self.ended.append(Ended(key=key, error=self.errors.pop(cell.label)))
        elif cell.label in self.fails:
            self.ended.append(Ended(key=key, failure=self.fails[cell.label]))
        else:
            function(*args, lambda share: None)
            self.ended.append(Ended(key=key))

    def wait(self, timeout):
        ended, self.ended = self.ended, []
        return ended

    def progress(self):
        return {}

    def close(self):
        self.closed = True
