"""The errors a user is meant to read: printed as a single line, without a traceback."""

# A watchdog ends the process itself, from a thread: no error can be raised there.
INPUT_STALLED = 7


class Fault(Exception):
    """What ends a program in one line; `main.py` prints it and exits with `exit_code`."""

    exit_code = 1


class InputError(Fault, ValueError):
    """A fault in what the user gave: a file, a table, a setting.

    The message names what was found and where, what was expected, and what to do about it.
    """

    exit_code = 2


class NonFiniteLoss(Fault, ArithmeticError):
    """The loss or its gradient is no number, step after step; the parameters are kept."""

    exit_code = 3


class InUse(InputError):
    """Another process works in the folder."""

    exit_code = 4


class DamagedCheckpoints(InputError):
    """What is left of the checkpoints cannot be trusted."""

    exit_code = 5


class CheckpointNotSaved(Fault):
    """A state could not be written; the ones saved before are untouched."""

    exit_code = 6
