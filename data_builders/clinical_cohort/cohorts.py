"""The configs: any cohort, and four private ones with their expected form."""

import dataclasses

import tensorflow_datasets as tfds

from data_builders.clinical_cohort.description import Description
from data_builders.clinical_cohort.outcomes import Outcome


@dataclasses.dataclass(eq=False, kw_only=True)
class CohortConfig(tfds.core.BuilderConfig):
    """Defaults that a cohort's own `cohort.toml` may override."""

    cohort: Description = dataclasses.field(default_factory=Description)


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


CONFIGS = {
    "custom": CohortConfig(name="custom"),
    **{
        name: CohortConfig(name=name, cohort=_expected(name))
        for name in ("precise", "huawei", "l_harp", "guangzhou")
    },
}
