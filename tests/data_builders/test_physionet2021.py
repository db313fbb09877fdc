import shutil

import pytest

from data_builders.account import Account
from data_builders.contents import Form
from data_builders.examples import examples_of, group_of
from data_builders.physionet2021.diagnoses import SNOMED_CODES, labels_of
from data_builders.physionet2021.records import SOURCES, entries_by_split, split_of
from ecgmae_jax.errors import InputError
from ecgmae_jax.records.diagnoses import SCORED_CODES


def test_listed_codes_are_the_challenge_s_133_with_the_scored_among_them():
    assert len(SNOMED_CODES) == len(set(SNOMED_CODES)) == 133
    scored = {code for codes in SCORED_CODES.values() for code in codes}
    assert len(scored) == 30
    assert scored <= set(SNOMED_CODES)


def test_labels_join_equivalent_codes_and_leave_unlisted_ones_out(make_recording):
    recording = make_recording(
        "x", rate_hz=500.0, seconds=10.0, diagnoses=("59118001", "713427006", "999999999")
    )
    assert labels_of(recording) == {
        "labels": {"snomed": ["59118001", "713427006"], "scored": ["CRBBB|RBBB"]}
    }


def test_a_tenth_of_the_groups_validates():
    splits = [split_of(group_of("georgia", f"E{number:05d}")) for number in range(5000)]
    assert 0.09 < splits.count("validation") / len(splits) < 0.11
    assert set(splits) == {"train", "validation"}


def test_entries_are_split_by_group_and_absent_sources_noted(challenge_folder):
    account = Account()
    splits = entries_by_split(challenge_folder, SOURCES, account)
    assert {split: len(entries) for split, entries in splits.items()} == {
        "train": 4,
        "validation": 1,
    }
    for split, entries in splits.items():
        assert {split_of(group_of(entry.source, entry.patient_id)) for entry in entries} == {split}
    (note,) = account.notes
    assert note.startswith("no records of chapman_shaoxing, cpsc_2018_extra, ningbo, ptb, ptb-xl, ")


def test_a_record_in_two_folders_is_refused_once(challenge_folder, tmp_path):
    folder = shutil.copytree(challenge_folder, tmp_path / "copy")
    (header,) = (folder / "training/georgia/g2").glob("*.hea")
    shutil.copy(header, folder / "training/georgia/g1" / header.name)
    account = Account()
    splits = entries_by_split(folder, ("georgia",), account)
    assert sum(map(len, splits.values())) == 3
    assert account.total().refused() == {"duplicate-record": 1}


def test_a_missing_source_is_an_error_when_it_was_asked_for(challenge_folder):
    with pytest.raises(InputError, match=r"no training/ptb-xl/g\*/\*\.hea \(it has training\)"):
        entries_by_split(challenge_folder, ("ptb-xl",), Account())


def test_real_sources_are_read_whole(real_data):
    account = Account()
    splits = entries_by_split(real_data / "challenge-2021", SOURCES, account)
    entries = [entry for some in splits.values() for entry in some]
    made, found = examples_of(
        entries, form=Form(), labels_of=labels_of, known_codes=frozenset(SNOMED_CODES)
    )
    assert account.notes == []
    assert {source: (t.read, t.pictures) for source, t in found.tallies.items()} == {
        "chapman_shaoxing": (10, 10),
        "cpsc_2018": (10, 15),
        "cpsc_2018_extra": (10, 16),
        "georgia": (10, 10),
        "ningbo": (10, 10),
        "ptb": (4, 40),
        "ptb-xl": (10, 10),
        "st_petersburg_incart": (1, 180),
    }
    assert found.total().rejections == []
    rates = {example["source"]: example["original_rate_hz"] for _, example in made}
    assert rates["ptb"] == 1000.0
    assert rates["st_petersburg_incart"] == 257.0
    assert {key for key in found.counts if "unlisted" in key} == set()
