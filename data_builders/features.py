"""The features that every dataset has under the same names."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from data_builders.contents import MISSING, NUM_SAMPLES, RATE_HZ, UV_PER_LSB
from data_builders.ecg_config import EcgConfig
from ecgmae_jax.records.leads import STANDARD_LEADS


def any_of(classes: Sequence[str]) -> tfds.features.FeatureConnector:
    """A label of which any number of classes may hold."""
    return tfds.features.Sequence(tfds.features.ClassLabel(names=list(classes)))


def content_features(config: EcgConfig) -> dict[str, tfds.features.FeatureConnector]:
    """The `image` or the `signal` of a segment of a recording, and how the image was drawn."""
    sheet = config.sheet()
    if sheet is None:
        samples = (len(STANDARD_LEADS), NUM_SAMPLES)
        # Without an encoding TFDS stores every sample as an integer of up to ten bytes.
        return {"signal": tfds.features.Tensor(shape=samples, dtype=np.int16, encoding="bytes")}
    shape = (sheet.height, sheet.width, sheet.channels)
    content = {"image": tfds.features.Image(shape=shape, encoding_format="png")}
    if config.renderer == "jax":
        content["ink_outside"] = np.float32
    if config.random_sheets:
        content |= {"sheet": np.int32, "layout": tfds.features.Text()}
    return content


def ecg_features(
    content: Mapping[str, Any], *, labels: Mapping[str, Any], **more: Any
) -> tfds.features.FeaturesDict:
    """`content`, the features that all datasets share, the labels of each task, and `more`."""
    text = tfds.features.Text()
    return tfds.features.FeaturesDict(
        {
            **content,
            "record_id": text,
            "patient_id": text,
            "source": text,
            "segment": np.int32,
            "start_s": np.float32,
            "original_rate_hz": np.float32,
            "diagnoses": tfds.features.Sequence(text),
            "age_years": np.float32,
            "sex": text,
            "group": text,
            "labels": dict(labels),
            **more,
        }
    )


def picture_metadata(config: EcgConfig) -> dict[str, Any]:
    """How the pictures were drawn, or how the samples are stored, for the metadata."""
    sheet = config.sheet()
    if config.renderer == "ecg_plot":
        # Of the sheet only the size is its own: time and voltage have different scales in it.
        size = {"height": config.height, "width": config.width, "channels": config.channels}
        return {"layout": "ecg-plot 6x2", **size, "renderer": "ecg_plot"}
    if sheet is not None:
        described = {**sheet.as_dict(), "renderer": config.renderer}
        if config.scan != "off":
            described["scan"] = config.scan
        if config.random_sheets:
            described["sheets"] = [sheet.as_dict() for sheet in config.sheets()]
        return described
    return {
        "signal": {
            "leads": list(STANDARD_LEADS),
            "num_samples": NUM_SAMPLES,
            "rate_hz": RATE_HZ,
            "uv_per_lsb": UV_PER_LSB,
            "missing": int(MISSING),
        }
    }
