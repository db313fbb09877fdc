r"""Every artefact of scans and photographs at three strengths, on one sheet.

python main.py --config=configs/artefacts.py --workdir=runs/artefacts
python main.py --config=configs/artefacts.py:ptb_xl --workdir=runs/artefacts \
        --config.data.data_dir=<out>

The first draws an example, the second takes the first sheet of PTB-XL. Two minutes on a CPU, nearly
all of them spent on compiling.
"""

import ml_collections

from configs import common


def get_config(variant: str = "example") -> ml_collections.ConfigDict:
    """The run named `variant`: example or ptb_xl."""
    config = ml_collections.ConfigDict()
    config.program = "artefacts"
    # Of the first forty thousand the one that puts every mark where it is seen.
    config.seed = 25_701
    # Without a name a regular rhythm is drawn.
    config.data = common.ptb_xl_dataset() | {"name": {"example": "", "ptb_xl": "ptb_xl"}[variant]}
    config.split = "train"
    config.picture = {"height": 384, "width": 512, "channels": 3}
    # In the unit of each artefact.
    config.strengths = {
        "rotation": (1.0, 3.0, 8.0),
        "perspective": (3.0, 8.0, 14.0),
        "curl": (1.0, 3.0, 6.0),
        "crop": (5.0, 15.0, 30.0),
        "margin": (5.0, 20.0, 50.0),
        "texture": (0.005, 0.015, 0.04),
        "yellowing": (0.1, 0.25, 0.5),
        "fading": (0.2, 0.5, 0.8),
        "crease": (0.04, 0.1, 0.2),
        "stain": (0.1, 0.3, 0.6),
        "punch_holes": (4.0, 6.0, 8.0),
        "pen": (0.3, 0.6, 1.2),
        "handwriting": (2.0, 3.5, 5.0),
        "stamp": (0.3, 0.6, 0.9),
        "uneven_light": (0.1, 0.25, 0.5),
        "shadow": (0.1, 0.3, 0.5),
        "vignetting": (0.1, 0.25, 0.5),
        "exposure": (0.3, 0.7, 1.5),
        "colour_cast": (0.05, 0.15, 0.3),
        "focus_blur": (0.15, 0.3, 0.6),
        "motion_blur": (0.4, 0.8, 1.6),
        "moire": (0.02, 0.05, 0.12),
        "sensor_noise": (2.0, 6.0, 15.0),
        "colour_loss": (0.3, 0.6, 1.0),
        "white_clipping": (0.05, 0.15, 0.3),
        "photocopy": (1.5, 3.0, 6.0),
        "fax": (1.0, 1.5, 3.85),
        "binarise": (0.6, 0.75, 0.9),
        "jpeg": (80.0, 40.0, 10.0),
    }
    return config
