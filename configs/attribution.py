r"""Where a fine-tuned model, or a probe with its encoder, looks on the sheet.

    python main.py --config=configs/attribution.py --workdir=runs/ptbxl/attribution \
        --config.model=runs/ptbxl/finetune --config.data.data_dir=<out>
    python main.py --config=configs/attribution.py:demo --workdir=runs/demo/attribution

Writes overlays/<record_id>.png, attribution.csv (the share of each lead and second) and
summary.json with two checks: do the maps change when the weights are drawn anew, and does hiding
what they mark hurt more than hiding anything else.
"""

import ml_collections

from configs import common


def get_config(variant: str = "ptb_xl") -> ml_collections.ConfigDict:
    """The run named `variant`: ptb_xl or demo."""
    config = ml_collections.ConfigDict()
    config.program = "attribution"
    config.seed = 0
    # The workdir of finetune, or a file of linear_probe's folder probes/.
    config.model = {"ptb_xl": "runs/ptbxl/finetune", "demo": "runs/demo/finetune"}[variant]
    config.data = {"ptb_xl": common.ptb_xl_dataset, "demo": common.demo_dataset}[variant]()
    config.split = "test"
    # These records, or as many as said spread evenly over the split.
    config.records = ()
    config.num_records = 32
    # The class that is explained; "" is each picture's most probable one.
    config.explain = ""
    # Points of the path of integrated gradients.
    config.steps = 32
    # Shares of the patches hidden in the deletion check, and how often at random.
    config.deletion = {"shares": (0.05, 0.1, 0.2, 0.3, 0.5), "draws": 5}
    config.bootstrap = {"resamples": 1_000, "confidence": 0.95}
    config.batch_size = 8
    config.compute = {"dtype": "auto", "attention": "auto", "remat": "none", "unroll": False}
    return config
