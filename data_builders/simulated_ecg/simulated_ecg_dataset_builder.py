"""Simulated twelve-lead ECGs of eleven conditions, built without any download."""

import dataclasses
import functools
from typing import Any

import tensorflow_datasets as tfds

from data_builders import parallel
from data_builders.account import Account
from data_builders.ecg_config import EcgConfig, standard_configs
from data_builders.ecg_dataset import EcgBuilder, dataset_info
from data_builders.features import any_of, content_features, ecg_features, picture_metadata
from data_builders.simulated_ecg import population
from data_builders.simulated_ecg.conditions import CONDITION_NAMES


@dataclasses.dataclass(eq=False, kw_only=True)
class SimulatedEcgConfig(EcgConfig):
    """What is stored of whom; 77 patients of each condition make about 1,100 recordings."""

    patients_per_condition: int = 77
    seed: int = 0


_CONFIGS = standard_configs(SimulatedEcgConfig)


class Builder(EcgBuilder):
    """Patients drawn from a heart-vector model, recorded, and read back like any real data set."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First version."}  # noqa: RUF012
    BUILDER_CONFIGS = [_CONFIGS["sheet"]]  # noqa: RUF012
    builder_configs = _CONFIGS
    labels_of = staticmethod(population.labels_of)

    def _info(self) -> tfds.core.DatasetInfo:
        labels = {
            "condition": tfds.features.ClassLabel(names=list(CONDITION_NAMES)),
            "findings": any_of(CONDITION_NAMES),
        }
        return dataset_info(
            self,
            ecg_features(content_features(self.builder_config), labels=labels),
            picture=picture_metadata(self.builder_config),
            description=(
                "Ten-second twelve-lead ECGs of simulated patients with eleven conditions: a "
                "moving heart dipole (Sameni et al. 2007), seen by Dower's leads, with noise. "
                "For demonstrations and tests; it says nothing about real patients."
            ),
            license="Made by this builder; free of rights.",
        )

    def _entries(
        self, dl_manager: tfds.download.DownloadManager, account: Account
    ) -> dict[str, list[Any]]:
        del dl_manager, account
        return population.draw_population(
            patients_per_condition=self.builder_config.patients_per_condition,
            seed=self.builder_config.seed,
        )

    def _make_examples(self) -> parallel.MakeExamples:
        return functools.partial(
            population.examples_by_way_of_files, make_examples=super()._make_examples()
        )
