"""Which pictures are explained, and for which class."""

import dataclasses
from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
import pandas as pd
from jaxtyping import Float, Float32, Int, UInt8

from ecgmae_jax.data.source import Dataset
from ecgmae_jax.data.subsets import subset
from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.aggregation import RECORD_KEY
from ecgmae_jax.programs import encoders, inputs, judgement
from ecgmae_jax.programs.batches import in_batches
from ecgmae_jax.programs.explained_models import ExplainedModel


@dataclasses.dataclass(frozen=True, eq=False)
class Subjects:
    """Pictures, each to be explained for one class.

    Attributes:
        frame: what is known of each besides its pixels.
        images: as the model sees them.
        which: the class of each.
        probability: that the model gives this class.
        truth: the classes that hold, in words; empty where they are not known.
    """

    frame: pd.DataFrame
    pictures: UInt8[np.ndarray, "b h w c"]
    images: Float32[np.ndarray, "b h w c"]
    which: Int[np.ndarray, " b"]
    probability: Float[np.ndarray, " b"]
    truth: Sequence[str]


def choose_subjects(
    model: ExplainedModel,
    dataset: Dataset,
    *,
    records: Sequence[str],
    number: int,
    explain: str,
    batch_size: int,
) -> Subjects:
    """The first picture of each named record, or of `number` records spread over the split.

    Args:
        explain: a class, or empty for each picture's most probable one.

    Raises:
        InputError: a record, a class or a number of records that is not there.
    """
    frame = judgement.record_columns(dataset)
    rows = _chosen_rows(frame, records=records, number=number)
    if explain and explain not in model.classes:
        raise InputError(f"config.explain is {explain!r}; the model knows {list(model.classes)}")
    chosen = subset(dataset, rows, split=dataset.split)
    pictures = encoders.embed_split(
        chosen, model.specification, functions={"": np.asarray}, batch_size=batch_size
    )[""]
    images = np.asarray(inputs.standardise(jnp.asarray(pictures), model.specification))
    odds = in_batches(
        lambda some: model.log_odds(model.params, some, None), images, batch_size=batch_size
    )
    which = odds.argmax(axis=1)
    if explain:
        which = np.full(len(rows), model.classes.index(explain))
    explained = np.take_along_axis(odds, which[:, None], axis=1)[:, 0]
    return Subjects(
        frame=frame.iloc[rows].reset_index(drop=True),
        pictures=pictures,
        images=images,
        which=which,
        probability=1 / (1 + np.exp(-explained)),
        truth=_truth(chosen, model.task),
    )


def _chosen_rows(
    frame: pd.DataFrame, *, records: Sequence[str], number: int
) -> Int[np.ndarray, " b"]:
    firsts = frame[~frame.duplicated(list(RECORD_KEY))]
    if records:
        absent = sorted(set(records) - set(firsts["record_id"]))
        if absent:
            raise InputError(f"config.records names {absent}, which the split does not have")
        return firsts.index[firsts["record_id"].isin(records)].to_numpy()
    if not 1 <= number <= len(firsts):
        raise InputError(
            f"config.num_records is {number}; the split has {len(firsts)} records, choose 1 to that"
        )
    places = np.linspace(0, len(firsts) - 1, number).round().astype(int)
    return firsts.index.to_numpy()[places]


def _truth(dataset: Dataset, task: str) -> list[str]:
    if task not in dataset.label_sets:
        return [""] * len(dataset)
    labels, source = dataset.label_set(task), dataset.source.only("labels")
    named = [labels.names(source[i]["labels"][task]) for i in range(len(source))]
    return ["" if one is None else ", ".join(one) or "none of the classes" for one in named]
