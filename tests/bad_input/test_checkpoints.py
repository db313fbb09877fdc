"""Checkpoints and workdirs of something else: another model, another version, or none at all."""

import dataclasses
import json

import numpy as np
import pytest
import tensorflow_datasets as tfds

from ecgmae_jax.data.source import Dataset, ExampleSource
from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.readouts.probe_files import probe_bytes
from ecgmae_jax.evaluation.readouts.probes import Probe
from ecgmae_jax.models.mae import MAEConfig
from ecgmae_jax.models.vit import ViTConfig
from ecgmae_jax.programs import classifiers, encoders, fitted_models, inputs, workdirs
from ecgmae_jax.programs.report_inputs import file_facts
from ecgmae_jax.training.checkpoints import Checkpoint

NOTHING = ExampleSource((), tfds.features.FeaturesDict({}), ())
PICTURE = {"height": 32, "width": 48, "channels": 1}
SPECIFICATION = {"picture": PICTURE, "image_size": (32, 48), "channels": 1}
SPECIFICATION |= {"mean": (0.9,), "std": (0.1,)}
SIZES = {"width": 16, "depth": 1, "heads": 2, "patch": (16, 16), "mask_ratio": 0.5}
SIZES |= {"decoder_width": 16, "decoder_depth": 1, "decoder_heads": 2}
SIZES |= {"norm_pix": True, "norm_pix_eps": 1e-6}
PRETRAINED = {
    "config": {"program": "pretrain", "model": SIZES, "target": "pixels"},
    "input": SPECIFICATION,
}
FINETUNED = {
    "config": {"program": "finetune"},
    "input": SPECIFICATION,
    "encoder": dataclasses.asdict(ViTConfig(image_size=(32, 48), channels=1)),
    "task": "death",
    "label_set": {"classes": ["no", "yes"], "exclusive": True},
    "aggregation": "mean",
}
LOADERS = {
    "pretrain": (encoders, encoders.load_pretrained, PRETRAINED),
    "finetune": (classifiers, classifiers.load_finetuned, FINETUNED),
}


@pytest.fixture
def load(watched, monkeypatch):
    """Loads a checkpoint of these facts, without any parameters."""

    def run(program, meta):
        room, loader, _ = LOADERS[program]
        found = Checkpoint(params={"model": {}}, meta=meta, step=1, fingerprint="0")
        monkeypatch.setattr(room, "load_params", lambda folder, *, which: found)
        return loader(watched, which="last")

    return run


@pytest.mark.parametrize("program", LOADERS)
def test_what_this_version_says_of_its_models_is_enough(load, program):
    assert load(program, LOADERS[program][2]).specification == SPECIFICATION


LACKING = [
    ("pretrain", "input"),
    ("pretrain", "config.model"),
    ("pretrain", "config.model.heads"),
    ("pretrain", "config.target"),
    ("pretrain", "input.image_size"),
    ("finetune", "encoder"),
    ("finetune", "encoder.patch_size"),
    ("finetune", "label_set"),
    ("finetune", "label_set.classes"),
    ("finetune", "aggregation"),
    ("finetune", "input"),
]


@pytest.mark.parametrize(("program", "fact"), LACKING)
def test_a_checkpoint_of_another_version_is_told_by_what_it_lacks(load, watched, program, fact):
    meta = json.loads(json.dumps(LOADERS[program][2]))
    *groups, last = fact.split(".")
    found = meta
    for group in groups:
        found = found[group]
    del found[last]
    with pytest.raises(InputError, match=f"made by another version .* lacks '{last}'") as caught:
        load(program, meta)
    assert str(watched) in str(caught.value)


def test_a_size_that_this_version_does_not_know_is_told(load):
    meta = json.loads(json.dumps(FINETUNED))
    meta["encoder"]["registers"] = 4
    with pytest.raises(InputError, match=r"made by another version .* 'registers'"):
        load("finetune", meta)


