"""The conditions as data: names, SNOMED CT codes and the ranges that their patients are drawn from.

Limits: AHA/ACCF/HRS recommendations for the standardization and interpretation of the
electrocardiogram, parts III (conduction, Surawicz 2009), IV (ST segment, Rautaharju 2009) and V
(hypertrophy, Hancock 2009); fourth universal definition of myocardial infarction (Thygesen 2018);
M. Sokolow and T. P. Lyon, Am. Heart J. 37:161 (1949). Ranges reach close to the limits, and rate,
axis, voltage and age overlap between conditions, so that none is given away by one number.
"""

import dataclasses

import numpy as np
from jaxtyping import Float

from data_builders.simulated_ecg import heart_vectors
from data_builders.simulated_ecg.heart_vectors import Recovery

Range = tuple[float, float]


@dataclasses.dataclass(frozen=True)
class Injury:
    """A current of injury: where its ST vector points and how much of it `lead` shows."""

    direction: tuple[float, float, float]
    lead: str
    st_mv: Range


@dataclasses.dataclass(frozen=True, eq=False)
class Condition:
    """What patients of one condition have in common."""

    name: str
    code: str  # SNOMED CT
    rate_bpm: Range = (52, 108)
    pr_ms: Range = (125, 215)  # PR interval
    qrs_ms: Range = (78, 110)
    qrs: Float[np.ndarray, "m 5"] = dataclasses.field(
        default_factory=lambda: heart_vectors.NORMAL_QRS
    )
    recovery: Recovery = heart_vectors.NORMAL_RECOVERY
    sokolow_mv: Range = (1.4, 3.2)  # S in V1 plus the larger R of V5 and V6
    age_years: Range = (25, 90)
    fibrillating: bool = False
    premature_beats: tuple[int, int] = (0, 0)  # in 10 s
    injury: Injury | None = None
    further_codes: tuple[str, ...] = ()


SINUS_RHYTHM = Condition(
    "sinus_rhythm", "426783006", rate_bpm=(60, 100), pr_ms=(120, 196), age_years=(18, 85)
)
SINUS_BRADYCARDIA = Condition(
    "sinus_bradycardia", "426177001", rate_bpm=(40, 59), pr_ms=(125, 198), age_years=(18, 85)
)
SINUS_TACHYCARDIA = Condition(
    "sinus_tachycardia", "427084000", rate_bpm=(101, 145), pr_ms=(115, 165), age_years=(18, 85)
)
FIRST_DEGREE_AV_BLOCK = Condition(
    "first_degree_av_block", "270492004", rate_bpm=(48, 92), pr_ms=(208, 330)
)

CONDITIONS = (
    SINUS_RHYTHM,
    SINUS_BRADYCARDIA,
    SINUS_TACHYCARDIA,
    Condition(
        "atrial_fibrillation",
        "164889003",
        rate_bpm=(60, 140),
        age_years=(45, 92),
        fibrillating=True,
    ),
    FIRST_DEGREE_AV_BLOCK,
    Condition(
        "left_bundle_branch_block",
        "164909002",
        pr_ms=(130, 230),
        qrs_ms=(128, 170),
        qrs=heart_vectors.LEFT_BUNDLE_BRANCH_BLOCK_QRS,
        recovery=heart_vectors.LEFT_BUNDLE_BRANCH_BLOCK_RECOVERY,
        sokolow_mv=(2.2, 4.2),
        age_years=(40, 92),
    ),
    Condition(
        "right_bundle_branch_block",
        "59118001",
        pr_ms=(130, 230),
        qrs_ms=(126, 162),
        qrs=heart_vectors.RIGHT_BUNDLE_BRANCH_BLOCK_QRS,
        recovery=heart_vectors.RIGHT_BUNDLE_BRANCH_BLOCK_RECOVERY,
        sokolow_mv=(1.2, 2.6),
    ),
    Condition(
        "left_ventricular_hypertrophy",
        "164873001",
        qrs_ms=(88, 116),
        qrs=heart_vectors.LEFT_VENTRICULAR_HYPERTROPHY_QRS,
        recovery=heart_vectors.STRAIN_RECOVERY,
        sokolow_mv=(3.8, 5.6),
    ),
    Condition(
        "anterior_st_elevation",
        "54329005",
        injury=Injury(direction=(0.36, -0.34, -0.87), lead="V3", st_mv=(0.15, 0.60)),
        age_years=(35, 90),
        further_codes=("164931005",),
    ),
    Condition(
        "inferior_st_elevation",
        "73795002",
        injury=Injury(direction=(-0.20, 0.95, 0.22), lead="III", st_mv=(0.14, 0.45)),
        age_years=(35, 90),
        further_codes=("164931005",),
    ),
    Condition(
        "premature_ventricular_contractions",
        "427172004",
        rate_bpm=(55, 98),
        pr_ms=(125, 198),
        premature_beats=(1, 4),
    ),
)

CONDITION_NAMES = tuple(condition.name for condition in CONDITIONS)
_NAME_OF_CODE = {condition.code: condition.name for condition in CONDITIONS}


def findings(diagnoses: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the conditions among SNOMED CT codes, in the order of the codes."""
    return tuple(_NAME_OF_CODE[code] for code in diagnoses if code in _NAME_OF_CODE)


def diagnoses(condition: Condition, *, rate_bpm: float, pr_ms: float) -> tuple[str, ...]:
    """SNOMED CT codes of one recording: the condition first, then what rate and PR interval add."""
    codes = [condition.code, *condition.further_codes]
    if not condition.fibrillating:
        if rate_bpm < 60:
            codes.append(SINUS_BRADYCARDIA.code)
        elif rate_bpm > 100:
            codes.append(SINUS_TACHYCARDIA.code)
        else:
            codes.append(SINUS_RHYTHM.code)
        if pr_ms > 200:
            codes.append(FIRST_DEGREE_AV_BLOCK.code)
    return tuple(dict.fromkeys(codes))
