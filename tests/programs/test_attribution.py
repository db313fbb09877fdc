"""Maps, the files made of them, and whether the two checks can tell a good map from a bad one."""

import functools
import json

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from configs.attribution import get_config
from ecgmae_jax.data.labels import LabelSet
from ecgmae_jax.data.source import Dataset
from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.readouts.probes import Probe, predict
from ecgmae_jax.models.compute import PLAIN
from ecgmae_jax.models.functional import init_params
from ecgmae_jax.models.heads import ClassifierConfig
from ecgmae_jax.models.vit import ViTConfig
from ecgmae_jax.programs import attribution, classifiers, encoders, explained_models, explanations
from ecgmae_jax.programs.attribution_checks import hidden_at_random, hidden_most_first
from ecgmae_jax.programs.explained_models import ExplainedModel, log_odds, with_fresh
from ecgmae_jax.programs.explained_pictures import Subjects
from ecgmae_jax.programs.fitted_models import ProbedEncoder
from ecgmae_jax.programs.inputs import standardise
from ecgmae_jax.rendering.named_sheets import make_sheet

SHEET = make_sheet("3x4", height=32, width=48).as_dict()
SPECIFICATION = {
    "picture": SHEET,
    "image_size": (32, 48),
    "channels": 1,
    "mean": (0.5,),
    "std": (0.25,),
}
CONFIG = ViTConfig((32, 48), (8, 8), channels=1, width=16, depth=2, heads=2)
CLASSES = ("sinus", "AF", "LBBB")
NUM_RECORDS = 3


def moved(params, *, seed):
    """None of the parameters at its initial 0 or 1."""
    rng = np.random.default_rng(seed)
    return jax.tree.map(
        lambda x: np.asarray(x) + rng.normal(0, 0.4, x.shape).astype(np.float32), params
    )


@pytest.fixture(scope="module")
def finetuned():
    config = ClassifierConfig(CONFIG, num_classes=len(CLASSES))
    make = classifiers.classifier_maker(config, PLAIN)
    params = moved(jax.jit(functools.partial(init_params, make))(jax.random.key(0)), seed=0)
    labels = {"classes": list(CLASSES), "exclusive": True, "empty_is_missing": False}
    return classifiers.Finetuned(
        config=config,
        params=params,
        task="condition",
        label_set=labels,
        specification=SPECIFICATION,
        aggregation="mean",
        step=1,
        fingerprint="c0ffee",
    )


@pytest.fixture(scope="module")
def probed(finetuned):
    rng = np.random.default_rng(1)
    probe = Probe(
        classes=CLASSES,
        exclusive=True,
        mean=rng.normal(size=16),
        scale=rng.uniform(0.5, 2, 16),
        coefficients=rng.normal(size=(3, 16)),
        intercept=rng.normal(size=3),
        chosen_c=np.ones(3),
        metadata={"pooling": "mean", "task": "condition"},
    )
    make = encoders.encoder_maker(CONFIG, PLAIN)
    params = moved(jax.jit(functools.partial(init_params, make))(jax.random.key(1)), seed=1)
    config = encoders.mae_config(
        {
            "patch": (8, 8),
            "width": 16,
            "depth": 2,
            "heads": 2,
            "decoder_width": 8,
            "decoder_depth": 1,
            "decoder_heads": 1,
            "mask_ratio": 0.5,
            "norm_pix": False,
            "norm_pix_eps": 1e-6,
        },
        SPECIFICATION,
    )
    pretrained = encoders.Pretrained(config, {"encoder": params}, SPECIFICATION, "pixels", "beef")
    return ProbedEncoder(probe, pretrained, params)


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(2).integers(0, 256, (NUM_RECORDS, 32, 48, 1)).astype(np.uint8)


@pytest.fixture
def load(monkeypatch, finetuned, probed):
    """The models above, by the names of a workdir and of a probe's file."""
    monkeypatch.setattr(classifiers, "load_finetuned", lambda path, which: finetuned)
    monkeypatch.setattr(explained_models, "load_probed_encoder", lambda path: probed)
    return functools.partial(explained_models.load_explained, compute=PLAIN)


