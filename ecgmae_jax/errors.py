"""The errors a user is meant to read: printed as a single line, without a traceback."""


class InputError(ValueError):
    """A fault in what the user gave: a file, a table, a setting.

    The message names what was found and where, what was expected, and what to do about it.
    `main.py` prints it as one line and exits with status 2.
    """


class NonFiniteLoss(ArithmeticError):
    """The loss or its gradient is no number any more; the parameters are lost.

    `main.py` prints the message as one line and exits with status 3.
    """
