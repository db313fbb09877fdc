r"""Splits of a cohort by patient, written once to a file that the build and every program reads.

python main.py --config=configs/make_splits.py --workdir=runs/cohort/splits \
    --config.folder=<folder> --config.stratify="('death',)"

Variants (--config=configs/make_splits.py:<variant>):
    random    70 : 15 : 15 of the patients, the outcome's classes alike in each (default)
    kfold     five folds: each tests once, the next one validates
    site      each site tests once, and trains in no other way then; the others train
    temporal  the earliest patients train, the latest test
    given     as the table's column `split` says
"""

import ml_collections


def get_config(variant: str = "random") -> ml_collections.ConfigDict:
    """The run named `variant`."""
    config = ml_collections.ConfigDict()
    config.program = "make_splits"
    config.method = variant
    config.cohort = "custom"
    config.folder = ""
    config.shares = {"train": 0.7, "validation": 0.15, "test": 0.15}
    config.folds = 5
    # Outcomes by which patients are dealt evenly.
    config.stratify = ()
    config.seed = 0
    return config
