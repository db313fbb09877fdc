"""A folder of scanned or photographed ECGs with their outcomes, as a dataset."""

import functools
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from data_builders import parallel
from data_builders.account import Account
from data_builders.clinical_cohort.cohorts import CONFIGS
from data_builders.clinical_cohort.scan_examples import examples_of
from data_builders.ecg_dataset import EcgBuilder, dataset_info, manual_folder
from data_builders.features import any_of, ecg_features
from ecgmae_jax.cohorts.outcome_summaries import tell
from ecgmae_jax.cohorts.outcomes import Outcome
from ecgmae_jax.cohorts.private_files import private_files
from ecgmae_jax.cohorts.scans import Cohort, Scan, read_cohort
from ecgmae_jax.cohorts.split_scans import cohort_splits, split_scans, unique_scans
from ecgmae_jax.cohorts.stored_pictures import PictureForm, picture_form


class Builder(EcgBuilder):
    """A clinic's pictures; splits as the cohort's file or table says, else by patient 70 : 15 : 15.

    Nothing that is written names a patient or a file: pseudonyms under the user's key alone.
    """

    VERSION = tfds.core.Version("2.0.0")
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "Give the folder with the scans as --manual_dir: class folders, annotations.txt or "
        "table.csv, and cohort.toml with the user's key (docs/clinical.md)."
    )
    builder_configs = CONFIGS
    BUILDER_CONFIGS = [CONFIGS["custom"]]  # noqa: RUF012
    _cohort: Cohort | None = None
    _splits: Any = None
    _info_of_cohort: tfds.core.DatasetInfo | None = None

    @property
    def info(self) -> tfds.core.DatasetInfo:
        """Without features until the cohort has been read; TFDS takes a built one's from disk."""
        return self._info_of_cohort or super().info

    def download_and_prepare(self, **kwargs: Any) -> None:
        """Builds the dataset; its folders and files are for their owner alone."""
        with private_files():
            super().download_and_prepare(**kwargs)

    def _info(self) -> tfds.core.DatasetInfo:
        cohort: Any = self._cohort
        about = {
            "description": __doc__,
            "license": "The cohort's own; most are not for publication.",
        }
        if cohort is None:
            unknown: Any = None
            return dataset_info(self, unknown, picture={"origin": "scans"}, **about)
        outcomes = cohort.listing.outcomes
        known = dict(cohort.description.geometry) | self._form().as_dict()
        # Of the scans as they come; the pictures have their own, example by example.
        if not cohort.description.normalise["ink"]:
            known.pop("px_per_mm", None)
        info = dataset_info(
            self,
            _features(cohort),
            picture={**known, "origin": "scans"},
            unlabelled_means_missing=[name for name, one in outcomes.items() if one.several],
            **about,
        )
        metadata: Any = info.metadata
        metadata["targets"] = {
            name: {"type": one.type, "unit": one.unit}
            for name, one in outcomes.items()
            if one.is_number
        }
        if self._splits is not None:
            metadata["splits"] = self._splits.as_dict()
        return info

    def _generate_splits(self, dl_manager: Any, download_config: Any) -> Any:
        # The columns and classes, and with them the features, are known only with the folder.
        self._cohort = read_cohort(manual_folder(dl_manager), self.builder_config.cohort)
        self._splits = cohort_splits(self._cohort)
        file_format = self.info.file_format
        self._info_of_cohort = self._info()
        self._info_of_cohort.set_file_format(file_format)
        return super()._generate_splits(dl_manager, download_config)

    def _entries(
        self, dl_manager: tfds.download.DownloadManager, account: Account
    ) -> dict[str, list[Scan]]:
        del dl_manager
        cohort: Any = self._cohort
        scans, repeated = unique_scans(cohort.scans)
        by_split = split_scans(cohort, scans, self._splits)
        tally = account.of(cohort.description.source)
        for fault in (*cohort.rejections, *repeated):
            tally.add_rejected(fault)
        account.counts += cohort.counts
        account.notes += cohort.notes
        left_out = len(scans) - sum(map(len, by_split.values()))
        if left_out:
            account.notes.append(f"scans of patients that the splits file leaves out: {left_out}")
        for name, outcome in cohort.listing.outcomes.items():
            kind = "targets" if outcome.is_number else "labels"
            values = [s.features[kind][name] for some in by_split.values() for s in some]
            account.notes += tell(name, outcome, values)
        return by_split

    def _make_examples(self) -> parallel.MakeExamples:
        return functools.partial(examples_of, form=self._form())

    def _form(self) -> PictureForm:
        cohort: Any = self._cohort
        description = cohort.description
        return picture_form(
            description.picture,
            normalise=description.normalise,
            geometry=description.geometry,
            masks=description.masks,
        )


def _features(cohort: Cohort) -> tfds.features.FeaturesDict:
    size = cohort.description.picture
    shape = (size["height"], size["width"], size["channels"])
    outcomes = cohort.listing.outcomes
    labels = {name: _label(one) for name, one in outcomes.items() if not one.is_number}
    targets = {name: _target(one) for name, one in outcomes.items() if one.is_number}
    text = tfds.features.Text()
    return ecg_features(
        {"image": tfds.features.Image(shape=shape, encoding_format="png")},
        labels=labels,
        **({"targets": targets} if targets else {}),
        px_per_mm=np.float32,
        normalisation=text,
        recorded_on=text,
        site=text,
        device=text,
    )


def _label(outcome: Outcome) -> tfds.features.FeatureConnector:
    if outcome.several:
        return any_of(outcome.classes)
    return tfds.features.ClassLabel(names=list(outcome.classes))


def _target(outcome: Outcome) -> dict[str, Any]:
    fields = ("value",) if outcome.type == "continuous" else ("time", "event")
    return dict.fromkeys(fields, np.float32)
