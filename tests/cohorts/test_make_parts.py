import dataclasses

import pytest

from ecgmae_jax.cohorts.description import Description
from ecgmae_jax.cohorts.make_parts import make_parts
from ecgmae_jax.cohorts.scans import read_cohort
from ecgmae_jax.cohorts.split_scans import SHARES, cohort_splits, split_scans, unique_scans
from ecgmae_jax.data.split_files import splits_json
from ecgmae_jax.errors import InputError

HALVES = {"train": 0.5, "validation": 0.25, "test": 0.25}
SETTINGS = {"shares": HALVES, "folds": 4, "stratify": (), "seed": 0}


@pytest.fixture
def cohort(folder):
    """40 patients with two scans each, a quarter of them with the outcome, at three sites."""
    rows = []
    for number in range(80):
        (folder.path / f"{number}.png").touch()
        patient = number % 40
        site = ("North", "South", "Mid-West")[patient % 3]
        day = f"2020-{1 + patient % 12:02d}-{1 + number // 40:02d}"
        rows.append(f"{number}.png,{patient},{int(patient < 10)},{patient / 2},{site},{day}\n")
    folder.write(
        table_csv="path,patient_id,death,ef,site,recorded_on\n" + "".join(rows),
        cohort_toml='key_file = "../cohort.key"\n[outcomes.death]\n[outcomes.ef]\n'
        'type = "continuous"\n',
    )
    return read_cohort(folder.path, Description())


def _parts(cohort, method, **changes):
    return make_parts(cohort, cohort.scans, method=method, **{**SETTINGS, **changes})


def _deaths(cohort, members):
    """Patients of a part who have the outcome."""
    dead = {scan.group for scan in cohort.scans if scan.features["labels"]["death"] == 1}
    return len(dead & set(members))


def test_random_parts_have_their_share_of_the_outcome(cohort):
    splits = _parts(cohort, "random", stratify=("death",))
    assert {name: len(members) for name, members in splits.parts.items()} == {
        "train": 20,
        "validation": 10,
        "test": 10,
    }
    deaths = {name: _deaths(cohort, members) for name, members in splits.parts.items()}
    assert deaths["train"] == 5
    assert sorted(deaths.values()) == [2, 3, 5]
    assert splits.mark == cohort.mark
    assert splits.method == {
        "name": "random",
        "seed": 0,
        "stratify": ["death"],
        "shares": HALVES,
    }


def test_a_deal_is_the_same_again_and_another_with_another_seed(cohort):
    first, again, other = (_parts(cohort, "random", seed=seed) for seed in (0, 0, 1))
    assert first.fingerprint == again.fingerprint != other.fingerprint


