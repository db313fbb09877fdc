"""PTB-XL: 21,799 ten-second 12-lead ECGs of 18,869 patients with 71 kinds of statements."""

import numpy as np
import tensorflow_datasets as tfds

from data_builders.account import Account
from data_builders.ecg_config import standard_configs
from data_builders.ecg_dataset import EcgBuilder, dataset_info, manual_folder
from data_builders.examples import Entry
from data_builders.features import any_of, content_features, ecg_features, picture_metadata
from data_builders.ptb_xl.records import entries_by_split
from data_builders.ptb_xl.statements import STATEMENTS, label_classes, read_statements
from ecgmae_jax.errors import InputError


class Builder(EcgBuilder):
    """PTB-XL from its official folder; folds 1-8 train, 9 validation, 10 test."""

    VERSION = tfds.core.Version("1.0.0")
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "Unpack https://physionet.org/content/ptb-xl/1.0.3/ (1.7 GB) and give the folder that "
        "holds ptbxl_database.csv as --manual_dir."
    )
    builder_configs = standard_configs()
    BUILDER_CONFIGS = [builder_configs["sheet"]]  # noqa: RUF012

    def _info(self) -> tfds.core.DatasetInfo:
        labels = {task: any_of(classes) for task, classes in label_classes().items()}
        return dataset_info(
            self,
            ecg_features(content_features(self.builder_config), labels=labels, strat_fold=np.int32),
            picture=picture_metadata(self.builder_config),
            unlabelled_means_missing=list(labels),
            description=__doc__,
            homepage="https://physionet.org/content/ptb-xl/1.0.3/",
            license="CC BY 4.0",
            citation="Wagner P et al. PTB-XL, a large publicly available electrocardiography "
            "dataset. Scientific Data 7:154, 2020. https://doi.org/10.1038/s41597-020-0495-6",
        )

    def _entries(
        self, dl_manager: tfds.download.DownloadManager, account: Account
    ) -> dict[str, list[Entry]]:
        folder = manual_folder(dl_manager)
        entries = entries_by_split(folder, account)
        if read_statements(folder / "scp_statements.csv") != STATEMENTS:
            raise InputError(
                f"{folder}/scp_statements.csv groups the statements in another way than PTB-XL "
                "1.0.3 does, which the labels of this builder follow: use that version"
            )
        return entries
