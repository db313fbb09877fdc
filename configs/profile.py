r"""Where the time of a pre-training step goes: input, drawing, encoder, decoder, optimizer.

    python main.py --config=configs/profile.py --workdir=runs/profile --config.data.data_dir=<out>
    python main.py --config=configs/profile.py:vit_b16 --workdir=runs/profile \
        --config.data.data_dir=<out> --config.loader.batch_size=256

The variants are those of configs/pretrain.py, and so are all fields but `steps`; `cpu` unless told
otherwise, a minute on two cores. Prints a table with the share of the device's arithmetic rate
that the model reaches, and writes profile.json and a trace for XProf or Perfetto.
"""

import ml_collections

from configs import pretrain


def get_config(variant: str = "cpu") -> ml_collections.ConfigDict:
    """The profile of the pre-training named `variant`."""
    config = pretrain.get_config(variant)
    config.program = "profile"
    config.probes = ()
    # Timed ones, after one that compiles; three more are traced.
    config.steps = 20
    return config
