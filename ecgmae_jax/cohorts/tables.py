"""Tables as clinics send them (CSV with any of three separators, Parquet), every cell as text."""

import csv
import dataclasses
import datetime
import difflib
import io
import pathlib
from collections.abc import Iterable
from typing import Any

from ecgmae_jax.errors import InputError

# A Parquet file of a megabyte may hold thousands of millions of equal rows.
_MOST_ROWS = 5_000_000
_SEPARATORS = (",", ";", "\t")


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows of text by column.

    Attributes:
        rows: one dict per row, cells stripped.
        places: where each row stands, for messages.
    """

    name: str
    columns: tuple[str, ...]
    rows: list[dict[str, str]]
    places: list[str]

    def require(self, column: str, *, purpose: str) -> None:
        """Raises InputError, with the nearest name, unless the table has the column."""
        if column not in self.columns:
            raise InputError(
                f"{self.name} has no column {column!r} ({purpose}){nearest(column, self.columns)}; "
                f"it has {', '.join(self.columns)}: name the right one in cohort.toml"
            )


def nearest(word: str, known: Iterable[str]) -> str:
    """`, did you mean ...?` where a known word resembles this one."""
    by_lower = {name.lower(): name for name in known}
    found = difflib.get_close_matches(word.lower(), by_lower, n=1)
    return f", did you mean {by_lower[found[0]]!r}?" if found else ""


def read_text(path: pathlib.Path) -> str:
    """The file's text without a byte order mark; InputError unless it is UTF-8."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = fault.object[: fault.start].count(b"\n") + 1
        raise InputError(
            f"{path} line {line} is not UTF-8 text: save the file as UTF-8 (in Excel: 'CSV UTF-8')"
        ) from fault
    except OSError as fault:
        raise InputError(f"{path} cannot be read: {fault.strerror}") from fault
    if "\0" in text:
        raise InputError(f"{path} holds NUL characters: save the file as UTF-8 text")
    return text


def read_table(path: pathlib.Path) -> Table:
    """The table of a `.parquet` file, or of a text file with a header line.

    Numbers are kept as they are written: patient 007 stays 007.

    Raises:
        InputError: for a file that is no table, columns without or with equal names, a row of
            another length than the header, and for no rows at all.
    """
    cells = _parquet_cells(path) if path.suffix.lower() == ".parquet" else _csv_cells(path)
    (_, header), *rows = cells or [(1, [])]
    columns = tuple(header)
    if len(set(columns)) < len(columns) or "" in columns:
        doubtful = next((name for name in columns if columns.count(name) > 1), "")
        fault = f"two columns named {doubtful!r}" if doubtful else "a column without a name"
        raise InputError(f"{path} has {fault}: give every column a name of its own")
    if not rows:
        raise InputError(f"{path} has no rows under its header: expected one row for each scan")
    for number, row in rows:
        if len(row) != len(columns):
            raise InputError(
                f"{path} line {number} has {len(row)} cells where the header has {len(columns)}: "
                "quote cells that contain the separator"
            )
    return Table(
        name=path.name,
        columns=columns,
        rows=[dict(zip(columns, row, strict=True)) for _, row in rows],
        places=[f"{path.name} line {number}" for number, _ in rows],
    )


def _csv_cells(path: pathlib.Path) -> list[tuple[int, list[str]]]:
    """Line number and cells of every line that is not empty; the separator is the header's."""
    text = read_text(path)
    try:
        header = next(iter(text.splitlines()), "")
        separator = max(
            _SEPARATORS, key=lambda mark: len(next(csv.reader([header], delimiter=mark), []))
        )
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except csv.Error as fault:
        raise InputError(f"{path} is not a table of separated cells ({fault})") from fault
    return [(number, row) for number, row in lines if any(row)]


def _parquet_cells(path: pathlib.Path) -> list[tuple[int, list[str]]]:
    # Only Parquet needs it.
    import pyarrow
    import pyarrow.parquet

    try:
        num_rows = pyarrow.parquet.read_metadata(path).num_rows
        if num_rows > _MOST_ROWS:
            raise InputError(f"{path} has {num_rows} rows; up to {_MOST_ROWS} are read")
        table = pyarrow.parquet.read_table(path)
    except (pyarrow.ArrowException, OSError) as fault:
        reason = str(fault).splitlines()[0]
        raise InputError(f"{path} is not a Parquet file that can be read ({reason})") from fault
    columns = [map(_as_text, column.to_pylist()) for column in table.columns]
    rows = zip(*columns, strict=True)
    header = [name.strip() for name in table.column_names]
    return [(0, header), *((number, list(row)) for number, row in enumerate(rows, start=1))]


def _as_text(value: Any) -> str:
    """A cell as a person would write it: 1 for 1.0, nothing for null and NaN."""
    match value:
        case None:
            return ""
        case float() if value != value:
            return ""
        case float() if value.is_integer():
            return str(int(value))
        case bytes():
            return value.decode("utf-8", errors="replace").strip()
        case datetime.datetime() if value.time() == datetime.time():
            return value.date().isoformat()
        case datetime.date():
            return value.isoformat()
        case _:
            return str(value).strip()
