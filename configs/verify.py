r"""A cohort looked at before anything is built of it: what is wrong, what is odd, and where.

python main.py --config=configs/verify.py --workdir=runs/cohort/verify --config.folder=<folder>

Every picture is decoded once: 336 scans of 0.8 megapixels took 9 s of one core. docs/clinical.md
says what is looked for. Exit code 2 where something has to be mended.

Variants: custom (any cohort, default), precise, huawei, l_harp, guangzhou.
"""

import ml_collections


def get_config(variant: str = "custom") -> ml_collections.ConfigDict:
    """The run for the cohort named `variant`, as in `tfds build --config`."""
    config = ml_collections.ConfigDict()
    config.program = "verify"
    config.cohort = variant
    config.folder = ""
    # Processes that decode; 0: this one alone.
    config.workers = 0
    return config
