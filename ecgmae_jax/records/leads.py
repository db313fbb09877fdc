"""Names, order and algebra of the twelve standard leads."""

import re

import numpy as np
from jaxtyping import Float32

STANDARD_LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")

# ISO/IEEE 11073-10102 spells a lead MDC_ECG_LEAD_x; others write "Lead II", "ECG V1", "lead_I".
_PREFIX = re.compile(r"^(?:mdc_ecg_lead|ecg|lead)(?=[\s_]+\S)[\s_]+")

# ML: modified limb leads of Holter recorders. D: derivation, as in French, Spanish, Portuguese.
_ALIASES = {
    **{lead.casefold(): lead for lead in STANDARD_LEADS},
    **{f"ml{lead.casefold()}": lead for lead in ("I", "II", "III")},
    **{f"d{lead.casefold()}": lead for lead in ("I", "II", "III")},
}

# Einthoven's law and Goldberger's leads as weights of (I, II).
FROM_I_AND_II = {
    "III": (-1.0, 1.0),
    "aVR": (-0.5, -0.5),
    "aVL": (1.0, -0.5),
    "aVF": (-0.5, 1.0),
}


def canonical_lead(name: str) -> str | None:
    """The standard name of a lead, or None when it is not one of the twelve.

    Case, surrounding blanks and customary prefixes do not matter. An inverted lead (`-aVR`) is
    not taken for the lead itself.
    """
    return _ALIASES.get(_PREFIX.sub("", name.strip().casefold()))


def complete_limb_leads(
    signal: Float32[np.ndarray, "l t"], leads: tuple[str, ...]
) -> tuple[Float32[np.ndarray, "m t"], tuple[str, ...]]:
    """The signal in standard order, with the limb leads that I and II determine added.

    Leads that are present stay as recorded. Without both I and II nothing is added; nothing but
    III, aVR, aVL and aVF is ever derived.

    Args:
        signal: one row for each lead; NaN where missing, and then missing in what is derived.
        leads: distinct standard names in any order.
    """
    rows = dict(zip(leads, signal, strict=True))
    if "I" in rows and "II" in rows:
        for lead, (weight_i, weight_ii) in FROM_I_AND_II.items():
            if lead not in rows:
                rows[lead] = np.float32(weight_i) * rows["I"] + np.float32(weight_ii) * rows["II"]
    names = tuple(lead for lead in STANDARD_LEADS if lead in rows)
    return np.stack([rows[lead] for lead in names]), names


def in_standard_order(
    signal: Float32[np.ndarray, "l t"], leads: tuple[str, ...]
) -> Float32[np.ndarray, "12 t"]:
    """All twelve leads in standard order, a row of NaN for each that is absent."""
    ordered = np.full((len(STANDARD_LEADS), signal.shape[1]), np.nan, np.float32)
    for lead, row in zip(leads, signal, strict=True):
        ordered[STANDARD_LEADS.index(lead)] = row
    return ordered
