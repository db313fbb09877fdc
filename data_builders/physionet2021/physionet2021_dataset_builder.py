"""PhysioNet/CinC Challenge 2021: 88,253 12-lead ECGs from eight sources with SNOMED CT codes."""

import dataclasses

import tensorflow_datasets as tfds

from data_builders.account import Account
from data_builders.ecg_config import EcgConfig, standard_configs
from data_builders.ecg_dataset import EcgBuilder, dataset_info, manual_folder
from data_builders.examples import Entry
from data_builders.features import any_of, content_features, ecg_features, picture_metadata
from data_builders.physionet2021.diagnoses import SNOMED_CODES, labels_of
from data_builders.physionet2021.records import SOURCES, entries_by_split
from ecgmae_jax.records.diagnoses import SCORED_CLASSES


@dataclasses.dataclass(eq=False, kw_only=True)
class Challenge2021Config(EcgConfig):
    """Which of the eight sources, and what is stored of them."""

    sources: tuple[str, ...] = SOURCES


def _configs() -> dict[str, EcgConfig]:
    configs = standard_configs(Challenge2021Config)
    for source in SOURCES:
        for form in ("sheet", "signal"):
            name = f"{form}_{source.replace('-', '_')}"
            configs[name] = Challenge2021Config(name=name, form=form, sources=(source,))
    return configs


class Builder(EcgBuilder):
    """The Challenge's training folder; nine records in ten train, the others validate."""

    VERSION = tfds.core.Version("1.0.0")
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "Unpack https://physionet.org/content/challenge-2021/1.0.3/ and give the folder that "
        "holds training/ as --manual_dir."
    )
    builder_configs = _configs()
    BUILDER_CONFIGS = [builder_configs["sheet"]]  # noqa: RUF012
    labels_of = staticmethod(labels_of)
    known_codes = frozenset(SNOMED_CODES)

    def _info(self) -> tfds.core.DatasetInfo:
        labels = {"snomed": any_of(SNOMED_CODES), "scored": any_of(SCORED_CLASSES)}
        return dataset_info(
            self,
            ecg_features(content_features(self.builder_config), labels=labels),
            picture=picture_metadata(self.builder_config),
            # A record whose diagnoses are all unscored is a negative for the scored classes.
            unlabelled_means_missing=["snomed"],
            description=__doc__,
            homepage="https://physionet.org/content/challenge-2021/1.0.3/",
            license="CC BY 4.0",
            citation="Reyna MA et al. Will two do? Varying dimensions in electrocardiography: the "
            "PhysioNet/Computing in Cardiology Challenge 2021. Computing in Cardiology 48, 2021.",
        )

    def _entries(
        self, dl_manager: tfds.download.DownloadManager, account: Account
    ) -> dict[str, list[Entry]]:
        return entries_by_split(manual_folder(dl_manager), self.builder_config.sources, account)
