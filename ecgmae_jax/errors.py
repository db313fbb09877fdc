"""The one error a user is meant to read: it is printed as a single line, without a traceback."""


class InputError(ValueError):
    """A fault in what the user gave: a file, a table, a setting.

    The message names what was found and where, what was expected, and what to do about it.
    `main.py` prints it as one line and exits with status 2.
    """
