"""A folder of scans, each as it is, as a model will see it, and what was done in between."""

import dataclasses
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ecgmae_jax.cohorts.stored_pictures import PictureForm, stored_picture
from ecgmae_jax.errors import InputError
from ecgmae_jax.records.recording import RejectedRecord
from ecgmae_jax.scans.blank_paper import OnBlankPaper
from ecgmae_jax.scans.decoding import SUFFIXES, read_picture
from ecgmae_jax.scans.framing import fit_into

_BLANK = 230


@dataclasses.dataclass(frozen=True, eq=False)
class Preview:
    """What is shown of one picture.

    Attributes:
        pictures: uint8 (h, w, c), of one size.
        row: of the table.
    """

    pictures: Sequence[np.ndarray]
    caption: str
    row: Mapping[str, Any]


def scans_in(folder: pathlib.Path) -> list[pathlib.Path]:
    """The pictures below a folder, told by their suffix, in order.

    Raises:
        InputError: for what is no folder, and for a folder without pictures.
    """
    if not folder.is_dir():
        raise InputError(f"config.folder is {folder}, which is no folder")
    found = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES]
    visible = [path for path in found if not path.name.startswith(".")]
    if not visible:
        raise InputError(f"{folder} holds no pictures; expected {', '.join(sorted(SUFFIXES))}")
    return visible


def preview_of(
    path: pathlib.Path,
    *,
    name: str,
    form: PictureForm,
    resize: Sequence[Callable],
) -> Preview:
    """The file as it is on the left, and on the right what a model of that input size sees."""
    blank = np.full((form.height, form.width, 3), _BLANK, np.uint8)
    before = blank
    try:
        page, _ = read_picture(path, record_id=name, channels=3)
        before = fit_into(page, height=form.height, width=form.width, record_id=name).pixels
        stored = stored_picture(page, form, record_id=name)
    except RejectedRecord as fault:
        reason = f"{fault.code}: {fault.detail}"
        row = {"file": name, "outcome": "refused", "reason": reason}
        return Preview([before, blank], f"{name}: refused, {reason}", row)
    framed, scan = stored.framed, stored.scan
    example = {"image": framed.pixels}
    for transform in resize:
        example = transform(example, np.random.default_rng(0))
    words = [scan.account.in_words()]
    if form.target_px_per_mm is not None and not (scan.at_target and framed.scale == 1):
        words.append("shown whole, not at the scale asked for")
    if isinstance(framed, OnBlankPaper):
        words.append(_of_ink(framed))
    if framed.cut:
        words.append(f"{framed.cut:.1%} of it cut off")
    row = {"file": name, "outcome": "normalised", **scan.account.as_dict(), **framed.as_dict()}
    row["stored_px_per_mm"] = scan.px_per_mm and stored.px_per_mm
    return Preview([before, example["image"]], f"{name}: {'; '.join(words)}", row)


def _of_ink(framed: OnBlankPaper) -> str:
    down, right = framed.moved
    by_layout = ", its scale told by the layout" if framed.scale_by_layout else ""
    return (
        f"ink alone{by_layout}, moved by {down:+.1f} px down and {right:+.1f} right (likeness to "
        f"the layout {framed.likeness:.2f}, {framed.ink_cut:.1%} of the ink cut off)"
    )