FOLDERS = {
    "absent": (lambda folder: None, "does not exist"),
    "a file": (lambda folder: folder.write_text(""), "does not exist"),
    "empty": (lambda folder: folder.mkdir(), "holds no last checkpoint"),
    "of other things": (lambda folder: (folder / "notes").mkdir(parents=True), "holds no last"),
    "of an empty step": (lambda folder: (folder / "20").mkdir(parents=True), "20 is damaged"),
}


@pytest.mark.parametrize("case", FOLDERS)
def test_a_folder_without_a_checkpoint_is_one_line(watched, case):
    make, words = FOLDERS[case]
    make(watched / "checkpoints")
    with pytest.raises(InputError, match=words) as caught:
        encoders.load_pretrained(watched, which="last")
    assert str(watched) in str(caught.value)


@pytest.fixture
def probe(watched, monkeypatch):
    """A function from facts to a probe's file; the encoder it names has fingerprint `aa`."""
    config = MAEConfig(ViTConfig(image_size=(32, 48), channels=1, width=16, depth=1, heads=2))
    found = encoders.Pretrained(config, {"encoder": {}}, SPECIFICATION, "pixels", "aa")
    monkeypatch.setattr(encoders, "load_pretrained", lambda folder, *, which: found)

    def write(**facts):
        known = {"encoder": "MAE", "checkpoint": "aa", "checkpoint_folder": "runs", "which": "last"}
        zeros, ones = np.zeros(16), np.ones(16)
        coefficients = {"coefficients": np.zeros((2, 16)), "intercept": np.zeros(2)}
        fitted = Probe(
            classes=("no", "yes"),
            exclusive=True,
            mean=zeros,
            scale=ones,
            **coefficients,
            chosen_c=np.ones(2),
            metadata={**known, **facts},
        )
        (watched / "probe.npz").write_bytes(probe_bytes(fitted))
        return watched / "probe.npz"

    return write


def test_a_probe_of_this_checkpoint_is_taken(probe):
    assert fitted_models.load_probed_encoder(probe()).pretrained.fingerprint == "aa"


def test_a_probe_of_another_checkpoint_is_refused_with_both_marks(probe):
    with pytest.raises(InputError, match="fitted on checkpoint bb, and runs now holds aa"):
        fitted_models.load_probed_encoder(probe(checkpoint="bb"))


@pytest.mark.parametrize("row", ["PCA", "convolutions", None])
def test_a_probe_of_features_that_nobody_kept_is_refused(probe, row):
    with pytest.raises(InputError, match="features, which are not kept"):
        fitted_models.load_probed_encoder(probe(encoder=row))


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        ({"height": 64}, r"height 64 \(the model knows 32\)"),
        ({"channels": 3}, r"channels 3 \(the model knows 1\)"),
        ({"layout": "6x2"}, r"layout '6x2' \(the model knows '3x4'\)"),
        ({"height": None}, "their geometry is unknown"),
    ],
)
def test_pictures_that_the_model_was_not_trained_on_are_refused(picture, words):
    merged = {**PICTURE, "layout": "3x4", **picture}
    found = {name: value for name, value in merged.items() if value is not None}
    dataset = Dataset("a", "b", "train", "1.0.0", NOTHING, {}, found, "0")
    trained_on = {**SPECIFICATION, "picture": {**PICTURE, "layout": "3x4"}}
    with pytest.raises(InputError, match=words):
        inputs.check_input(dataset, trained_on)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff\xfe", b"[" * 100_000])
def test_what_another_run_left_damaged_stops_nobody(watched, content):
    (watched / "config.json").write_bytes(content)
    (watched / "predictions.csv").write_text("")
    assert workdirs.read_json(watched / "config.json") == {}
    facts = file_facts(watched / "predictions.csv")
    assert (facts["program"], facts["code"]) == ("not stated", "not stated")
