import numpy as np
import pandas as pd
import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.reporting.prediction_files import TEST, VALIDATION, read_predictions


def make_table(models, *, num=24, seed=0):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "record_id": [f"00{i:02d}" for i in range(num)],
            "source": "NA",
            "group": [f"p{i}" for i in range(num)],
            "split": "s",
            "num_pictures": 1,
            "sex": "female",
            "age_years": np.where(np.arange(num) % 5, 50.0, np.nan),
            "part": np.repeat(["train", "validation", "test"], num // 3),
        }
    )
    for name in ("a", "b.c"):
        table[f"truth.x.{name}"] = rng.integers(0, 2, num)
    table.loc[num - 1, ["truth.x.a", "truth.x.b.c"]] = np.nan
    for model in models:
        for name in ("a", "b.c"):
            column = rng.random(num)
            column[: num // 3] = np.nan
            table[f"{model}.x.{name}"] = column
    return table


@pytest.fixture
def write(tmp_path):
    def write(name, table):
        path = tmp_path / f"{name}.csv"
        table.to_csv(path, index=False)
        return path

    return write


def test_models_of_several_files_meet_on_the_same_records(write):
    both, one = make_table(["MAE", "PCA"]), make_table(["model"])
    # The other file knows neither the training records nor the order of these.
    shuffled = one[one["part"] != "train"].sample(frac=1, random_state=0).assign(device="X")
    files = {"PCA": write("a", both), "fine-tuned": write("b", shuffled), "MAE": write("a", both)}
    found = read_predictions(files, task="x", development={})
    assert list(found.probabilities) == ["PCA", "fine-tuned", "MAE"]
    assert found.classes == ("a", "b.c")
    assert found.rows(TEST, *files).sum() == 7
    assert found.rows(VALIDATION, "MAE").sum() == 8
    np.testing.assert_allclose(found.probabilities["fine-tuned"], one.filter(like="model."))
    assert found.frame["record_id"].tolist() == both["record_id"].tolist()
    assert set(found.frame["source"]) == {"NA"}
    assert set(found.frame["device"][found.rows(TEST)]) == {"X"}


def test_a_model_judged_elsewhere_keeps_what_was_fixed_at_home(write):
    home, away = make_table(["fine-tuned"]), make_table(["model"], seed=1)
    away = away.assign(source="elsewhere", group=away["group"] + "x", part="test")
    path = write("home", home)
    found = read_predictions({"m": write("away", away)}, task="x", development={"m": path})
    assert found.rows(TEST, "m").sum() == 15
    assert set(found.frame["source"][found.rows(TEST)]) == {"elsewhere"}
    assert found.rows(VALIDATION, "m").sum() == 8
    fixing = found.rows(VALIDATION, "m")
    expected = home.loc[home["part"] == "validation", "fine-tuned.x.a"]
    np.testing.assert_array_equal(found.probabilities["m"][fixing, 0], expected)
    same_patient = away.assign(group=away["group"].replace("p20x", "p3"))
    with pytest.raises(InputError, match="1 patients are in both test and train"):
        read_predictions({"m": write("b", same_patient)}, task="x", development={"m": path})


def test_what_was_read_is_written_as_it_was(write):
    table = make_table(["MAE"])
    found = read_predictions({"MAE": write("a", table)}, task="x", development={}).table()
    again = read_predictions({"MAE": write("b", found)}, task="x", development={})
    pd.testing.assert_frame_equal(again.table(), found)
    values = found["MAE.x.b.c"].to_numpy()
    np.testing.assert_array_equal(values, table["MAE.x.b.c"].to_numpy())


def test_a_class_that_a_model_does_not_predict_is_left_out(write):
    table = make_table(["MAE"])
    table["MAE.x.a"] = np.nan
    found = read_predictions({"MAE": write("a", table)}, task="x", development={})
    assert (found.classes, found.left_out) == (("b.c",), ("a",))


def test_of_two_classes_that_every_record_has_one_of_the_second_is_judged(write):
    table = make_table(["MAE"])
    table["truth.x.b.c"] = 1 - table["truth.x.a"]
    found = read_predictions({"MAE": write("a", table)}, task="x", development={})
    assert (found.classes, found.opposite, found.left_out) == (("b.c",), "a", ())
    np.testing.assert_array_equal(found.truth[:, 0], table["truth.x.b.c"])
    np.testing.assert_array_equal(found.probabilities["MAE"][:, 0], table["MAE.x.b.c"])


def test_faults_are_one_line_that_names_the_file(write, tmp_path):
    good = make_table(["MAE", "PCA"])

    def expect(match, files, task="x"):
        with pytest.raises(InputError, match=match) as fault:
            read_predictions(files, task=task, development={})
        assert "\n" not in str(fault.value)

    one = write("good", good)
    expect(r"none\.csv: no such file", {"m": tmp_path / "none.csv"})
    expect(r"no column truth\.y\..*\['x'\]", {"MAE": one}, task="y")
    expect(r"no model 'ViT'; it has \['MAE', 'PCA'\]", {"ViT": one})
    expect(r"columns \['group'\] are missing", {"MAE": write("a", good.drop(columns="group"))})
    words = good.astype({"MAE.x.a": object})
    words.loc[10, "MAE.x.a"] = "high"
    expect(r"MAE\.x\.a is 'high' in line 12", {"MAE": write("b", words)})
    expect(r"record '0000' is there twice", {"MAE": write("c", pd.concat([good, good[:1]]))})
    moved = good.assign(part=good["part"].mask(good.index == 20, "validation"))
    expect(r"record '0020' has part 'test' in", {"MAE": one, "PCA": write("d", moved)})
    shared = good.assign(group=good["group"].replace("p20", "p9"))
    expect(r"1 patients are in both", {"MAE": write("e", shared)})
    fewer = good.copy()
    fewer.loc[20, ["PCA.x.a", "PCA.x.b.c"]] = np.nan
    expect(
        r"of 7 test records .*\{'MAE': 7, 'PCA': 6\}",
        dict.fromkeys(("MAE", "PCA"), write("f", fewer)),
    )
    other = good.rename(columns=lambda name: name.replace(".a", ".z"))
    expect(r"classes \['z', 'b\.c'\]", {"MAE": one, "PCA": write("g", other)})
