"""The benchmark of PTB-XL (Strodthoff et al. 2021, doi:10.1109/JBHI.2020.3022989), frozen features.

    python main.py --config=configs/embed.py --workdir=runs/ptbxl/embed --config.data.data_dir=<out>
    python main.py --config=configs/ptbxl.py:super --workdir=runs/ptbxl/super

Its six tasks, on its folds: 1-8 train, 10 tests; fold 9 is left to fix thresholds on. C is chosen
by cross-validation within folds 1-8 that keeps patients whole, and neither on fold 9 nor on 10.
Records without a label of the task are dropped. Macro AUROC over all labels and over those with at
least 10 test positives, both counts stated; intervals from 5 to 95 % of 100 resamples, drawn again
where a class is missing. Two points differ: patients are resampled and not records, and where one
resample in twenty or fewer holds every label, the mean over all labels goes without an interval.

Variants (--config=configs/ptbxl.py:<variant>), each also as <variant>_fold9, tested on fold 9:
    super   5 diagnostic superclasses (default)
    sub     23 diagnostic subclasses
    diag    44 diagnostic statements
    form    19 statements on the form
    rhythm  12 statements on the rhythm
    all     71 statements
"""

import ml_collections

_LABELS = {
    "super": "superclass",
    "sub": "subclass",
    "diag": "diagnostic",
    "form": "form",
    "rhythm": "rhythm",
    "all": "statements",
}


def get_config(variant: str = "super") -> ml_collections.ConfigDict:
    """The run named `variant`."""
    task, _, fold = variant.partition("_")
    on_fold = {"": _on_fold_10, "fold9": _on_fold_9}[fold]
    config = ml_collections.ConfigDict()
    config.program = "linear_probe"
    config.seed = 0
    folder = "runs/ptbxl/embed"
    config.rows = {
        "MAE": f"{folder}/embeddings.parquet",
        "random": f"{folder}/embeddings_random.parquet",
        "convolutions": f"{folder}/embeddings_convolutions.parquet",
        "PCA": f"{folder}/embeddings_pca.parquet",
    }
    config.order = ("MAE", "random", "convolutions", "PCA", "age+sex")
    config.labels = (_LABELS[task],)
    config.outcomes = ()
    config.aggregation = "mean"
    config.probe = {"grid": tuple(10.0**power for power in range(-6, 2)), "folds": 5}
    config.readouts = {}
    config.few_shot = {"shares": (0.01, 0.05, 0.1, 1.0), "draws": 3}
    config.bootstrap = {"resamples": 100, "confidence": 0.9}
    on_fold(config)
    return config


def _on_fold_10(config: ml_collections.ConfigDict) -> None:
    config.splits = {"train": ("train",), "validation": ("validation",), "test": ("test",)}
    config.allow_overlap = False


def _on_fold_9(config: ml_collections.ConfigDict) -> None:
    config.splits = {"train": ("train",), "validation": (), "test": ("validation",)}
