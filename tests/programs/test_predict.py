"""From a model's answers about pictures to a file per record that the evaluators read."""

import json

import numpy as np
import pytest

from configs.predict import get_config
from ecgmae_jax.data.labels import LabelSet
from ecgmae_jax.data.source import Dataset
from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.challenge.classes import Classes
from ecgmae_jax.evaluation.challenge.files import read_output
from ecgmae_jax.programs import predict
from ecgmae_jax.programs.fitted_models import FittedModel

CLASSES = ("AF", "CLBBB|LBBB", "other")
PICTURE = {"layout": "3x4", "height": 8, "width": 8, "channels": 1}
SPECIFICATION = {"picture": PICTURE, "image_size": (8, 8), "channels": 1}


def example(split, record, segment):
    """A picture as grey as its record's number says; the greyer ones have the findings."""
    grey = 10 * record + segment
    return {
        "image": np.full((8, 8, 1), grey, np.uint8),
        "record_id": f"{split}{record}",
        "patient_id": f"{split}{record}",
        "source": "toy",
        "segment": segment,
        "start_s": 10.0 * segment,
        "group": f"{record:04x}",
        "age_years": 50.0,
        "sex": "female",
        "diagnoses": (),
        "labels": {"scored": [0] * (record >= 8) + [1] * (record >= 4)},
    }


@pytest.fixture(autouse=True)
def model(monkeypatch):
    """Rows are the greys; probabilities rise with them."""
    found = FittedModel(
        rows=lambda images: images[:, 0, 0].astype(np.float32),
        rule="max",
        probabilities=lambda rows: np.concatenate([rows / 255, rows / 200, 0 * rows], axis=1),
        task="scored",
        classes=CLASSES,
        specification=SPECIFICATION,
        origin={"kind": "toy", "path": "nowhere", "fingerprint": "c0ffee"},
    )
    monkeypatch.setattr(predict, "load_model", lambda path, compute: found)
    return found


@pytest.fixture(autouse=True)
def datasets(monkeypatch, in_memory):
    """Splits of twelve records with two pictures each."""

    def open_dataset(*, name, config, data_dir, split):
        examples = [example(split, record, segment) for record in range(12) for segment in (0, 1)]
        labels = {"scored": LabelSet("scored", CLASSES, exclusive=False)}
        return Dataset(name, config, split, "1", in_memory(examples), labels, PICTURE, "0" * 16)

    monkeypatch.setattr(predict, "open_dataset", open_dataset)


@pytest.fixture
def config():
    config = get_config()
    config.splits = ("test",)
    config.validation.split = "validation"
    config.codes = {"other": "55827005"}
    config.batch_size = 5
    return config


def answers(workdir, *codes):
    """The calls and scores of every record in files, in the order of records."""
    classes = Classes(codes, tuple(frozenset({code}) for code in codes), np.eye(len(codes)))
    files = [workdir / "outputs" / f"test{record}.csv" for record in range(12)]
    found = [read_output(path, classes, year=2020) for path in files]
    return np.stack([called for called, _ in found]), np.stack([scores for _, scores in found])


def test_every_record_has_an_official_file_with_a_column_for_each_code(config, tmp_path):
    predict.run(config, tmp_path)
    assert len(list((tmp_path / "outputs").iterdir())) == 12
    lines = (tmp_path / "outputs" / "test7.csv").read_text().split("\n")
    assert lines[:2] == ["#test7", "164889003,733534002,164909002,55827005"]
    assert len(lines) == 5
    summary = json.loads((tmp_path / "metrics.json").read_text())
    assert (summary["records"], summary["pictures"], summary["pooling"]) == (12, 24, "max")
    assert summary["model"]["fingerprint"] == "c0ffee"


