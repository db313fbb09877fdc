r"""Pictures exactly as a model sees them: a dataset's, or a folder of scans before and after.

python main.py --config=configs/preview.py --workdir=runs/preview --config.data.data_dir=<out>
python main.py --config=configs/preview.py --workdir=runs/preview --config.folder=<scans>
python main.py --config=configs/preview.py:demo --workdir=runs/demo/preview
"""

import ml_collections

from configs import common


def get_config(variant: str = "ptb_xl") -> ml_collections.ConfigDict:
    """The run named `variant`: ptb_xl or demo."""
    config = ml_collections.ConfigDict()
    config.program = "preview"
    config.data = {"ptb_xl": common.ptb_xl_dataset, "demo": common.demo_dataset}[variant]()
    config.split = "train"
    # A folder of scans to show instead of the dataset.
    config.folder = ""
    # Workdir of a pre-training, for what its encoder sees; without one, the pictures as stored.
    config.checkpoint = ""
    config.which = "last"
    config.num_pictures = 40
    # Of scans; a checkpoint brings its own.
    config.picture = {"height": 384, "width": 512, "channels": 1}
    # flatten: perspective and curl are undone, along the lines of the grid.
    # ink: the traces alone, where the sheet of `geometry`, or of a folder's cohort.toml, has them.
    # px_per_mm: the scale to give scans whose grid shows theirs; 0 to fit each into the picture.
    config.normalise = {"crop": True, "deskew": True, "scale": True, "flatten": True}
    config.normalise.update({"ink": False, "px_per_mm": 0.0})
    config.geometry = {"layout": "3x4+1", "mm_per_s": 25.0, "mm_per_mv": 10.0}
    return config
