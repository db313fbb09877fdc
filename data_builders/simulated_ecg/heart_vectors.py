"""Heart vectors of atrial and ventricular activation and recovery, as tables.

QRS tables: one row a moment of the loop: centre and standard deviation as shares of the QRS
duration, then the vector (x left, y feet, z back) in mV. Drawn from the textbook sequence of
activation (septum, free wall, base: D. Durrer et al., Circulation 41:899, 1970; loops in
P. W. Macfarlane et al., "Comprehensive Electrocardiology", 2nd ed., chapters 11, 14 and 15)
and tuned so that the leads meet the criteria named beside each table.
"""

import dataclasses

import numpy as np
from jaxtyping import Float

from data_builders.simulated_ecg.vectorcardiogram import Waves, joined, wave

# Small q in I and V6, r in V1 growing to V4, deepest S in V2.
NORMAL_QRS = np.array(
    [
        [0.18, 0.075, -0.14, 0.02, -0.26],  # septum, left to right
        [0.36, 0.085, 0.42, 0.32, -0.34],  # anterior wall and apex
        [0.50, 0.085, 1.00, 0.72, 0.22],  # left ventricular free wall
        [0.64, 0.085, 0.36, 0.30, 0.68],  # posterior wall
        [0.82, 0.075, -0.16, -0.12, 0.24],  # base
    ]
)

# No septal q; broad, notched or slurred R in I, aVL, V5, V6; rS or QS in V1 to V3.
LEFT_BUNDLE_BRANCH_BLOCK_QRS = np.array(
    [
        [0.14, 0.060, 0.16, 0.10, -0.06],  # right ventricle and septum, right to left
        [0.35, 0.095, 0.76, 0.30, 0.78],
        [0.51, 0.095, 0.52, 0.10, 0.88],  # slow spread through the left ventricular wall
        [0.68, 0.095, 0.78, 0.12, 0.72],
        [0.85, 0.070, 0.20, -0.05, 0.32],
    ]
)

# The left ventricle as usual in the first half, then the right one, late, alone and slowly:
# rSR' or qR in V1, broad S in I, V5, V6.
RIGHT_BUNDLE_BRANCH_BLOCK_QRS = np.array(
    [
        [0.12, 0.050, -0.14, 0.02, -0.26],
        [0.24, 0.057, 0.42, 0.32, -0.30],
        [0.34, 0.057, 1.00, 0.72, 0.22],
        [0.44, 0.060, 0.36, 0.28, 0.62],
        [0.64, 0.095, -0.36, 0.06, -0.43],
        [0.80, 0.085, -0.34, 0.00, -0.38],
    ]
)

# Larger, later and more posterior left ventricular forces.
LEFT_VENTRICULAR_HYPERTROPHY_QRS = np.array(
    [
        [0.17, 0.070, -0.12, 0.02, -0.24],
        [0.36, 0.085, 0.55, 0.28, -0.22],
        [0.52, 0.090, 1.25, 0.50, 0.38],
        [0.67, 0.085, 0.52, 0.20, 0.88],
        [0.84, 0.070, -0.08, -0.12, 0.26],
    ]
)

# Premature beats: from the right outflow tract (left bundle branch block form, inferior axis), from
# the right ventricular apex (the same, superior axis) and from the left ventricle (right bundle
# branch block form, superior axis).
ECTOPIC_QRS = np.array(
    [
        [
            [0.20, 0.085, 0.10, 0.35, -0.10],
            [0.44, 0.110, 0.35, 1.05, 0.75],
            [0.62, 0.100, 0.30, 0.80, 0.85],
            [0.82, 0.075, 0.05, 0.20, 0.35],
        ],
        [
            [0.20, 0.085, 0.25, -0.05, -0.15],
            [0.42, 0.105, 0.85, -0.55, 0.75],
            [0.63, 0.105, 0.70, -0.85, 0.95],
            [0.82, 0.075, 0.10, -0.35, 0.35],
        ],
        [
            [0.20, 0.085, 0.10, -0.20, -0.35],
            [0.42, 0.105, -0.25, -0.75, -0.85],
            [0.62, 0.105, -0.65, -0.80, -0.55],
            [0.82, 0.075, -0.35, -0.20, 0.05],
        ],
    ]
)


@dataclasses.dataclass(frozen=True)
class Recovery:
    """Vectors of the ST segment and of the T wave in mV."""

    st_mv: tuple[float, float, float]
    t_mv: tuple[float, float, float]


NORMAL_RECOVERY = Recovery(st_mv=(0.02, 0.01, -0.03), t_mv=(0.29, 0.20, -0.14))
# Against the main QRS forces, as a wave of activation that dies in the order it came.
LEFT_BUNDLE_BRANCH_BLOCK_RECOVERY = Recovery(st_mv=(-0.10, -0.02, -0.15), t_mv=(-0.34, 0.0, -0.42))
RIGHT_BUNDLE_BRANCH_BLOCK_RECOVERY = Recovery(st_mv=(0.04, 0.01, 0.06), t_mv=(0.32, 0.18, 0.14))
# The strain pattern: ST falling away in I, aVL, V5, V6 into an inverted T.
STRAIN_RECOVERY = Recovery(st_mv=(-0.15, -0.04, -0.10), t_mv=(-0.36, -0.06, -0.20))


def p_waves(*, pr_s: float, duration_s: float, gain: float) -> Waves:
    """Right, then left atrium, beginning `pr_s` before the QRS complex."""
    onset, width = -pr_s, 0.17 * duration_s
    right = wave(
        *(2 * [onset + 0.38 * duration_s]),
        rise_s=width,
        fall_s=width,
        dipole_mv=(0.05, 0.10, -0.06),
    )
    left = wave(
        *(2 * [onset + 0.62 * duration_s]), rise_s=width, fall_s=width, dipole_mv=(0.07, 0.05, 0.05)
    )
    return joined([right, left]).scaled(gain)


def qrs_waves(table: Float[np.ndarray, "m 5"], *, duration_s: float) -> Waves:
    """The QRS loop of `table`, spread over `duration_s`."""
    centre, width = table[:, 0] * duration_s, table[:, 1] * duration_s
    return Waves(centre, centre, width, width, table[:, 2:])


def st_wave(
    st_mv: Float[np.ndarray, "3"], *, qrs_s: float, t_peak_s: float, persistence: float
) -> Waves:
    """A displaced ST segment, flat from the J point and fading into the T wave.

    `persistence` is where the fading begins, as a share of the way from J point to T peak: near 0
    the segment slopes; near 1 it joins the T wave as one dome.
    """
    start = qrs_s + 0.015
    way = t_peak_s - start
    return wave(
        start,
        start + persistence * way,
        rise_s=0.014,
        fall_s=max(0.45 * way, 0.03),
        dipole_mv=st_mv,
    )


def t_wave(t_mv: Float[np.ndarray, "3"], *, qt_s: float, qrs_s: float) -> Waves:
    """A T wave that rises slowly, falls faster and ends at `qt_s`."""
    fall = 0.10 * (qt_s - qrs_s) + 0.006
    peak = qt_s - 2.2 * fall
    return wave(peak, peak, rise_s=0.30 * (peak - qrs_s), fall_s=fall, dipole_mv=t_mv)
