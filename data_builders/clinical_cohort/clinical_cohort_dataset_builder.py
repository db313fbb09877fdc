"""A folder of scanned or photographed ECGs with their outcomes, as a dataset."""

import functools
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from data_builders import parallel
from data_builders.account import Account
from data_builders.clinical_cohort.cohorts import CONFIGS
from data_builders.clinical_cohort.description import Description, read_description
from data_builders.clinical_cohort.listings import Listing, read_listing
from data_builders.clinical_cohort.outcomes import tell
from data_builders.clinical_cohort.scan_examples import examples_of
from data_builders.clinical_cohort.scans import Scan, scans_by_split
from data_builders.ecg_dataset import EcgBuilder, dataset_info, manual_folder
from data_builders.features import any_of, ecg_features
from ecgmae_jax.scans.normalise import Steps


class Builder(EcgBuilder):
    """A clinic's pictures; splits as the cohort's table says, else by patient 70 : 15 : 15."""

    VERSION = tfds.core.Version("1.1.0")
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "Give the folder with the scans as --manual_dir: class folders, annotations.txt or "
        "table.csv, and cohort.toml where the defaults do not fit (docs/clinical.md)."
    )
    builder_configs = CONFIGS
    BUILDER_CONFIGS = [CONFIGS["custom"]]  # noqa: RUF012
    _cohort: tuple[Description, Listing] = (Description(), Listing([], {}))
    _info_of_cohort: tfds.core.DatasetInfo | None = None

    @property
    def info(self) -> tfds.core.DatasetInfo:
        """Without features until the cohort has been read; TFDS takes a built one's from disk."""
        return self._info_of_cohort or super().info

    def _info(self) -> tfds.core.DatasetInfo:
        description, listing = self._cohort
        several = [name for name, outcome in listing.outcomes.items() if outcome.several]
        geometry = {
            name: fact for name, fact in description.geometry.items() if name != "px_per_mm"
        }
        return dataset_info(
            self,
            _features(description, listing) if listing.rows else None,
            picture={**description.picture, **geometry, "origin": "scans"},
            unlabelled_means_missing=several,
            description=__doc__,
            license="The cohort's own; most are not for publication.",
        )

    def _generate_splits(self, dl_manager: Any, download_config: Any) -> Any:
        # The columns and classes, and with them the features, are known only with the folder.
        folder = manual_folder(dl_manager)
        description = read_description(folder, self.builder_config.cohort)
        self._cohort = description, read_listing(folder, description)
        file_format = self.info.file_format
        self._info_of_cohort = self._info()
        self._info_of_cohort.set_file_format(file_format)
        return super()._generate_splits(dl_manager, download_config)

    def _entries(
        self, dl_manager: tfds.download.DownloadManager, account: Account
    ) -> dict[str, list[Scan]]:
        description, listing = self._cohort
        by_split = scans_by_split(manual_folder(dl_manager), description, listing, account)
        features = [scan.features for scans in by_split.values() for scan in scans]
        for name, outcome in listing.outcomes.items():
            account.notes += tell(name, outcome, [known["labels"][name] for known in features])
        return by_split

    def _make_examples(self) -> parallel.MakeExamples:
        description, _ = self._cohort
        px_per_mm = description.geometry.get("px_per_mm", float("nan"))
        steps = dict(description.normalise)
        return functools.partial(
            examples_of,
            **description.picture,
            px_per_mm=px_per_mm,
            target_px_per_mm=steps.pop("px_per_mm", None),
            steps=Steps(**steps),
        )


def _features(description: Description, listing: Listing) -> tfds.features.FeaturesDict:
    size = description.picture
    shape = (size["height"], size["width"], size["channels"])
    labels = {
        name: any_of(outcome.classes)
        if outcome.several
        else tfds.features.ClassLabel(names=list(outcome.classes))
        for name, outcome in listing.outcomes.items()
    }
    return ecg_features(
        {"image": tfds.features.Image(shape=shape, encoding_format="png")},
        labels=labels,
        px_per_mm=np.float32,
        normalisation=tfds.features.Text(),
        recorded_on=tfds.features.Text(),
    )
