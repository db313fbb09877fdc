import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from ecgmae_jax.data.splits import (
    assign_by_patient,
    check_disjoint,
    deal_by_date,
    deal_by_stratum,
    quarters,
    rarest_classes,
)
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


def _patients(count):
    return [f"{number:016x}" for number in range(count)]


@hypothesis.given(
    st.lists(st.sampled_from("abcd"), min_size=40, max_size=80),
    st.integers(0, 5),
    st.sampled_from([SHARES, {f"fold{i}": 0.2 for i in range(5)}]),
)
def test_every_stratum_is_dealt_by_the_shares(strata, seed, shares):
    patients = _patients(len(strata))
    dealt = deal_by_stratum(patients, strata, shares=shares, seed=seed)
    for name, share in shares.items():
        assert abs((dealt == name).sum() - share * len(strata)) <= 1
        for stratum in set(strata):
            rows = [split for split, one in zip(dealt, strata, strict=True) if one == stratum]
            # What the strata before it left over, and what it leaves over itself.
            assert abs(rows.count(name) - share * len(rows)) <= 2


def test_a_deal_does_not_depend_on_the_order_of_the_patients():
    patients, strata = _patients(50), ["x" if number % 3 else "y" for number in range(50)]
    dealt = dict(
        zip(patients, deal_by_stratum(patients, strata, shares=SHARES, seed=4), strict=True)
    )
    turned = deal_by_stratum(patients[::-1], strata[::-1], shares=SHARES, seed=4)
    assert dict(zip(patients[::-1], turned, strict=True)) == dealt
    other = deal_by_stratum(patients, strata, shares=SHARES, seed=5)
    assert [dealt[patient] for patient in patients] != other.tolist()


def test_too_few_patients_leave_a_split_empty():
    with pytest.raises(InputError, match=r"3 patients leave 'validation' of shares .* empty"):
        deal_by_stratum(_patients(3), ["a"] * 3, shares=SHARES, seed=0)


def test_dates_are_dealt_in_order_and_days_stay_together():
    dates = [f"2020-01-{day:02d}" for day in (9, 1, 2, 3, 4, 5, 5, 6, 7, 8)]
    shares = {"train": 0.5, "validation": 0.2, "test": 0.3}
    dealt, last = deal_by_date(dates, shares=shares)
    assert last == {"train": "2020-01-05", "validation": "2020-01-06", "test": "2020-01-09"}
    found = dict(zip(dates, dealt.tolist(), strict=True))
    assert [found[f"2020-01-{day:02d}"] for day in range(1, 10)] == (
        ["train"] * 5 + ["validation"] + ["test"] * 3
    )


def test_one_day_cannot_be_dealt():
    with pytest.raises(InputError, match=r"leave 'validation' of .* empty: too many of them"):
        deal_by_date(["2020-01-01"] * 9, shares=SHARES)


def test_a_patient_stands_for_the_rarest_class():
    groups = ["p", "p", "q", "r", "s"]
    classes = [["sinus"], ["sinus", "af"], ["sinus"], ["af", "block"], []]
    expected = {"p": "af", "q": "sinus", "r": "block", "s": ""}
    assert rarest_classes(groups, classes) == expected


def test_numbers_are_cut_into_quarters_of_patients():
    groups = ["a", "a", "b", "c", "d", "e"]
    values = [0.0, 2.0, 2.0, 3.0, 4.0, float("nan")]
    assert quarters(groups, values) == {"a": "0", "b": "1", "c": "2", "d": "3", "e": ""}
    assert quarters(["a"], [float("nan")]) == {"a": ""}
