"""From the heart vector and the electrodes to the twelve leads.

Only I, II and V1 to V6 are independent; the other limb leads follow from I and II, for the signal
and for the noise alike, so Einthoven's and Goldberger's identities hold to rounding.
"""

import numpy as np
from jaxtyping import Float

# Leads from Frank's x, y, z. G. E. Dower, H. B. Machado, J. A. Osborne, "On deriving the
# electrocardiogram from vectorcardiographic leads", Clin. Cardiol. 3:87 (1980).
DOWER = np.array(
    [
        [0.632, -0.235, 0.059],  # I
        [0.235, 1.066, -0.132],  # II
        [-0.515, 0.157, -0.917],  # V1
        [0.044, 0.164, -1.387],  # V2
        [0.882, 0.098, -1.277],  # V3
        [1.213, 0.127, -0.601],  # V4
        [1.125, 0.127, -0.086],  # V5
        [0.831, 0.076, 0.230],  # V6
    ]
)

# I, II, III, aVR, aVL, aVF, V1..V6 from I, II, V1..V6.
FROM_INDEPENDENT = np.zeros((12, 8))
FROM_INDEPENDENT[:6, :2] = [[1, 0], [0, 1], [-1, 1], [-0.5, -0.5], [1, -0.5], [-0.5, 1]]
FROM_INDEPENDENT[6:, 2:] = np.eye(6)

# I, II, V1..V6 from the potentials of RA, LA, LL, C1..C6: Einthoven's differences and Wilson's
# central terminal.
FROM_ELECTRODES = np.zeros((8, 9))
FROM_ELECTRODES[0, :2] = [-1, 1]
FROM_ELECTRODES[1, [0, 2]] = [-1, 1]
FROM_ELECTRODES[2:, :3] = -1 / 3
FROM_ELECTRODES[2:, 3:] = np.eye(6)


def displaced(
    leads: Float[np.ndarray, "8 3"], rng: np.random.Generator, *, spread: float
) -> Float[np.ndarray, "8 3"]:
    """I, II, V1 to V6 from the heart vector, for another torso or another placing of electrodes.

    They depart from `leads`, such as `DOWER`. A `spread` of 1 gives the differences between people:
    chest electrodes off by about a fifth of their spacing and by about 1 cm in height, distances
    by about 10%.
    """
    slots = np.arange(6)
    placed = slots + spread * rng.normal(0.0, 0.18, 6)
    chest = np.stack([np.interp(placed, slots, column) for column in leads[2:].T], axis=1)
    chest = chest * np.exp(spread * rng.normal(0.0, 0.1, (6, 1)))
    chest[:, 1] += spread * rng.normal(0.0, 0.06, 6)
    limbs = leads[:2] * np.exp(spread * rng.normal(0.0, 0.06, (2, 3)))
    return np.concatenate([limbs, chest])


def lead_matrix(leads: Float[np.ndarray, "8 3"]) -> Float[np.ndarray, "12 3"]:
    """All twelve leads from the heart vector, in standard order."""
    return FROM_INDEPENDENT @ leads


def leads_from_electrodes(potentials: Float[np.ndarray, "9 t"]) -> Float[np.ndarray, "12 t"]:
    """The twelve leads as recorded from potentials at RA, LA, LL and C1 to C6."""
    return FROM_INDEPENDENT @ (FROM_ELECTRODES @ potentials)
