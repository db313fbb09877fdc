"""The account of a build: what was read, what it was cut into, what was refused and why."""

import collections
import csv
import dataclasses
import os
import pathlib
import uuid

from ecgmae_jax.records.recording import RejectedRecord
from ecgmae_jax.spreadsheets import safe_cell

_NUM_EXAMPLES = 3


@dataclasses.dataclass
class Tally:
    """Counts of one process; tallies of several processes add up.

    Attributes:
        read: recordings that passed every check.
        pictures: segments they were cut into.
        rejections: one `(record, code, detail)` for each record refused.
    """

    read: int = 0
    pictures: int = 0
    rejections: list[tuple[str, str, str]] = dataclasses.field(default_factory=list)

    def add_read(self, num_pictures: int) -> None:
        """Counts one recording and the pictures cut from it."""
        self.read += 1
        self.pictures += num_pictures

    def add_rejected(self, rejected: RejectedRecord) -> None:
        """Notes a refused record."""
        self.rejections.append((rejected.record, rejected.code, rejected.detail))

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.read + other.read,
            self.pictures + other.pictures,
            self.rejections + other.rejections,
        )

    def refused(self) -> dict[str, int]:
        """Number of refused records by code, the commonest first."""
        counts = collections.Counter(code for _, code, _ in self.rejections)
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def as_dict(self) -> dict[str, int | dict[str, int]]:
        """The counts alone, without names of records, for a JSON file."""
        return {"read": self.read, "pictures": self.pictures, "refused": self.refused()}

    def summary(self) -> str:
        """One line for people, with a few names for each reason."""
        counts = f"read {self.read} recordings, cut into {self.pictures} pictures"
        if not self.rejections:
            return f"{counts}; refused none"
        reasons = []
        for code, count in self.refused().items():
            names = sorted(record for record, other, _ in self.rejections if other == code)
            more = ", ..." if count > _NUM_EXAMPLES else ""
            reasons.append(f"{code} {count} ({', '.join(names[:_NUM_EXAMPLES])}{more})")
        return f"{counts}; refused {len(self.rejections)}: {', '.join(reasons)}"

    def write_csv(self, path: str | os.PathLike[str]) -> None:
        """Writes the refused records, sorted, as `record,code,detail`; no rows when there are none.

        The file appears complete or not at all. Cells that a spreadsheet would run as a formula
        begin with an apostrophe.
        """
        path = pathlib.Path(path)
        partial = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
        # Names of files need not be valid Unicode.
        with partial.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("record", "code", "detail"))
            for row in sorted(self.rejections):
                writer.writerow([safe_cell(" ".join(cell.splitlines())) for cell in row])
        partial.replace(path)
