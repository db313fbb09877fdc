"""Runs programs with settings that make no sense; prints what each said and left, as JSON.

    python tests/bad_input/nonsense.py <folder>

A process of its own: under pytest the shapes and types of arguments are checked as well.
"""

import concurrent.futures
import functools
import importlib
import json
import math
import pathlib
import sys

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image

from data_builders import parallel
from data_builders.clinical_cohort.clinical_cohort_dataset_builder import Builder
from ecgmae_jax.errors import InputError
from ecgmae_jax.programs import pretrain, settings
from ecgmae_jax.training.checkpointer import Checkpointer
from ecgmae_jax.training.mesh import make_mesh
from ecgmae_jax.training.state import abstract_state

SPLITS = {"train": 8, "validation": 4, "test": 4}
DESCRIPTION = """
key_file = "../key"
picture = {height = 32, width = 48}
normalise = {crop = false, deskew = false, scale = false}
"""
SMALL = {"loader.batch_size": 8, "loader.workers": 0, "epochs": 2.0, "warmup_epochs": 0.0}
MODEL = {"width": 16, "depth": 1, "heads": 2, "decoder_width": 16, "decoder_heads": 2}
RESULTS = (".parquet", ".csv", ".html", ".png", ".npz")

# Case -> settings, and what the line has to say.
PRETRAIN = {
    "no picture in a batch": ({"loader.batch_size": 0}, "batch_size is 0"),
    "less than none": ({"loader.batch_size": -8}, "batch_size is -8"),
    "more than there are": ({"loader.batch_size": 64}, "batch_size 64 is larger than split"),
    "a batch that eight devices cannot share": ({"loader.batch_size": 4}, "over 8 devices"),
    "minus one worker": ({"loader.workers": -1}, "num_workers is -1"),
    "no epoch": ({"epochs": 0.0}, "epochs 0.0"),
    "weights that are not there": ({"start.weights": "/nowhere/mae.safetensors"}, "is no file"),
    "less than no epoch": ({"epochs": -1.0}, "epochs -1.0"),
    "epochs that are no number": ({"epochs": math.nan}, "epochs nan"),
    "epochs without end": ({"epochs": math.inf}, "epochs inf"),
    "a warm-up longer than the run": ({"warmup_epochs": 9.0}, "warm-up of 9 steps in a run of 2"),
    "no learning": ({"optimizer.base_lr": 0.0}, "peak_lr is 0.0"),
    "a rate that is no number": ({"optimizer.base_lr": math.nan}, "peak_lr is nan"),
    "a width that heads do not share": ({"model.width": 18}, "width 18 must be a multiple of 4"),
    "no width": ({"model.width": 0}, "width 0 must be"),
    "no heads": ({"model.heads": 0}, "of its 0 heads"),
    "no heads in the decoder": ({"model.decoder_heads": 0}, "of its 0 heads"),
    "no block": ({"model.depth": 0}, "depth is 0"),
    "patches that do not tile": ({"model.patch": (10, 10)}, "10x10 do not tile an image of 32x48"),
    "patches of nothing": ({"model.patch": (0, 16)}, "0x16 do not tile"),
    "half a patch": ({"model.patch": (16,)}, r"patch is \(16,\); expected \(height, width\)"),
    "nothing to see": ({"model.mask_ratio": 1.0}, "mask_ratio 1.0 leaves 0 of 6"),
    "more than everything hidden": ({"model.mask_ratio": 1.5}, "mask_ratio 1.5"),
    "a mask that is no number": ({"model.mask_ratio": math.nan}, "mask_ratio nan"),
    "pictures drawn nowhere": ({"data.draw": "cpu"}, "draw is 'cpu'"),
    "pictures drawn of pictures": ({"data.draw": "device"}, "holds pictures"),
    "a target that is none": ({"target": "grid"}, "target is 'grid'"),
    "an augmentation that is none": ({"augment": {"shear": {}}}, r"names \['shear'\]"),
    "no deviation": ({"picture.std": (0.0,)}, "of no picture"),
    "a mean that is no number": ({"picture.mean": (math.nan,)}, "of no picture"),
    "a precision that is none": ({"compute.dtype": "float8"}, "dtype is 'float8'"),
    "three devices of eight": ({"mesh.data": 3}, "covers 3 devices but there are 8"),
    "never logged": ({"every.log": 0}, "every.log is 0"),
    "parts of no step": ({"accumulate": 0}, "accumulate"),
    "a split that is none": ({"splits.train": "fold9"}, "has no split 'fold9'"),
    "a split of no name": ({"splits.train": ""}, "has no split ''"),
    "a split half written": ({"splits.train": "train[:"}, "has no split 'train"),
    "a label that is none": ({"probes": ("death",)}, "no label 'death'; it has outcome"),
    "a seed below zero": ({"seed": -1}, "seed is -1; expected 0 or more"),
    "a seed too large": ({"seed": 2**32}, "seed is 4294967296"),
    "a dataset outside of the folder": ({"data.name": "../.."}, "is not in data_dir"),
}

