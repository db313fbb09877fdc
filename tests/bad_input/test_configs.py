"""Settings of the right kind that make no sense: one line before anything is computed."""

import functools
import io
import math

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from configs import embed as embed_configs
from configs import finetune as finetune_configs
from configs import pretrain as pretrain_configs
from data_builders.clinical_cohort.clinical_cohort_dataset_builder import Builder
from ecgmae_jax.errors import InputError
from ecgmae_jax.programs import embed, finetune, pretrain, settings
from ecgmae_jax.training.checkpointer import Checkpointer
from ecgmae_jax.training.mesh import make_mesh
from ecgmae_jax.training.state import abstract_state

SPLITS = {"train": 8, "validation": 4, "test": 4}
DESCRIPTION = """
key_file = "../key"
picture = {height = 32, width = 48}
normalise = {crop = false, deskew = false, scale = false}
"""
MODEL = {"width": 16, "depth": 1, "heads": 2, "decoder_width": 16, "decoder_heads": 2}
RESULTS = (".parquet", ".csv", ".html", ".png", ".npz")
SMALL = {"loader.batch_size": 8, "loader.workers": 0, "epochs": 2.0, "warmup_epochs": 0.0}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Where a cohort of sixteen pictures of noise was built, as `config.data` says it."""
    above = tmp_path_factory.mktemp("above")
    folder = above / "cohort"
    folder.mkdir()
    rng = np.random.default_rng(0)
    rows = ["path,patient_id,outcome,split"]
    for i, split in enumerate(name for name, number in SPLITS.items() for _ in range(number)):
        pixels = rng.integers(0, 256, (64, 96), dtype=np.uint8)
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, format="PNG")
        (folder / f"{i}.png").write_bytes(file.getvalue())
        rows.append(f"{i}.png,{i},{i % 2},{split}")
    (folder / "table.csv").write_text("\n".join(rows))
    (folder / "cohort.toml").write_text(DESCRIPTION)
    (above / "key").write_text("an example of a key: 0123456789 abcdefgh")
    (above / "key").chmod(0o600)
    download = tfds.download.DownloadConfig(manual_dir=folder)
    Builder(data_dir=above / "data").download_and_prepare(download_config=download)
    return {"name": "clinical_cohort", "config": "custom", "data_dir": str(above / "data")}


def changed(config, changes):
    """As `--config.<field>=<value>` changes it."""
    for name, value in changes.items():
        *groups, field = name.split(".")
        functools.reduce(getattr, groups, config)[field] = value
    return config


def pretrain_config(data, changes):
    config = pretrain_configs.get_config("demo")
    config.data.update(data)
    config.model.update({**MODEL, "patch": (16, 16)})
    config.probes = ()
    return changed(changed(config, SMALL), changes)


@pytest.fixture(scope="module")
def pretrained(data, tmp_path_factory):
    """Workdir of a pre-training that made no step."""
    workdir = tmp_path_factory.mktemp("pretrained") / "run"
    mesh = make_mesh()
    job = pretrain.make_job(pretrain_config(data, {}), workdir, mesh=mesh)
    state = job.first_state(abstract_state(job.init_params, job.optimizer, mesh=mesh))
    with Checkpointer(workdir / "checkpoints", meta=job.meta, best_metric="loss") as saver:
        saver.save(state, metrics={"loss": 1.0})
    return workdir


@pytest.fixture
def refuse(watched):
    """Runs a program that has to end in one line, and to leave no results and no checkpoint."""

    def run(program, config, words):
        with pytest.raises(InputError, match=words) as caught:
            settings.check_values(config)
            program.run(config, watched / "run")
        assert str(caught.value).isprintable()
        left = [path for path in watched.rglob("*") if path.is_file()]
        assert not [path for path in left if path.suffix in RESULTS or "checkpoints" in path.parts]
        assert not sum(path.stat().st_size for path in left if path.name == "metrics.jsonl")

    return run


PRETRAIN = {
    "no picture in a batch": ({"loader.batch_size": 0}, "batch_size is 0"),
    "less than none": ({"loader.batch_size": -8}, "batch_size is -8"),
    "more than there are": ({"loader.batch_size": 64}, "batch_size 64 is larger than split"),
    "a batch that eight devices cannot share": ({"loader.batch_size": 4}, "over 8 devices"),
    "minus one worker": ({"loader.workers": -1}, "num_workers is -1"),
    "no epoch": ({"epochs": 0.0}, "epochs 0.0"),
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


@pytest.mark.parametrize("case", PRETRAIN)
def test_pretraining_refuses(refuse, data, case):
    changes, words = PRETRAIN[case]
    refuse(pretrain, pretrain_config(data, changes), words)


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


@pytest.mark.parametrize("case", EMBED)
def test_embedding_refuses(refuse, data, pretrained, case):
    changes, words = EMBED[case]
    config = embed_configs.get_config("demo")
    config.data.update(data)
    config.checkpoint = str(pretrained)
    config.baselines = ("convolutions", "PCA")
    config.convolutions.filters = 2
    refuse(embed, changed(config, {"pca.components": 2, **changes}), words)


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


@pytest.mark.parametrize("case", FINETUNE)
def test_finetuning_refuses(refuse, data, pretrained, case):
    changes, words = FINETUNE[case]
    config = finetune_configs.get_config("demo")
    config.data.update(data)
    config.checkpoint = str(pretrained)
    config.label = "outcome"
    refuse(finetune, changed(changed(config, SMALL), changes), words)
