"""From checked scans to examples with the features that every dataset has."""

import io
import json
import math
from collections.abc import Sequence
from typing import Any

from data_builders.account import Account
from data_builders.contents import as_png
from data_builders.examples import KeyExample
from ecgmae_jax.cohorts.scans import Scan
from ecgmae_jax.cohorts.stored_pictures import PictureForm, StoredPicture, stored_picture
from ecgmae_jax.records.recording import RejectedRecord
from ecgmae_jax.scans.blank_paper import OnBlankPaper
from ecgmae_jax.scans.decoding import read_picture

# More than this, and the stated scale is not the one the grid shows.
_SAME_SCALE = 1.05


def examples_of(scans: Sequence[Scan], *, form: PictureForm) -> tuple[list[KeyExample], Account]:
    """One example per readable scan, and the account of what was read and refused."""
    account = Account()
    examples = []
    for scan in scans:
        tally = account.of(scan.source)
        try:
            # Grids are found more surely in colour.
            page, num_pages = read_picture(scan.path, record_id=scan.record_id, channels=3)
            stored = stored_picture(page, form, record_id=scan.record_id)
        except RejectedRecord as fault:
            detail = f"{scan.place}: {fault.detail}"
            tally.add_rejected(RejectedRecord(scan.record_id, fault.code, detail))
            continue
        tally.add_read(1)
        account.counts["with further pages, which are not read"] += num_pages > 1
        account.counts["taller than wide, stored as they are"] += page.height > page.width
        account.counts["enlarged"] += stored.framed.scale > 1
        _count_steps(account, stored, form.px_per_mm)
        done = {**stored.scan.account.as_dict(), "framed": stored.framed.as_dict()}
        image = as_png(stored.framed.pixels)
        example = _example(scan, image, px_per_mm=stored.px_per_mm, normalisation=done)
        examples.append((f"{scan.source}/{scan.record_id}", example))
    # A count of zero is not worth a line.
    account.counts = +account.counts
    return examples, account


def _count_steps(account: Account, stored: StoredPicture, stated_px_per_mm: float) -> None:
    done = stored.scan.account
    account.counts["cropped to the page"] += done.crop_box is not None
    account.counts["put straight"] += done.is_turned
    account.counts["with px/mm read from the grid"] += done.px_per_mm is not None
    by_lines = done.px_per_mm is None and done.flat_px_per_mm is not None
    account.counts["with px/mm read from lines of 5 mm near the scale expected"] += by_lines
    account.counts["made flat"] += done.is_flattened
    by_layout = isinstance(stored.framed, OnBlankPaper) and stored.framed.scale_by_layout
    account.counts["with a scale told by the layout, as nothing else did"] += by_layout
    ratio = (done.px_per_mm or math.nan) / stated_px_per_mm
    differs = max(ratio, 1 / ratio) > _SAME_SCALE
    account.counts["with a grid of another px/mm than stated, which was used"] += differs


def _example(
    scan: Scan, image: io.BytesIO, *, px_per_mm: float, normalisation: dict[str, Any]
) -> dict[str, Any]:
    return {
        "image": image,
        "record_id": scan.record_id,
        "patient_id": scan.patient_id,
        "source": scan.source,
        "segment": 0,
        "start_s": 0.0,
        "original_rate_hz": math.nan,
        "diagnoses": [],
        "group": scan.group,
        "px_per_mm": px_per_mm,
        "normalisation": json.dumps(normalisation),
        **scan.features,
    }
