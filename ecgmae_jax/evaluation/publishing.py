"""Results appear in a folder all together, and metrics.json last: where it is, all is whole."""

import contextlib
import os
import pathlib
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator, Mapping

import pandas as pd

from ecgmae_jax.spreadsheets import safe_cell

MARKER = "metrics.json"
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def publish(folder: pathlib.Path, files: Mapping[str, bytes]) -> None:
    """Puts the files (names may hold a sub-folder) in place of those of an earlier run.

    `files` holds `metrics.json`. Everything is written beside its place first; a run that dies on
    the way leaves either the old results or a folder without `metrics.json`. One that is asked to
    end does so when all is in place.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (
        _uninterrupted(),
        tempfile.TemporaryDirectory(dir=folder, prefix=".unfinished-") as name,
    ):
        staging = pathlib.Path(name)
        for path, content in files.items():
            (staging / path).parent.mkdir(parents=True, exist_ok=True)
            (staging / path).write_bytes(content)
        (folder / MARKER).unlink(missing_ok=True)
        for entry in sorted(staging.iterdir(), key=lambda path: path.name == MARKER):
            place = folder / entry.name
            if place.is_dir():
                shutil.rmtree(place)
            os.replace(entry, place)


def csv_bytes(table: pd.DataFrame, *, float_format: str | None = None) -> bytes:
    """The table as CSV without its index; no cell is run as a formula by a spreadsheet program."""
    safe = table.copy()
    for name in safe:
        if not pd.api.types.is_numeric_dtype(safe[name]):
            safe[name] = [safe_cell(v) if isinstance(v, str) else v for v in safe[name]]
    return safe.to_csv(index=False, float_format=float_format).encode()


def write_whole(path: pathlib.Path, content: bytes) -> None:
    """Writes one file, whole or not at all, for whom the user's umask says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        _uninterrupted(),
        tempfile.TemporaryDirectory(dir=path.parent, prefix=".unfinished-") as name,
    ):
        staged = pathlib.Path(name) / path.name
        staged.write_bytes(content)
        os.replace(staged, path)


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Has signals that ask the process to end wait until what is inside is done."""
    waiting: list[int] = []
    # Ignored ones stay ignored (nohup); a handler that Python did not install cannot be put back.
    before = {
        number: handler
        for number in _SIGNALS
        if (handler := signal.getsignal(number)) not in (signal.SIG_IGN, None)
    }
    if threading.current_thread() is not threading.main_thread():
        before = {}
    for number in before:
        signal.signal(number, lambda number, frame: waiting.append(number))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in dict.fromkeys(waiting):
            os.kill(os.getpid(), number)
