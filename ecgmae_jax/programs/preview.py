"""Shows pictures exactly as a model sees them: those of a dataset, or a folder of scans."""

import csv
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import ml_collections
import numpy as np

from ecgmae_jax.cohorts.description import Description, read_description
from ecgmae_jax.cohorts.private_files import private_files
from ecgmae_jax.cohorts.stored_pictures import picture_form
from ecgmae_jax.data.loaders import make_eval_loader
from ecgmae_jax.data.source import Dataset, open_dataset
from ecgmae_jax.errors import InputError
from ecgmae_jax.programs import encoders, inputs, workdirs
from ecgmae_jax.programs.contact_sheets import contact_sheet
from ecgmae_jax.programs.scan_previews import Preview, preview_of, scans_in
from ecgmae_jax.spreadsheets import safe_cell


def run(config: ml_collections.ConfigDict, workdir: pathlib.Path) -> None:
    """Writes `preview.png`, and `preview.csv` with a row for each picture."""
    if config.num_pictures < 1:
        raise InputError(f"config.num_pictures is {config.num_pictures}; expected 1 or more")
    specification = None
    if config.checkpoint:
        pretrained = encoders.load_pretrained(config.checkpoint, which=config.which)
        specification = pretrained.specification
    if config.folder:
        previews = _of_folder(config, specification)
        data = {}
    else:
        dataset = open_dataset(**config.data, split=config.split)
        previews = _of_dataset(dataset, specification, config.num_pictures)
        data = {dataset.name: dataset.fingerprint}
    # Scans and the names of their files may tell who the patients are.
    with private_files():
        workdirs.open_workdir(workdir, config, data=data)
        _write_csv(workdir / "preview.csv", [one.row for one in previews])
        path = workdir / "preview.png"
        contact_sheet([(one.pictures, one.caption) for one in previews]).save(path)
    print(path)


def _of_folder(
    config: ml_collections.ConfigDict, specification: Mapping[str, Any] | None
) -> list[Preview]:
    folder = pathlib.Path(config.folder).expanduser()
    picture = config.picture.to_dict() if specification is None else specification["picture"]
    resize = () if specification is None else inputs.resizing(picture, specification)
    # What a build of the folder as a cohort paints over, and knows of its sheets.
    cohort = read_description(folder, Description())
    geometry = config.geometry.to_dict() | dict(cohort.geometry)
    form = picture_form(
        {name: picture[name] for name in ("height", "width", "channels")},
        normalise=config.normalise.to_dict(),
        geometry=geometry,
        masks=cohort.masks,
    )
    if specification is not None and form.sheet not in (None, inputs.sheet_of(specification)):
        raise InputError(
            f"config.normalise.ink puts the ink on a blank sheet of {geometry}, and the model of "
            f"{config.checkpoint} was trained on another sheet; name a model that was trained on "
            "this one, or leave the ink out"
        )
    return [
        preview_of(path, name=path.relative_to(folder).as_posix(), form=form, resize=resize)
        for path in scans_in(folder)[: config.num_pictures]
    ]


def _of_dataset(
    dataset: Dataset, specification: Mapping[str, Any] | None, num_pictures: int
) -> list[Preview]:
    """The first pictures of the split; a model's mean and deviation change nothing to be seen."""
    if specification is not None:
        inputs.check_input(dataset, specification)
        batches = encoders.eval_batches(dataset, specification, batch_size=num_pictures)
    elif "height" in dataset.picture:
        batches = make_eval_loader(dataset, batch_size=num_pictures)
    else:
        raise InputError(
            f"{dataset.name}/{dataset.config} holds signals, which are drawn as a model's pictures "
            "were; name the model with --config.checkpoint, or choose --config.data.config=sheet"
        )
    batch = next(iter(batches))
    return [
        _of_example(dataset, int(index), image)
        for index, image, mask in zip(batch["index"], batch["image"], batch["mask"], strict=True)
        if mask > 0
    ]


def _of_example(dataset: Dataset, index: int, image: np.ndarray) -> Preview:
    example = dataset.source[index]
    known = ("record_id", "patient_id", "source", "segment", "px_per_mm")
    row = {name: example[name] for name in known if name in example}
    # Of clinical_cohort.
    row |= json.loads(example.get("normalisation", "{}"))
    return Preview([np.asarray(image)], f"{example['source']}/{example['record_id']}", row)


def _write_csv(path: pathlib.Path, rows: Sequence[Mapping[str, Any]]) -> None:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        for row in rows:
            cells = {name: safe_cell(v) if isinstance(v, str) else v for name, v in row.items()}
            writer.writerow(cells)
