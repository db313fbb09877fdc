"""What is wrong or odd about a cohort: each finding with its place, its weight and the remedy."""

import collections
import csv
import dataclasses
import io
from collections.abc import Sequence

from ecgmae_jax.spreadsheets import safe_cell

ERROR, WARNING = "error", "warning"
_MOST_PLACES = 3

# Errors make results wrong or lose data without a word; warnings a person has to judge.
CODES = {
    "no-scan": (ERROR, "mend the row, or take it out"),
    "unreadable": (ERROR, "export the scan again, or take its row out"),
    "contradicting-rows": (ERROR, "keep the row that is right"),
    "mislabelled": (ERROR, "find out which outcome is right, and keep one of the scans"),
    "two-patients": (ERROR, "find out whose scan it is: one patient would be in two splits"),
    "two-splits": (ERROR, "put all scans of a patient into one split"),
    "bad-split": (ERROR, "write train, validation or test into every row, or no split at all"),
    "not-in-splits": (ERROR, "make the splits file anew"),
    "contradicting-sex": (ERROR, "correct the patient id or the sex, or empty the doubtful cell"),
    "constant-outcome": (ERROR, "correct the column, or leave the outcome out"),
    "repeated-row": (WARNING, "the first of the rows counts"),
    "duplicate": (WARNING, "take one of the scans out, unless both are meant"),
    "near-duplicate": (WARNING, "look at both: the same recording twice, or two that are alike"),
    "missing-outcome": (WARNING, "such scans take no part in what is fitted to the outcome"),
    "constant-class": (WARNING, "nothing can be learned of this class"),
    "no-patients": (WARNING, "give patient ids, or be sure that nobody has two scans"),
    "not-understood": (WARNING, "such cells count as unknown"),
    "not-listed": (WARNING, "such pictures are not read"),
    "name": (WARNING, "it is stored as a pseudonym alone; better give numbers"),
    "date": (WARNING, "it is stored as a pseudonym alone; better give numbers"),
}


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that is wrong or odd.

    Attributes:
        code: one of CODES.
        place: in the table, or elsewhere in words; without names.
        records: pseudonyms of the scans it is about.
        detail: one line.
    """

    code: str
    place: str
    detail: str
    records: tuple[str, ...] = ()

    @property
    def severity(self) -> str:
        """ERROR or WARNING."""
        return CODES[self.code][0]


def in_order(findings: Sequence[Finding]) -> list[Finding]:
    """Errors first, each kind together."""
    codes = list(CODES)
    return sorted(findings, key=lambda finding: codes.index(finding.code))


def num_errors(findings: Sequence[Finding]) -> int:
    """How many have to be mended."""
    return sum(finding.severity == ERROR for finding in findings)


def findings_csv(findings: Sequence[Finding]) -> bytes:
    """One row for each finding; no cell is run as a formula by a spreadsheet program."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("severity", "code", "place", "records", "detail", "remedy"))
    for finding in in_order(findings):
        severity, remedy = CODES[finding.code]
        records = " ".join(finding.records)
        row = (severity, finding.code, finding.place, records, finding.detail, remedy)
        writer.writerow(map(safe_cell, row))
    return text.getvalue().encode()


def findings_table(findings: Sequence[Finding]) -> str:
    """For the terminal: a line for each kind of finding, its first places, and the remedy."""
    kinds: dict[str, list[Finding]] = collections.defaultdict(list)
    for finding in in_order(findings):
        kinds[finding.code].append(finding)
    lines = [f"{'':8} {'finding':20} {'count':>6}  where, and what to do"]
    for code, some in kinds.items():
        severity, remedy = CODES[code]
        lines.append(f"{severity:8} {code:20} {len(some):6}  {remedy}")
        for finding in some[:_MOST_PLACES]:
            place = f"{finding.place}: " if finding.place else ""
            lines.append(f"{'':37}{place}{finding.detail}")
        if len(some) > _MOST_PLACES:
            lines.append(f"{'':37}and {len(some) - _MOST_PLACES} more")
    return "\n".join(lines if kinds else ["nothing found"])
