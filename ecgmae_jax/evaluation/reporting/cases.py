"""The records a reader wants to see: the surest right calls and the gravest errors."""

import base64
import io
import pathlib
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.reporting.prediction_files import TEST, Predictions

_WIDTH = 1100
_SUFFIXES = (".png", ".jpg", ".jpeg")


def choose_cases(predictions: Predictions, *, count: int) -> list[dict[str, Any]]:
    """Up to `count` test records of each kind for each label, by the first model.

    `found` and `missed` have the label and the highest and lowest probabilities, `false alarm` does
    not have it and has the highest.
    """
    model = next(iter(predictions.probabilities))
    test = np.flatnonzero(predictions.rows(TEST, *predictions.probabilities))
    cases = []
    for k, label in enumerate(predictions.classes):
        truth, probability = predictions.truth[test, k], predictions.probabilities[model][test, k]
        for kind, has_label, sign in (("found", 1, -1), ("missed", 1, 1), ("false alarm", 0, -1)):
            there = np.flatnonzero(truth == has_label)
            order = there[np.argsort(sign * probability[there], kind="stable")]
            for row in order[:count]:
                record = predictions.frame.iloc[test[row]].to_dict()
                others = np.flatnonzero(predictions.truth[test[row]])
                cases.append(
                    {
                        "label": label,
                        "kind": kind,
                        "record_id": record["record_id"],
                        "source": record["source"],
                        "probability": float(probability[row]),
                        "truth": [predictions.classes[other] for other in others],
                        "age_years": None
                        if np.isnan(record["age_years"])
                        else float(record["age_years"]),
                        "sex": record["sex"] or "unknown",
                    }
                )
    return cases


def picture_uri(folder: pathlib.Path, record_id: str) -> str | None:
    """The record's picture in the folder as a data URI, at most 1,100 pixels wide; None if absent.

    Raises:
        InputError: no such folder, or a file that is no picture.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; name one with <record_id>.png files, or none")
    for suffix in _SUFFIXES:
        path = folder / f"{record_id}{suffix}"
        # A record's name is not a path: it must not lead out of the folder.
        if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
            return _as_uri(path)
    return None


def _as_uri(path: pathlib.Path) -> str:
    try:
        with Image.open(path) as file:
            picture = file.convert("RGB")
    except (UnidentifiedImageError, OSError) as fault:
        raise InputError(f"{path} cannot be read as a picture; make it again") from fault
    if picture.width > _WIDTH:
        height = round(picture.height * _WIDTH / picture.width)
        picture = picture.resize((_WIDTH, height), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
