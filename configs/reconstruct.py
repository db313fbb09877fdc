r"""Sheets, what the encoder sees of them, and what the decoder makes of that, side by side.

python main.py --config=configs/reconstruct.py --workdir=runs/ptbxl/reconstruct \
        --config.checkpoint=runs/ptbxl --config.data.data_dir=<out>
python main.py --config=configs/reconstruct.py:demo --workdir=runs/demo/reconstruct
"""

import ml_collections

from configs import common


def get_config(variant: str = "ptb_xl") -> ml_collections.ConfigDict:
    """The run named `variant`: ptb_xl or demo."""
    config = ml_collections.ConfigDict()
    config.program = "reconstruct"
    config.seed = 0
    config.checkpoint = {"ptb_xl": "runs/ptbxl", "demo": "runs/demo/pretrain"}[variant]
    config.which = "last"
    config.data = {"ptb_xl": common.ptb_xl_dataset, "demo": common.demo_dataset}[variant]()
    config.split = "validation"
    config.num_pictures = 4
    return config
