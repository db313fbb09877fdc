"""A toy dataset with the features that every builder shares, built once without TensorFlow."""

import io
import pathlib

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

NUM_EXAMPLES = {"train": 23, "validation": 6}
HEIGHT, WIDTH = 24, 40
CLASSES = ("NORM", "MI", "CD")
FINDINGS = ("low voltage", "st elevation", "pvc", "af")


class ToyEcg(tfds.core.GeneratorBasedBuilder):
    """Grey pictures of one line; record k of a split has its line in row k % HEIGHT."""

    VERSION = tfds.core.Version("1.2.0")
    BUILDER_CONFIGS = (tfds.core.BuilderConfig(name="sheet"),)

    def _info(self):
        text = tfds.features.Text()
        features = {
            "image": tfds.features.Image(shape=(HEIGHT, WIDTH, 1), encoding_format="png"),
            "record_id": text,
            "patient_id": text,
            "source": text,
            "segment": np.int32,
            "start_s": np.float32,
            "diagnoses": tfds.features.Sequence(text),
            "age_years": np.float32,
            "sex": text,
            "group": text,
            "labels": {
                "superclass": tfds.features.Sequence(tfds.features.ClassLabel(names=CLASSES)),
                "findings": tfds.features.Sequence(tfds.features.ClassLabel(names=FINDINGS)),
                "rhythm": tfds.features.ClassLabel(names=["sinus", "other"]),
            },
        }
        metadata = tfds.core.MetadataDict(
            {
                "picture": {"layout": "3x4", "height": HEIGHT, "width": WIDTH, "px_per_mm": 1.5},
                "tally": {"read": 29},
                "unlabelled_means_missing": ["superclass"],
            }
        )
        return tfds.core.DatasetInfo(
            builder=self, features=tfds.features.FeaturesDict(features), metadata=metadata
        )

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(split) for split in NUM_EXAMPLES}

    def _generate_examples(self, split):
        for k in range(NUM_EXAMPLES[split]):
            image = np.full((HEIGHT, WIDTH), 255, np.uint8)
            image[k % HEIGHT] = 0
            png = io.BytesIO()
            Image.fromarray(image).save(png, format="PNG")
            png.seek(0)
            yield (
                f"{split}-{k:03d}",
                {
                    "image": png,
                    "record_id": f"{split}-{k:03d}",
                    "patient_id": f"p{k // 2}",
                    "source": "toy",
                    "segment": 0,
                    "start_s": 0.0,
                    "diagnoses": ["426783006"] * (k % 3),
                    "age_years": float("nan") if k == 0 else 40.0 + k,
                    "sex": "female" if k % 2 else "male",
                    "group": f"{k // 2:016x}",
                    "labels": {
                        "superclass": [j for j in range(3) if (k >> j) & 1],
                        "findings": [j for j in range(4) if (k >> j) & 1],
                        "rhythm": (-1, 0, 1)[k % 3],
                    },
                },
            )


@pytest.fixture(scope="session")
def toy_data_dir(tmp_path_factory) -> pathlib.Path:
    data_dir = tmp_path_factory.mktemp("tfds")
    ToyEcg(
        config="sheet", data_dir=str(data_dir), file_format="array_record"
    ).download_and_prepare()
    return data_dir
