"""Times to an event from frozen embeddings: Cox regression with a ridge penalty."""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64
from scipy.optimize import minimize
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.preprocessing import StandardScaler

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.statistics.concordance import concordance


def fit_cox(
    features: Float64[np.ndarray, "b d"],
    times: Float[np.ndarray, " b"],
    events: Bool[np.ndarray, " b"],
    *,
    inverse_penalty: float,
) -> Float64[np.ndarray, " d"]:
    """Coefficients of the proportional hazards model (Cox 1972), ties as Breslow has them.

    Minimises minus the log partial likelihood plus |w|^2 / (2 C), C the inverse penalty. A record
    without an event is censored at its time. Features have about unit scale.
    """
    # With more features than records the answer lies in the space that the records span.
    wide = features.shape[1] > len(features)
    basis = np.linalg.svd(features, full_matrices=False)[2] if wide else np.eye(features.shape[1])
    objective, curvature = _penalised_likelihood(
        features @ basis.T, times, events, inverse_penalty=inverse_penalty
    )
    close = 1e-6 * max(events.sum(), 1)
    found = minimize(
        objective,
        np.zeros(len(basis)),
        jac=True,
        hess=curvature,
        method="trust-exact",
        options={"gtol": close},
    )
    # At the limit of precision the solver may stop without calling it success.
    if not np.linalg.norm(found.jac) < 10 * close:
        raise InputError(
            f"Cox regression did not converge ({found.message}); standardise the features or "
            "lower the largest C"
        )
    return basis.T @ found.x


def _penalised_likelihood(
    features: np.ndarray, times: np.ndarray, events: np.ndarray, *, inverse_penalty: float
) -> tuple[Callable, Callable]:
    """What Cox regression minimises, with its gradient, and its matrix of second derivatives."""
    order = np.argsort(-times, kind="stable")
    rows, ordered, happened = features[order], times[order], events[order]
    # The records at risk at a time are those before the first that left earlier.
    last = np.searchsorted(-ordered, -ordered, side="right") - 1

    def hazards(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
        scores = rows @ weights
        top = scores.max()
        risk = np.exp(scores - top)
        at_risk = np.cumsum(risk)[last]
        likelihood = (scores[happened] - top - np.log(at_risk[happened])).sum()
        # The share of each event's hazard that falls to a record, over the events it was there for.
        shares = np.bincount(last, weights=happened / at_risk, minlength=len(rows))
        return risk, at_risk, risk * np.cumsum(shares[::-1])[::-1], likelihood

    def objective(weights: np.ndarray) -> tuple[float, np.ndarray]:
        _, _, expected, likelihood = hazards(weights)
        penalty = weights / inverse_penalty
        return 0.5 * weights @ penalty - likelihood, penalty - rows.T @ (happened - expected)

    def curvature(weights: np.ndarray) -> np.ndarray:
        risk, at_risk, expected, _ = hazards(weights)
        means = (np.cumsum(risk[:, None] * rows, axis=0)[last] / at_risk[:, None])[happened]
        spread = (rows * expected[:, None]).T @ rows - means.T @ means
        return spread + np.eye(rows.shape[1]) / inverse_penalty

    return objective, curvature


def cox_risk(
    features: Float32[np.ndarray, "b d"],
    times: Float[np.ndarray, " b"],
    events: Bool[np.ndarray, " b"],
    groups: np.ndarray,
    queries: Float32[np.ndarray, "q d"],
    *,
    grid: Sequence[float],
    num_folds: int,
    seed: int,
) -> tuple[Float64[np.ndarray, " q"], float]:
    """The log relative hazard of the queries, and the C with the largest held-out C-index.

    Folds keep patients whole and spread the events evenly; each standardises by its own training
    part.

    Raises:
        InputError: fewer patients with an event than folds.
    """
    with_event = len(np.unique(groups[events]))
    if with_event < num_folds:
        raise InputError(
            f"{with_event} training patients have the event, {num_folds} folds need as many; set "
            "fewer folds"
        )
    matrix = features.astype(np.float64)
    folds = StratifiedGroupKFold(num_folds, shuffle=True, random_state=seed)
    found = np.zeros(len(grid))
    for train, test in folds.split(matrix, events, groups):
        scaler = StandardScaler().fit(matrix[train])
        fitted_on, held_out = (np.asarray(scaler.transform(matrix[rows])) for rows in (train, test))
        for i, inverse_penalty in enumerate(grid):
            weights = fit_cox(
                fitted_on, times[train], events[train], inverse_penalty=inverse_penalty
            )
            ones = np.ones((1, len(test)))
            index = concordance(times[test], events[test], held_out @ weights, ones)[0]
            # A fold without a comparable pair says nothing.
            found[i] += np.nan_to_num(index, nan=0.5)
    chosen = float(grid[int(found.argmax())])
    scaler = StandardScaler().fit(matrix)
    weights = fit_cox(np.asarray(scaler.transform(matrix)), times, events, inverse_penalty=chosen)
    return np.asarray(scaler.transform(queries.astype(np.float64))) @ weights, chosen
