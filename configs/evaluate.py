r"""Test of a fine-tuned model, or of a fitted probe, on another dataset or split.

    python main.py --config=configs/evaluate.py --workdir=runs/ptbxl/evaluate \
        --config.model=runs/ptbxl/finetune --config.data.data_dir=<out>
    python main.py --config=configs/evaluate.py --workdir=runs/ptbxl/evaluate_probe \
        --config.model=runs/ptbxl/linear_probe/probes/MAE_superclass.npz \
        --config.data.data_dir=<out>
    python main.py --config=configs/evaluate.py:demo --workdir=runs/demo/evaluate

The dataset must have the model's label with the same classes, on sheets of the same geometry.
"""

import ml_collections

from configs import common


def get_config(variant: str = "ptb_xl") -> ml_collections.ConfigDict:
    """The run named `variant`: ptb_xl or demo."""
    config = ml_collections.ConfigDict()
    config.program = "evaluate"
    config.seed = 0
    # Go on although test patients were in the training data; every output says so.
    config.allow_overlap = False
    # The workdir of finetune, or a file of linear_probe's folder probes/.
    config.model = {"ptb_xl": "runs/ptbxl/finetune", "demo": "runs/demo/finetune"}[variant]
    config.data = {"ptb_xl": common.ptb_xl_dataset, "demo": common.demo_dataset}[variant]()
    config.splits = ("test",)
    # Splits that the report program may fix thresholds and a recalibration on: predicted, and in
    # no figure here.
    config.validation = ("validation",)
    config.batch_size = 64
    config.compute = {"dtype": "auto", "attention": "auto", "remat": "none", "unroll": False}
    config.bootstrap = {"resamples": 1_000, "confidence": 0.95}
    return config
