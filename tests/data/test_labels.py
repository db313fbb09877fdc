import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from ecgmae_jax.data.labels import LabelSet
from ecgmae_jax.errors import InputError

RHYTHM = LabelSet("rhythm", ("sinus", "af", "other"), exclusive=True)
FINDINGS = LabelSet("findings", ("pvc", "lvh", "st"), exclusive=False)
SUPERCLASS = LabelSet("superclass", ("norm", "mi"), exclusive=False, empty_is_missing=True)


@pytest.mark.parametrize(
    ("labels", "value", "row"),
    [
        (RHYTHM, 1, [0, 1, 0]),
        (RHYTHM, -1, [np.nan] * 3),
        (FINDINGS, (0, 2), [1, 0, 1]),
        (FINDINGS, (), [0, 0, 0]),
        (SUPERCLASS, (1,), [0, 1]),
        (SUPERCLASS, (), [np.nan] * 2),
    ],
)
def test_encode_tells_absent_from_unknown(labels, value, row):
    encoded = labels.encode(value)
    assert encoded.dtype == np.float32
    np.testing.assert_array_equal(encoded, np.array(row, np.float32))


@hypothesis.given(st.sets(st.integers(0, 2)))
def test_names_are_the_classes_with_a_one(present):
    row, names = FINDINGS.encode(tuple(present)), FINDINGS.names(tuple(present))
    assert set(names) == {FINDINGS.classes[i] for i in np.flatnonzero(row)}


def test_names_of_an_unknown_value_are_none():
    assert RHYTHM.names(-1) is None
    assert SUPERCLASS.names(()) is None
    assert FINDINGS.names(()) == ()


@pytest.mark.parametrize(("labels", "value"), [(RHYTHM, 3), (FINDINGS, (0, -1))])
def test_an_index_outside_the_classes_is_refused(labels, value):
    with pytest.raises(InputError, match="has classes 0 to 2, found"):
        labels.encode(value)
