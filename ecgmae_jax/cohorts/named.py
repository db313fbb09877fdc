"""The cohorts that have a name: any cohort, and four private ones with their expected form."""

from ecgmae_jax.cohorts.description import Description
from ecgmae_jax.cohorts.outcomes import Outcome
from ecgmae_jax.errors import InputError


def _expected(source: str) -> Description:
    """The form in which a named cohort is expected until its owner says otherwise."""
    columns = ("path", "patient_id", "age", "sex")
    return Description(
        source=source,
        format="table",
        file="table.csv",
        columns={column: column for column in columns},
        outcomes={"outcome": Outcome("outcome")},
        geometry={"layout": "3x4+1", "mm_per_s": 25.0, "mm_per_mv": 10.0},
    )


COHORTS = {
    "custom": Description(),
    **{name: _expected(name) for name in ("precise", "huawei", "l_harp", "guangzhou")},
}


def named_cohort(name: str) -> Description:
    """The defaults of the cohort of that name; InputError lists those there are."""
    if name not in COHORTS:
        raise InputError(f"no cohort {name!r}; there are {', '.join(COHORTS)}")
    return COHORTS[name]