@pytest.fixture
def config(monkeypatch, pictures, load, in_memory):
    """Three records, the first with two pictures."""

    def open_dataset(*, name, config, data_dir, split):
        examples = [
            {
                "image": pictures[record],
                "record_id": f"r{record}",
                "patient_id": f"p{record}",
                "source": "toy",
                "segment": segment,
                "start_s": 10.0 * segment,
                "group": f"{record:04x}",
                "age_years": 50.0,
                "sex": "female",
                "diagnoses": (),
                "labels": {"condition": record % 3},
            }
            for record in range(NUM_RECORDS)
            for segment in range(2 if record == 0 else 1)
        ]
        labels = {"condition": LabelSet("condition", CLASSES, exclusive=True)}
        return Dataset(name, config, split, "1", in_memory(examples), labels, SHEET, "0" * 16)

    monkeypatch.setattr(attribution, "open_dataset", open_dataset)
    config = get_config("demo")
    config.num_records = NUM_RECORDS
    config.steps = 2
    config.batch_size = NUM_RECORDS
    config.deletion = {"shares": (0.25, 0.5), "draws": 2}
    config.bootstrap.resamples = 20
    return config


def test_the_sigmoid_of_a_classifier_s_log_odds_is_its_probability(load, finetuned, pictures):
    model = load("workdir")
    images = standardise(jnp.asarray(pictures), SPECIFICATION)
    expected = classifiers.make_answers(
        finetuned.config, SPECIFICATION, exclusive=True, compute=PLAIN
    )(finetuned.params, pictures)
    found = jax.nn.sigmoid(model.log_odds(model.params, images, None))
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    everything = np.tile(np.arange(CONFIG.num_patches)[::-1], (NUM_RECORDS, 1))
    np.testing.assert_allclose(
        jax.nn.sigmoid(model.log_odds(model.params, images, everything)), expected, rtol=1e-4
    )


def test_the_sigmoid_of_a_probe_s_log_odds_is_its_probability(load, probed, pictures):
    model = load("probes/MAE_condition.npz")
    features = encoders.make_features(CONFIG, SPECIFICATION, compute=PLAIN, pooling="mean")
    expected = predict(probed.probe, np.asarray(features(probed.params, pictures)))
    images = standardise(jnp.asarray(pictures), SPECIFICATION)
    found = jax.nn.sigmoid(model.log_odds(model.params, images, None))
    np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_scores_that_do_not_exclude_each_other_are_log_odds():
    scores = jnp.asarray([[0.3, -1.0, 2.0]])
    np.testing.assert_array_equal(log_odds(scores, exclusive=False), scores)
    probabilities = jax.nn.softmax(scores)
    expected = jnp.log(probabilities / (1 - probabilities))
    np.testing.assert_allclose(log_odds(scores, exclusive=True), expected, rtol=1e-5)


@pytest.mark.parametrize("path", ["workdir", "probes/MAE_condition.npz"])
def test_a_level_draws_the_readout_and_what_lies_below_it_anew(load, path):
    model = load(path)
    fresh = model.fresh(jax.random.key(0))
    readout, half, everything = (
        with_fresh(model.params, fresh, level=level) for level in explained_models.LEVELS
    )
    assert jax.tree.structure(readout) == jax.tree.structure(model.params)
    for params in (readout, half, everything):
        assert not np.array_equal(params["head"]["kernel"], model.params["head"]["kernel"])

    def kernels(params):
        return params["encoder"]["blocks"]["attention"]["qkv"]["kernel"]

    own, new = kernels(model.params), kernels(fresh)
    np.testing.assert_array_equal(kernels(readout), own)
    np.testing.assert_array_equal(kernels(half), np.stack([own[0], new[1]]))
    np.testing.assert_array_equal(kernels(everything), new)


def test_a_probe_that_needs_every_patch_is_refused(load, probed):
    probed.probe.metadata["pooling"] = "regional-4x4"
    try:
        with pytest.raises(InputError, match="'regional-4x4', which cannot do without a patch"):
            load("probes/MAE_condition.npz")
    finally:
        probed.probe.metadata["pooling"] = "mean"


def test_the_program_leaves_overlays_shares_and_checks(config, tmp_path, capsys):
    attribution.run(config, tmp_path)
    names = sorted(path.name for path in (tmp_path / "overlays").iterdir())
    assert names == [f"r{record}.png" for record in range(NUM_RECORDS)]
    table = pd.read_csv(tmp_path / "attribution.csv")
    assert list(table) == ["record_id", "explained", "method", "lead", "second", "share"]
    totals = table.groupby(["record_id", "method"])["share"].sum()
    assert len(totals) == 2 * NUM_RECORDS
    np.testing.assert_allclose(totals, 1, atol=1e-3)
    assert set(table["lead"]) == {strip["lead"] for strip in SHEET["strips"]} | {"outside"}
    summary = json.loads((tmp_path / "summary.json").read_text())
    gradients, rollout = (summary["methods"][method] for method in explanations.METHODS)
    drawn_anew = gradients["rank_correlation_when_drawn_anew"]
    assert all(abs(found["value"]) < 0.8 for found in drawn_anew.values())
    # Attention does not know the readout.
    unchanged = rollout["rank_correlation_when_drawn_anew"]["readout"]
    assert unchanged["value"] == pytest.approx(1)
    assert [row["hidden"] for row in gradients["patches_hidden"]] == [0.25, 0.5]
    for row in gradients["patches_hidden"]:
        assert row["difference"]["value"] == pytest.approx(
            row["random"]["value"] - row["most_attributed"]["value"], abs=1e-6
        )
    assert sum(gradients["leads"].values()) == pytest.approx(1, abs=1e-3)
    assert "rank correlation" in capsys.readouterr().out


