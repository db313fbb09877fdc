"""From checked scans to examples with the features that every dataset has."""

import io
import math
from collections.abc import Sequence
from typing import Any

from data_builders.account import Account
from data_builders.clinical_cohort.framing import fit_into
from data_builders.clinical_cohort.pictures import read_picture
from data_builders.clinical_cohort.scans import Scan
from data_builders.contents import as_png
from data_builders.examples import KeyExample, group_of
from ecgmae_jax.records.recording import RejectedRecord


def examples_of(
    scans: Sequence[Scan],
    *,
    height: int,
    width: int,
    channels: int,
    px_per_mm: float = math.nan,
) -> tuple[list[KeyExample], Account]:
    """One example per readable scan, and the account of what was read and refused.

    Args:
        scans: of `scans_by_split`.
        height: of the stored pictures.
        width: of the stored pictures.
        channels: 1 or 3.
        px_per_mm: of the scans as they come; NaN if unknown.
    """
    account = Account()
    examples = []
    for scan in scans:
        tally = account.of(scan.source)
        try:
            page, num_pages = read_picture(scan.path, record_id=scan.record_id, channels=channels)
            picture, scale = fit_into(page, height=height, width=width, record_id=scan.record_id)
        except RejectedRecord as fault:
            tally.add_rejected(fault)
            continue
        tally.add_read(1)
        account.counts["with further pages, which are not read"] += num_pages > 1
        account.counts["taller than wide, stored as they are"] += page.height > page.width
        account.counts["enlarged"] += scale > 1
        example = _example(scan, as_png(picture), px_per_mm=px_per_mm * scale)
        examples.append((f"{scan.source}/{scan.record_id}", example))
    # A count of zero is not worth a line.
    account.counts = +account.counts
    return examples, account


def _example(scan: Scan, image: io.BytesIO, *, px_per_mm: float) -> dict[str, Any]:
    return {
        "image": image,
        "record_id": scan.record_id,
        "patient_id": scan.patient_id,
        "source": scan.source,
        "segment": 0,
        "start_s": 0.0,
        "original_rate_hz": math.nan,
        "diagnoses": [],
        "group": group_of(scan.source, scan.patient_id),
        "px_per_mm": px_per_mm,
        **scan.features,
    }
