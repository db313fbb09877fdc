"""The configs: one for each named cohort, `custom` for any other."""

import dataclasses

import tensorflow_datasets as tfds

from ecgmae_jax.cohorts.description import Description
from ecgmae_jax.cohorts.named import COHORTS


@dataclasses.dataclass(eq=False, kw_only=True)
class CohortConfig(tfds.core.BuilderConfig):
    """Defaults that a cohort's own `cohort.toml` may override."""

    cohort: Description = dataclasses.field(default_factory=Description)


CONFIGS = {name: CohortConfig(name=name, cohort=cohort) for name, cohort in COHORTS.items()}
