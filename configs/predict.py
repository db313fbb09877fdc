r"""Answers of a fine-tuned model or a probe in the format of the PhysioNet/CinC Challenges.

    python main.py --config=configs/predict.py:physionet2021 --workdir=runs/physionet/predict \
        --config.model=runs/physionet/finetune --config.data.data_dir=<out> \
        --config.validation.data_dir=<out>
    python main.py --config=configs/predict.py:demo --workdir=runs/demo/predict

Writes outputs/<record>.csv, which `python -m ecgmae_jax.evaluation.challenge` scores.
"""

import ml_collections

from configs import common

# SNOMED CT codes of the simulated conditions, as their recordings have them.
_DEMO_CODES = {
    "sinus_rhythm": "426783006",
    "sinus_bradycardia": "426177001",
    "sinus_tachycardia": "427084000",
    "atrial_fibrillation": "164889003",
    "first_degree_av_block": "270492004",
    "left_bundle_branch_block": "164909002|733534002",
    "right_bundle_branch_block": "59118001|713427006",
    "left_ventricular_hypertrophy": "164873001",
    "anterior_st_elevation": "54329005",
    "inferior_st_elevation": "73795002",
    "premature_ventricular_contractions": "427172004|17338001",
}


def get_config(variant: str = "physionet2021") -> ml_collections.ConfigDict:
    """The run named `variant`: physionet2021 or demo."""
    config = ml_collections.ConfigDict()
    config.program = "predict"
    # The workdir of finetune, or a file of linear_probe's folder probes/.
    config.model = "runs/physionet/finetune"
    config.data = common.dataset(
        name="physionet2021", config="sheet", data_dir="~/tensorflow_datasets"
    )
    config.splits = ("validation",)
    # Where thresholds are fixed: labelled, not predicted, and best not trained on either.
    config.validation = config.data.to_dict() | {"split": "train[90%:]"}
    # A class is called from this probability on: F1 (greatest F-measure), Youden (greatest
    # sensitivity plus specificity), 'sensitivity 0.9' (the highest that reaches it), or half.
    config.threshold = "Youden"
    # Several pictures of a record: model (as it was fitted), or mean or max of probabilities.
    config.pooling = "model"
    # Class -> its columns in the outputs, joined by |; the Challenge's own classes are known.
    config.codes = {}
    config.batch_size = 64
    config.compute = {"dtype": "auto", "attention": "auto", "remat": "none", "unroll": False}
    {"physionet2021": lambda _: None, "demo": _demo}[variant](config)
    return config


def _demo(config: ml_collections.ConfigDict) -> None:
    config.model = "runs/demo/finetune"
    config.data = common.demo_dataset()
    config.splits = ("test",)
    config.validation = common.demo_dataset() | {"split": "validation"}
    config.codes = _DEMO_CODES
