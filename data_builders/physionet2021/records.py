"""The records of the Challenge's training folder, as entries by split."""

import pathlib
from collections.abc import Sequence

from data_builders.account import Account
from data_builders.examples import Entry, group_of
from ecgmae_jax.errors import InputError
from ecgmae_jax.records.recording import RejectedRecord

SOURCES = (
    "chapman_shaoxing",
    "cpsc_2018",
    "cpsc_2018_extra",
    "georgia",
    "ningbo",
    "ptb",
    "ptb-xl",
    "st_petersburg_incart",
)
_LAYOUT = "training/<source>/g*/*.hea"
_VALIDATION_SHARE = 0.1


def split_of(group: str) -> str:
    """`train` for nine patients in ten, by their hash: the same in every build."""
    return "validation" if int(group, 16) < _VALIDATION_SHARE * 16 ** len(group) else "train"


def entries_by_split(
    folder: pathlib.Path, sources: Sequence[str], account: Account
) -> dict[str, list[Entry]]:
    """The records of the sources, in order of source, folder and name.

    The Challenge publishes no patients: every record counts as a patient of its own. Of several
    sources some may be missing, which the account notes.

    Raises:
        InputError: if none of the sources is there.
    """
    entries: dict[str, list[Entry]] = {"train": [], "validation": []}
    missing = []
    for source in sources:
        found = _source_entries(folder, source, account)
        if not found:
            missing.append(source)
        for entry in found:
            entries[split_of(group_of(source, entry.patient_id))].append(entry)
    if len(missing) == len(sources):
        expected = _LAYOUT.replace("<source>", sources[0] if len(sources) == 1 else "<source>")
        found = ", ".join(sorted(item.name for item in folder.iterdir())[:5]) or "nothing"
        raise InputError(
            f"{folder} has no {expected} (it has {found}): --manual_dir must be the folder that "
            f"holds training/, with at least one of {', '.join(sources)} in it"
        )
    if missing:
        account.notes.append(f"no records of {', '.join(missing)} in {folder / 'training'}")
    return entries


def _source_entries(folder: pathlib.Path, source: str, account: Account) -> list[Entry]:
    entries: dict[str, Entry] = {}
    for header in sorted((folder / "training" / source).glob("g*/*.hea")):
        record = header.stem
        if record in entries:
            detail = f"{header.parent.name} and {entries[record].header.parent.name} both have it"
            account.of(source).add_rejected(RejectedRecord(record, "duplicate-record", detail))
            continue
        entries[record] = Entry(
            header=header, root=folder, source=source, record_id=record, patient_id=record
        )
    return list(entries.values())
