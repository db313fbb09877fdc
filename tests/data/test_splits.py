import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from ecgmae_jax.data.splits import assign_by_patient, check_disjoint
from ecgmae_jax.errors import InputError

SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}


@hypothesis.given(st.lists(st.text("0123456789abcdef", min_size=1), min_size=1), st.integers(0, 9))
def test_a_patient_is_in_one_split_and_others_do_not_move_it(groups, seed):
    splits = assign_by_patient(groups, shares=SHARES, seed=seed)
    for group, split in zip(groups, splits, strict=True):
        assert assign_by_patient([group], shares=SHARES, seed=seed) == [split]


def test_shares_hold_on_average():
    groups = [f"{k:x}" for k in range(20_000)]
    splits = assign_by_patient(groups, shares=SHARES, seed=1)
    for name, share in SHARES.items():
        # Four standard deviations of a binomial share.
        bound = 4 * np.sqrt(share * (1 - share) / len(groups))
        assert abs((splits == name).mean() - share) < bound


def test_another_seed_is_another_assignment():
    groups = [f"{k:x}" for k in range(100)]
    first, second = (assign_by_patient(groups, shares=SHARES, seed=seed) for seed in (0, 1))
    assert (first != second).any()


def test_a_split_without_share_gets_nobody():
    splits = assign_by_patient(list("abcdefgh"), shares={"a": 0.0, "b": 1.0, "c": 0.0}, seed=0)
    assert set(splits) == {"b"}


@pytest.mark.parametrize("shares", [{"train": 0.8, "test": 0.1}, {"train": 1.2, "test": -0.2}])
def test_shares_must_sum_to_one(shares):
    with pytest.raises(InputError, match="give shares from 0 to 1 that sum to 1"):
        assign_by_patient(["a"], shares=shares, seed=0)


def test_shared_patients_are_counted_and_the_first_are_named():
    splits = {"train": ["d", "a", "b", "c", "e"], "test": ["x", "b", "a", "d", "c", "b"]}
    with pytest.raises(
        InputError, match=r"4 patients are in both 'train' and 'test' \(groups a, b, c, \.\.\.\)"
    ):
        check_disjoint(splits)


def test_assigned_splits_are_disjoint():
    groups = np.array([f"{k % 300:x}" for k in range(1000)])
    splits = assign_by_patient(groups, shares=SHARES, seed=3)
    check_disjoint({name: groups[splits == name] for name in SHARES})