def test_thresholds_are_fixed_on_validation_by_the_stated_rule(config, tmp_path):
    config.threshold = "F1"
    predict.run(config, tmp_path / "f1")
    called, _ = answers(tmp_path / "f1", "164889003", "164909002", "733534002")
    # The greys order the findings perfectly, which begin at records 8 and 4.
    np.testing.assert_array_equal(called[:, 0], np.arange(12) >= 8)
    np.testing.assert_array_equal(called[:, 1], np.arange(12) >= 4)
    np.testing.assert_array_equal(called[:, 2], called[:, 1])
    config.threshold = "sensitivity 0.5"
    predict.run(config, tmp_path / "half the cases")
    called, _ = answers(tmp_path / "half the cases", "164889003", "164909002")
    np.testing.assert_array_equal(called.sum(axis=0), [2, 4])
    config.threshold = "half"
    predict.run(config, tmp_path / "half")
    called, scores = answers(tmp_path / "half", "164889003", "164909002")
    np.testing.assert_array_equal(called, scores >= 0.5)
    summary = json.loads((tmp_path / "half" / "metrics.json").read_text())
    assert set(summary["thresholds"].values()) == {0.5}


def test_a_class_that_validation_lacks_is_called_from_one_half(config, tmp_path, capsys):
    predict.run(config, tmp_path)
    assert "other: all or none of 12 validation records, called from 0.5" in capsys.readouterr().out
    summary = json.loads((tmp_path / "metrics.json").read_text())
    assert summary["thresholds"]["other"] == 0.5
    assert summary["threshold"] == {
        "rule": "Youden",
        "fixed_on": config.validation.to_dict(),
    }


@pytest.mark.parametrize(("pooling", "grey"), [("model", 1), ("max", 1), ("mean", 0.5)])
def test_pictures_of_a_record_are_pooled_by_the_named_rule(config, tmp_path, pooling, grey):
    config.pooling = pooling
    predict.run(config, tmp_path)
    _, scores = answers(tmp_path, "164889003")
    np.testing.assert_allclose(scores[:, 0], (10 * np.arange(12) + grey) / 255, rtol=1e-6)


def test_faults_name_the_setting_and_leave_nothing(config, tmp_path):
    def expect(message, **changes):
        changed = config.copy_and_resolve_references()
        with changed.unlocked():
            changed.update(changes)
        with pytest.raises(InputError, match=message) as fault:
            predict.run(changed, tmp_path / "out")
        assert "\n" not in str(fault.value)
        assert not (tmp_path / "out").exists()

    expect(r"config\.threshold is 'best'; choose F1, Youden, half, or", threshold="best")
    expect(
        r"config\.pooling is 'median'; choose one of \['model', 'mean', 'max'\]", pooling="median"
    )
    expect(r"validation is split 'validation' of physionet2021, which", splits=("validation",))
    expect(r"config\.codes names \['flutter'\]", codes={"flutter": "1"})
    expect(r"classes \['LBBB, old'\] cannot be columns", codes={"other": "LBBB, old"})


def test_labels_without_the_model_s_classes_are_refused(config, model, monkeypatch, tmp_path):
    other = FittedModel(**{**vars(model), "classes": (*CLASSES, "flutter")})
    monkeypatch.setattr(predict, "load_model", lambda path, compute: other)
    with pytest.raises(InputError, match=r"has no class \['flutter'\] in label 'scored'"):
        predict.run(config, tmp_path / "out")


def test_a_record_whose_name_is_no_file_is_refused(config, monkeypatch, tmp_path):
    real = predict.open_dataset

    def renamed(**names):
        dataset = real(**names)
        dataset.source.examples[-1]["record_id"] = "../../etc"
        return dataset

    monkeypatch.setattr(predict, "open_dataset", renamed)
    with pytest.raises(InputError, match=r"record '\.\./\.\./etc' cannot be the name of a file"):
        predict.run(config, tmp_path / "out")


@pytest.mark.parametrize("variant", ["physionet2021", "demo"])
def test_configs_predict_other_records_than_thresholds_are_fixed_on(variant):
    config = get_config(variant)
    assert config.validation.split not in config.splits
