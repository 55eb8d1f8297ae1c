"""`python -m holdfast`, as a launcher of several processes starts it: `torchrun -m holdfast harden ...`."""

from holdfast.cli.main import main

if __name__ == "__main__":
    main()