EMBED = {
    "no split": ({"splits": ()}, "names no split to work on"),
    "no picture at a time": ({"batch_size": 0}, "batch_size 0"),
    "a pooling that is none": ({"pooling": "max"}, "'max'; choose"),
    "a baseline that is none": ({"baselines": ("ICA",)}, r"names \['ICA'\]"),
    "a checkpoint by number": ({"which": "20"}, "'20' of .*; expected 'last' or 'best'"),
    "no component": ({"pca.components": 0}, "0 principal components"),
    "no square of pixels": ({"pca.downscale": 0}, "squares of 0 px"),
    "a component of no picture": ({"pca.max_pictures": 0}, "max_pictures is 0"),
    "no filter": ({"convolutions.filters": 0}, "0 random filters"),
    "no region": ({"convolutions.regions": (0, 4)}, r"\(0, 4\) regions"),
}

FINETUNE = {
    "no picture in a batch": ({"loader.batch_size": 0}, "batch_size is 0"),
    "a label that is none": ({"label": "death"}, "no label 'death'; it has outcome"),
    "nobody to test": ({"splits.test": ()}, "names no split to work on"),
    "one split twice": ({"splits.test": ("train",)}, "patients are in both"),
    "two folds": ({"folds": 2}, "folds is 2"),
    "weights that are none": ({"class_weights": "inverse"}, "class_weights is 'inverse'"),
    "no decay by layer": ({"optimizer.layer_decay": 0.0}, "layer decay is 0"),
    "an average of nothing": ({"ema_decay": 1.0}, "ema_decay is 1"),
    "paths always dropped": ({"drop_path": 1.5}, "drop_path"),
    "labels smoothed away": ({"label_smoothing": -0.5}, "smoothing"),
    "always mixed twice": ({"mixing.probability": 2.0}, "probability"),
    "patience below zero": ({"patience": -1}, "patience"),
    "a rule that is none": ({"aggregation": "median"}, "'median' unknown; choose"),
}

CASES = {"pretrain": PRETRAIN, "embed": EMBED, "finetune": FINETUNE}


def build(above: pathlib.Path) -> dict[str, str]:
    """A cohort of sixteen pictures of noise, as `config.data` names it."""
    folder = above / "cohort"
    folder.mkdir()
    rng = np.random.default_rng(0)
    rows = ["path,patient_id,outcome,split"]
    for i, split in enumerate(name for name, number in SPLITS.items() for _ in range(number)):
        pixels = rng.integers(0, 256, (64, 96), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")
        rows.append(f"{i}.png,{i},{i % 2},{split}")
    (folder / "table.csv").write_text("\n".join(rows))
    (folder / "cohort.toml").write_text(DESCRIPTION)
    (above / "key").write_text("an example of a key: 0123456789 abcdefgh")
    (above / "key").chmod(0o600)
    parallel.process_pool = functools.partial(concurrent.futures.ThreadPoolExecutor, 1)
    download = tfds.download.DownloadConfig(manual_dir=folder)
    Builder(data_dir=above / "data").download_and_prepare(download_config=download)
    return {"name": "clinical_cohort", "config": "custom", "data_dir": str(above / "data")}


def make_config(program, data, checkpoint, changes):
    """The tiny run of a program, with the changes as `--config.<field>=<value>` makes them."""
    config = importlib.import_module(f"configs.{program}").get_config("demo")
    config.data.update(data)
    match program:
        case "pretrain":
            config.model.update({**MODEL, "patch": (16, 16)})
            changes = SMALL | {"probes": ()} | changes
        case "embed":
            few = {"pca.components": 2, "convolutions.filters": 2, "checkpoint": checkpoint}
            changes = few | {"baselines": ("convolutions", "PCA")} | changes
        case "finetune":
            changes = SMALL | {"label": "outcome", "checkpoint": checkpoint} | changes
    for name, value in changes.items():
        *groups, field = name.split(".")
        functools.reduce(getattr, groups, config)[field] = value
    return config


def pretrained(data, workdir: pathlib.Path) -> str:
    """Workdir of a pre-training that made no step."""
    mesh = make_mesh()
    job = pretrain.make_job(make_config("pretrain", data, "", {}), workdir, mesh=mesh)
    state = job.first_state(abstract_state(job.init_params, job.optimizer, mesh=mesh))
    with Checkpointer(workdir / "checkpoints", meta=job.meta, best_metric="loss") as saver:
        saver.save(state, metrics={"loss": 1.0})
    return str(workdir)


def outcome(program, config, workdir: pathlib.Path) -> dict:
    """The error, its line, and what results or checkpoints the workdir has."""
    line, kind = "", "none"
    try:
        settings.check_values(config)
        importlib.import_module(f"ecgmae_jax.programs.{program}").run(config, workdir)
    except InputError as fault:
        line, kind = str(fault), "InputError"
    except Exception as fault:
        line, kind = str(fault), type(fault).__name__
    files = [path for path in workdir.rglob("*") if path.is_file()]
    left = [path for path in files if path.suffix in RESULTS or "checkpoints" in path.parts]
    return {"kind": kind, "line": line, "left": list(map(str, left))}


def main(folder: pathlib.Path) -> None:
    data = build(folder)
    checkpoint = pretrained(data, folder / "pretrained")
    found: dict[str, dict] = {}
    for program, cases in CASES.items():
        for number, (case, (changes, _)) in enumerate(cases.items()):
            config = make_config(program, data, checkpoint, changes)
            workdir = folder / f"{program}{number}"
            found.setdefault(program, {})[case] = outcome(program, config, workdir)
    (folder / "outcomes.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