def test_numbers_are_dealt_evenly(cohort):
    splits = _parts(cohort, "random", stratify=("ef",))
    ef = {scan.group: scan.features["targets"]["ef"]["value"] for scan in cohort.scans}
    for members in splits.parts.values():
        quarters = [int(ef[group] // 5) for group in members]
        assert all(abs(quarters.count(q) - len(members) / 4) <= 1 for q in range(4))


def test_folds(cohort):
    splits = _parts(cohort, "kfold", stratify=("death",))
    assert list(splits.parts) == ["fold1", "fold2", "fold3", "fold4"]
    assert all(len(members) == 10 for members in splits.parts.values())
    assert sorted(_deaths(cohort, m) for m in splits.parts.values()) == [2, 2, 3, 3]
    assert len(splits.rounds) == 4
    with pytest.raises(InputError, match=r"config\.folds is 2; at least 3 are needed"):
        _parts(cohort, "kfold", folds=2)


def test_a_site_is_tested_by_those_who_never_saw_it(cohort):
    splits = _parts(cohort, "site")
    site_of = {scan.group: scan.features["site"] for scan in cohort.scans}
    assert [one["test"][0] for one in splits.rounds] == ["mid_west", "north", "south"]
    for one, site in zip(splits.rounds, ("Mid-West", "North", "South"), strict=True):
        tested = {group for name in one["test"] for group in splits.parts[name]}
        assert tested == {group for group, place in site_of.items() if place == site}
        others = {g for role in ("train", "validation") for n in one[role] for g in splits.parts[n]}
        assert others == set(site_of) - tested
    splits_json(splits)


def test_patients_of_two_sites_are_left_out(cohort):
    first = cohort.scans[0]
    moved = dataclasses.replace(first, features={**first.features, "site": "South"})
    scans = [moved, *cohort.scans[1:]]
    splits = make_parts(cohort, scans, method="site", **SETTINGS)
    assert splits.left_out == (first.group,)
    assert first.group not in {g for members in splits.parts.values() for g in members}
    nowhere = dataclasses.replace(first, features={**first.features, "site": ""})
    with pytest.raises(InputError, match="some scans have no site: fill the column"):
        make_parts(cohort, [nowhere, *cohort.scans], method="site", **SETTINGS)
    north = [scan for scan in cohort.scans if scan.features["site"] == "North"]
    with pytest.raises(InputError, match=r"the sites are \['North'\]: expected two or more"):
        make_parts(cohort, north, method="site", **SETTINGS)


def test_nothing_that_trains_is_later_than_what_tests(cohort):
    # In whatever order the shares come, as from a config, the earliest train.
    splits = _parts(cohort, "temporal", shares=dict(reversed(HALVES.items())))
    days = {}
    for scan in cohort.scans:
        days.setdefault(scan.group, []).append(scan.features["recorded_on"])
    last = {name: max(max(days[g]) for g in members) for name, members in splits.parts.items()}
    # The last recording of a patient decides.
    first_of_test = min(max(days[group]) for group in splits.parts["test"])
    assert last["train"] < last["validation"] < first_of_test
    assert splits.method["last_days"] == last
    undated = dataclasses.replace(
        cohort.scans[0], features={**cohort.scans[0].features, "recorded_on": ""}
    )
    with pytest.raises(InputError, match=r"table.csv line 2 has no date that is understood"):
        make_parts(cohort, [undated, *cohort.scans], method="temporal", **SETTINGS)


def test_given_splits_are_taken_from_the_table(folder):
    for name in "abc":
        (folder.path / f"{name}.png").touch()
    table = "path,patient_id,split\na.png,1,Train\nb.png,2,val\nc.png,3,testing\n"
    cohort = read_cohort(folder.write(table_csv=table).path, Description())
    splits = _parts(cohort, "given")
    assert splits.part_of([scan.group for scan in cohort.scans]) == ["train", "validation", "test"]
    folder.write(table_csv=table.replace("3,testing", "1,testing"))
    with pytest.raises(InputError, match=r"line 4: the patient is in 'testing' and, in .* 'train'"):
        _parts(read_cohort(folder.path, Description()), "given")


def test_wrong_settings_are_named(cohort):
    with pytest.raises(InputError, match=r"config\.method is 'x'; there are random, kfold, site"):
        _parts(cohort, "x")
    with pytest.raises(InputError, match="names 'dead'; the outcomes are death, ef"):
        _parts(cohort, "random", stratify=("dead",))
    with pytest.raises(InputError, match="the table gives no splits"):
        _parts(cohort, "given")


def _with_file(folder, cohort, splits):
    (folder.path.parent / "splits.json").write_bytes(splits_json(splits))
    toml = (folder.path / "cohort.toml").read_text()
    if "splits_file" not in toml:
        folder.write(cohort_toml=f'splits_file = "../splits.json"\n{toml}')
    return read_cohort(folder.path, Description())


def test_the_file_decides_where_scans_go(folder, cohort):
    splits = _parts(cohort, "kfold")
    cohort = _with_file(folder, cohort, splits)
    found = split_scans(cohort, unique_scans(cohort.scans)[0], cohort_splits(cohort))
    assert list(found) == ["fold1", "fold2", "fold3", "fold4"]
    for name, scans in found.items():
        assert {scan.group for scan in scans} == set(splits.parts[name])
    left_out = dataclasses.replace(splits, parts={**splits.parts, "fold1": ()})
    left_out = dataclasses.replace(left_out, left_out=splits.parts["fold1"])
    found = split_scans(cohort, cohort.scans, left_out)
    assert (found["fold1"], len(found["fold2"])) == ([], 20)


def test_a_file_of_another_cohort_or_key_is_refused(folder, cohort):
    splits = _parts(cohort, "kfold")
    for change in ({"mark": "00000000"}, {"source": "other"}):
        described = _with_file(folder, cohort, dataclasses.replace(splits, **change))
        with pytest.raises(InputError, match="make the splits anew"):
            cohort_splits(described)


def test_a_new_patient_is_in_no_part(folder, cohort):
    splits = _parts(cohort, "kfold")
    (folder.path / "new.png").touch()
    table = (folder.path / "table.csv").read_text()
    folder.write(table_csv=f"{table}new.png,new,0,1,North,2020-01-01\n")
    cohort = _with_file(folder, cohort, splits)
    with pytest.raises(InputError, match="1 of 81 scans are of patients that the splits file"):
        split_scans(cohort, cohort.scans, splits)


def test_a_file_and_a_column_at_once_are_refused(folder, cohort):
    splits = _parts(cohort, "kfold")
    table = (folder.path / "table.csv").read_text().replace("site", "split").replace("North", "val")
    folder.write(table_csv=table)
    with pytest.raises(InputError, match=r"a splits_file and a column of splits: take one of them"):
        cohort_splits(_with_file(folder, cohort, splits))


def test_without_file_or_column_the_hash_decides(cohort):
    found = split_scans(cohort, cohort.scans, None)
    assert list(found) == list(SHARES)
    assert sum(map(len, found.values())) == 80
    patients = [{scan.group for scan in scans} for scans in found.values()]
    assert not (patients[0] & patients[1] or patients[0] & patients[2] or patients[1] & patients[2])