def test_named_records_and_a_named_class_are_explained(config, tmp_path):
    config.records = ("r2", "r1")
    config.explain = "LBBB"
    attribution.run(config, tmp_path)
    assert sorted(path.stem for path in (tmp_path / "overlays").iterdir()) == ["r1", "r2"]
    assert set(pd.read_csv(tmp_path / "attribution.csv")["explained"]) == {"LBBB"}


def test_faults_name_the_setting_and_leave_nothing(config, tmp_path):
    def expect(message, **changes):
        changed = config.copy_and_resolve_references()
        with changed.unlocked():
            changed.update(changes)
        with pytest.raises(InputError, match=message) as fault:
            attribution.run(changed, tmp_path / "out")
        assert "\n" not in str(fault.value)
        assert not (tmp_path / "out").exists()

    expect(r"config\.explain is 'flutter'; the model knows \['sinus'", explain="flutter")
    expect(r"config\.records names \['r9'\], which the split does not have", records=("r9", "r1"))
    expect(r"config\.num_records is 4; the split has 3 records", num_records=4)
    expect(r"deletion\.shares is \(0\.5, 1\.0\)", deletion={"shares": (0.5, 1.0), "draws": 1})


@pytest.fixture
def additive():
    """A model whose log odds are the sum of what it sees, and its subjects."""
    rng = np.random.default_rng(3)
    images = rng.normal(size=(40, 32, 48, 1)).astype(np.float32)
    worth = images.reshape(40, 4, 8, 6, 8).sum(axis=(2, 4)).reshape(40, 24) / 8

    def compute_log_odds(params, images, visible):
        seen = images.reshape(-1, 4, 8, 6, 8).sum(axis=(2, 4)).reshape(-1, 24) / 8
        return jnp.take_along_axis(seen, visible, axis=1).sum(axis=1, keepdims=True)

    model = ExplainedModel(
        config=CONFIG,
        params={},
        log_odds=compute_log_odds,
        rollout=lambda params, images: images,
        fresh=lambda key: {},
        task="condition",
        classes=("AF",),
        specification=SPECIFICATION,
        origin={},
    )
    which = np.zeros(40, np.int64)
    pixels = np.zeros(images.shape, np.uint8)
    subjects = Subjects(pd.DataFrame(), pixels, images, which, np.zeros(40), [""] * 40)
    return model, subjects, worth


def test_hiding_what_the_answer_hangs_on_hurts_more_than_hiding_at_random(additive):
    model, subjects, worth = additive
    noise = np.random.default_rng(4).normal(size=worth.shape)
    found = explanations.deletion(
        model,
        subjects,
        {"true": worth, "reversed": -worth, "noise": noise},
        shares=(0.25, 0.5),
        draws=20,
        describe=lambda values: {"value": float(values.mean())},
        seed=0,
        batch_size=16,
    )
    differences = {
        method: [row["difference"]["value"] for row in rows] for method, rows in found.items()
    }
    assert min(differences["true"]) > 0.2
    assert max(differences["reversed"]) < -0.2
    assert max(map(abs, differences["noise"])) < 0.1
    # In closed form: the sigmoid of the sum of the three quarters that are worth least.
    left = 1 / (1 + np.exp(-np.sort(worth, axis=1)[:, :18].sum(axis=1)))
    assert found["true"][0]["most_attributed"]["value"] == pytest.approx(left.mean(), rel=1e-4)


def test_so_many_patches_are_hidden_and_the_first_are_the_most_attributed():
    values = np.array([[0.1, 0.9, 0.5, 0.3]])
    seen = []
    hidden_most_first(
        lambda visible: seen.append(visible) or np.zeros(1), values, shares=(0.5, 0.9)
    )
    assert [sorted(visible[0].tolist()) for visible in seen] == [[0, 3], [0]]
    seen.clear()
    hidden_at_random(
        lambda visible: seen.append(visible) or np.zeros(2), (2, 8), shares=(0.25,), draws=3, seed=0
    )
    assert [visible.shape for visible in seen] == [(2, 6)] * 3
    assert len({tuple(row) for visible in seen for row in visible}) == 6
    assert all(len(set(row)) == 6 for visible in seen for row in visible)
