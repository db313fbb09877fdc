"""Who the records come from: subgroups by sex, age, place, device and picture."""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool

from ecgmae_jax.evaluation.embeddings import FURTHER_COLUMNS

# Columns of predictions.csv that split records into subgroups where they are known.
VARIABLES = ("sex", "age_years", "source", *FURTHER_COLUMNS)
# A measured quantity is cut into thirds; a grade with no more values than this is left as it is.
_MAX_GRADES = 6


def subgroup_rows(
    frame: pd.DataFrame, *, age_edges: Sequence[float]
) -> Iterator[tuple[str, str, Bool[np.ndarray, " b"]]]:
    """Variable, level and its records, for every variable with more than one level.

    Records of which the variable is not known are a level of their own. `age_edges`, ascending in
    years, are the first ages of all bands but the youngest.
    """
    for variable in VARIABLES:
        if variable not in frame:
            continue
        levels = _levels(frame[variable], variable, age_edges=age_edges)
        names = list(dict.fromkeys([*levels.cat.categories, "unknown"]))
        text = levels.astype(object).where(levels.notna(), "unknown")
        found = [name for name in names if (text == name).any()]
        for name in found if len(found) > 1 else []:
            yield variable.removesuffix("_years"), name, (text == name).to_numpy(bool)


def _levels(column: pd.Series, variable: str, *, age_edges: Sequence[float]) -> pd.Series:
    """The column as an ordered category, missing where unknown."""
    if variable == "age_years":
        inner = [f"{low:g}–{high - 1:g}" for low, high in itertools.pairwise(age_edges)]
        names = [f"under {age_edges[0]:g}", *inner, f"{age_edges[-1]:g} and over"]
        edges = [-np.inf, *age_edges, np.inf]
        return pd.cut(column, edges, right=False, labels=names)
    text = column.astype(object).where(~column.isin(["", "unknown"]))
    numbers = pd.to_numeric(text, errors="coerce")
    if numbers.nunique() > _MAX_GRADES and (numbers.notna() == text.notna()).all():
        low, high = np.quantile(numbers.dropna(), [1 / 3, 2 / 3])
        names = [f"up to {low:.3g}", f"{low:.3g} to {high:.3g}", f"over {high:.3g}"]
        return pd.cut(numbers, [-np.inf, low, high, np.inf], labels=names)
    return text.map(str, na_action="ignore").astype("category")
