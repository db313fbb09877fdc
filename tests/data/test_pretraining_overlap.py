import numpy as np
import pytest

from ecgmae_jax.data.pretraining_overlap import (
    COLUMNS,
    FILE,
    Overlap,
    check_overlap,
    dataset_identities,
    dataset_overlap,
    find_overlap,
    identities,
    identities_npy,
    joined,
    read_identities,
    were_seen,
)
from ecgmae_jax.data.source import open_dataset
from ecgmae_jax.errors import InputError


def _columns(*rows):
    return dict(zip(COLUMNS, map(list, zip(*rows, strict=True)), strict=True))


CHALLENGE = _columns(
    ("ptb-xl", "HR00001", "HR00001", "g1"),
    ("ptb-xl", "HR21837", "HR21837", "g2"),
    ("georgia", "E00003", "E00003", "g3"),
)
PTB_XL = _columns(
    ("ptb-xl", "00001", "15709", "p15709"),
    ("ptb-xl", "00002", "13243", "p13243"),
    ("ptb-xl", "00003", "15709", "p15709"),
)
COHORT = _columns(("clinic", "0" * 16, "abcdef0123456789", "c1"))


def test_ptb_xl_is_found_inside_the_challenge_and_the_other_way_round():
    challenge, ptb_xl = identities(CHALLENGE), identities(PTB_XL)
    assert were_seen(ptb_xl, np.unique(challenge)).tolist() == [True, False, False]
    assert were_seen(challenge, np.unique(ptb_xl)).tolist() == [True, False, False]


def test_a_patient_is_known_by_the_group():
    later = _columns(("ptb-xl", "00099", "15709", "p15709"))
    assert were_seen(identities(later), np.unique(identities(PTB_XL))).tolist() == [True]


def test_a_pseudonym_is_known_in_a_cohort_of_another_name():
    other = _columns(("clinic 2025", "1" * 16, "abcdef0123456789", "c2"))
    seen = np.unique(identities(COHORT))
    assert were_seen(identities(other), seen).tolist() == [True]
    # PTB-XL's patient 15709 is nobody's pseudonym.
    same_number = _columns(("other", "x", "15709", "q"))
    assert not were_seen(identities(same_number), np.unique(identities(PTB_XL))).any()


def test_records_of_one_number_in_two_sources_differ():
    other = _columns(("chapman_shaoxing", "00001", "00001", "h1"))
    assert not were_seen(identities(other), np.unique(identities(PTB_XL))).any()


def test_a_patient_seen_once_counts_with_all_recordings():
    seen = were_seen(identities(PTB_XL), np.unique(identities(CHALLENGE)))
    assert find_overlap(seen, PTB_XL["group"]) == Overlap(records=2, patients=1, total=3)


def test_a_planted_leak_stops_unless_the_user_allows_it_and_is_then_stated():
    overlap = Overlap(records=2, patients=1, total=3)
    with pytest.raises(InputError, match=r"2 of 3 test recordings, of 1 patients, were in "):
        check_overlap(overlap, allowed=False, setting="config.allow_leakage")
    stamp = check_overlap(overlap, allowed=True, setting="config.allow_leakage")
    assert stamp.startswith("LEAKAGE ALLOWED BY THE USER: 2 of 3 test recordings")
    assert check_overlap(Overlap(0, 0, 3), allowed=False, setting="x") == ""


def test_identities_are_kept_in_a_file(tmp_path):
    path = tmp_path / "identities.npy"
    path.write_bytes(identities_npy(identities(PTB_XL)))
    numbers = read_identities(path)
    # Two patients and three records: a patient without pseudonym has no identity of its own.
    assert len(numbers) == 5
    np.testing.assert_array_equal(numbers, np.unique(identities(PTB_XL)))


def test_a_model_that_saw_nobody_says_so(tmp_path):
    path = tmp_path / FILE
    path.write_bytes(identities_npy())
    assert were_seen(identities(PTB_XL), read_identities(path)).sum() == 0


def test_identities_of_several_data_sets_are_kept_together(tmp_path):
    path = tmp_path / FILE
    path.write_bytes(identities_npy(identities(PTB_XL), np.unique(identities(COHORT))))
    both = np.union1d(identities(PTB_XL), identities(COHORT))
    np.testing.assert_array_equal(read_identities(path), both)


def test_a_split_is_compared_with_the_folder_of_a_model(toy_data_dir, tmp_path):
    train, validation = (
        open_dataset(name="toy_ecg", config="sheet", data_dir=toy_data_dir, split=split)
        for split in ("train", "validation")
    )
    assert dataset_overlap(validation, tmp_path) is None
    (tmp_path / FILE).write_bytes(identities_npy(dataset_identities(train)))
    # Its patients are in both splits, two examples each.
    assert dataset_overlap(validation, tmp_path) == Overlap(records=6, patients=3, total=6)
    (tmp_path / FILE).write_bytes(identities_npy(identities(CHALLENGE)))
    assert dataset_overlap(validation, tmp_path) == Overlap(0, 0, 6)


def test_overlaps_of_splits_add_up():
    overlaps = [Overlap(2, 1, 3), Overlap(0, 0, 5)]
    assert joined(overlaps) == Overlap(2, 1, 8)
    assert joined([]) == Overlap(0, 0, 0)


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "identities.npy"
    with pytest.raises(InputError, match=r"cannot be read \(.*No such file.*copy it from the pre-"):
        read_identities(path)
    path.write_bytes(b"nothing")
    with pytest.raises(InputError, match="cannot be read"):
        read_identities(path)
    np.save(path, np.zeros(3))
    with pytest.raises(InputError, match="holds no identities"):
        read_identities(path)


def test_no_recordings_have_no_identities():
    assert identities({name: [] for name in COLUMNS}).shape == (0, 3)
