"""The columns of predictions.csv for outcomes that are numbers.

`truth.<outcome>.value` with `<model>.<outcome>.value`, or `truth.<outcome>.time` and `.event` with
`<model>.<outcome>.risk`, the log relative hazard.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Float64

from ecgmae_jax.evaluation.statistics.outcome_measures import NumericTruth

VALUE, TIME, EVENT, RISK = "value", "time", "event", "risk"


def number_columns(
    outcome: str, truth: NumericTruth, predictions: Mapping[str, Float64[np.ndarray, " b"]]
) -> pd.DataFrame:
    """The outcome's columns, empty where it is unknown or not predicted."""
    if truth.events is None:
        known, predicted = {VALUE: truth.values}, VALUE
    else:
        known, predicted = {TIME: truth.values, EVENT: truth.events}, RISK
    columns = {f"truth.{outcome}.{part}": values for part, values in known.items()}
    columns |= {f"{model}.{outcome}.{predicted}": values for model, values in predictions.items()}
    table = pd.DataFrame(columns)
    events = f"truth.{outcome}.{EVENT}"
    return table.astype({events: "Int8"}) if events in table else table
