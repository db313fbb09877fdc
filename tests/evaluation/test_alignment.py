import dataclasses

import numpy as np
import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.aggregation import aggregate_records
from ecgmae_jax.evaluation.alignment import require_same_pictures
from ecgmae_jax.evaluation.embeddings import Embeddings


def _rows(embeddings, rows):
    return Embeddings(
        frame=embeddings.frame.iloc[rows].reset_index(drop=True),
        labels={
            task: dataclasses.replace(labels, values=labels.values[rows])
            for task, labels in embeddings.labels.items()
        },
        matrix=embeddings.matrix[rows],
        metadata=embeddings.metadata,
        numbers={name: values[rows] for name, values in embeddings.numbers.items()},
    )


def test_the_order_of_rows_does_not_matter(make_embeddings):
    first = make_embeddings(num_patients=5)
    second = _rows(first, np.random.default_rng(0).permutation(len(first)))
    require_same_pictures({"a.parquet": first, "b.parquet": second})
    for one, other in zip(
        *(aggregate_records(e, rule="mean").matrix for e in (first, second)), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_other_pictures_are_counted(make_embeddings):
    first = make_embeddings(num_patients=5)
    second = _rows(first, np.arange(17))
    with pytest.raises(InputError, match=r"b\.parquet has 17 pictures, a\.parquet has 20, 17 are"):
        require_same_pictures({"a.parquet": first, "b.parquet": second})


def test_other_labels_and_splits_are_named(make_embeddings):
    first, second = make_embeddings(num_patients=5), make_embeddings(num_patients=5)
    second.labels["findings"].values[4] = 1 - np.nan_to_num(second.labels["findings"].values[4])
    with pytest.raises(InputError, match=r"differ in the column label\.findings"):
        require_same_pictures({"a": first, "b": second})
    second = make_embeddings(num_patients=5)
    second.frame["split"] = "test"
    with pytest.raises(InputError, match=r"b and a differ in the column split"):
        require_same_pictures({"a": first, "b": second})
    second = make_embeddings(num_patients=5)
    del second.labels["rhythm"]
    with pytest.raises(InputError, match=r"b has the labels \['findings'\], a has"):
        require_same_pictures({"a": first, "b": second})


def test_other_numbers_are_named(make_embeddings):
    first, second = make_embeddings(num_patients=5), make_embeddings(num_patients=5)
    second.numbers["lvef"][7] += 1
    with pytest.raises(InputError, match=r"b and a differ in the column number\.lvef"):
        require_same_pictures({"a": first, "b": second})
    second = dataclasses.replace(first, numbers={})
    with pytest.raises(InputError, match=r"b has the numbers \[\], a has \['lvef'\]"):
        require_same_pictures({"a": first, "b": second})
