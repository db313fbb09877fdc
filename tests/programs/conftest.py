import numpy as np
import pandas as pd
import pytest

from configs.report import get_config
from ecgmae_jax.data.source import ExampleSource

LABELS = ("atrial_fibrillation", "LVH & co")


def _table(models, *, num=240, seed=0):
    rng = np.random.default_rng(seed)
    truth = (rng.random((num, 2)) < (0.35, 0.25)).astype(int)
    table = pd.DataFrame(
        {
            "record_id": [f"{i:05d}" for i in range(num)],
            "source": "made-up",
            "group": [f"p{i}" for i in range(num)],
            "split": np.repeat(["train", "validation", "test"], num // 3),
            "num_pictures": 1,
            "sex": np.where(rng.random(num) < 0.5, "female", "male"),
            "age_years": rng.uniform(20, 95, num).round(1),
            "part": np.repeat(["train", "validation", "test"], num // 3),
        }
    )
    for k, label in enumerate(LABELS):
        table[f"truth.findings.{label}"] = truth[:, k]
    for model, strength in models.items():
        noise = np.random.default_rng(len(model)).normal(size=(num, 2))
        for k, label in enumerate(LABELS):
            log_odds = -1 + strength * truth[:, k] + noise[:, k]
            scores = 1 / (1 + np.exp(-log_odds))
            scores[: num // 3] = np.nan
            table[f"{model}.findings.{label}"] = scores
    return table


def _with_numbers(table):
    """The table with two numeric outcomes, of which age+sex predicts one only."""
    rng = np.random.default_rng(5)
    num = len(table)
    signal = rng.normal(size=num)
    value = 55 + 9 * signal
    time = rng.exponential(3 * np.exp(-signal))
    added = {
        "truth.ejection_fraction.value": np.where(np.arange(num) % 9 == 4, np.nan, value),
        "truth.survival.time": np.minimum(time, 4.0).round(2),
        "truth.survival.event": (time <= 4.0).astype(int),
    }
    for model, noise in (("MAE", 0.6), ("random", 1.5)):
        guess = signal + noise * rng.normal(size=num)
        guess[: num // 3] = np.nan
        added[f"{model}.ejection_fraction.value"] = 54 + 6 * guess
        added[f"{model}.survival.risk"] = guess
    added["age+sex.survival.risk"] = np.where(np.isnan(guess), np.nan, table["age_years"] / 50)
    return pd.concat([table, pd.DataFrame(added)], axis=1)


class Memory(ExampleSource):
    """Examples that lie in memory."""

    def __init__(self, examples):
        self.examples = examples

    def __len__(self):
        return len(self.examples)

    def __getitem__(self, index):
        return self.examples[index]

    def only(self, *names):
        return Memory([{name: one[name] for name in names} for one in self.examples])


@pytest.fixture(scope="session")
def in_memory():
    """Examples -> a source of them."""
    return Memory


@pytest.fixture(scope="session")
def make_report_config():
    """Folder -> config of a report of three models in two files, which it writes there."""
    return _config


@pytest.fixture(scope="session")
def make_outcome_report_config():
    """As `make_report_config`, of two numeric outcomes besides; a patient has two records."""
    return _outcome_config


def _outcome_config(folder):
    config = _config(folder)
    table = _with_numbers(_table({"MAE": 2.0, "random": 0.5}))
    table["group"] = [f"p{i // 2}" for i in range(len(table))]
    table.to_csv(folder / "probe.csv", index=False)
    names = ("MAE", "random", "age+sex")
    config.models = tuple(f"{name}={folder / 'probe.csv'}" for name in names)
    config.label = ""
    config.outcomes = ("ejection_fraction", "survival")
    return config


def _config(folder):
    folder.mkdir(exist_ok=True)
    table = _table({"MAE": 2.0, "random": 0.5})
    table.to_csv(folder / "probe.csv", index=False)
    other = _table({"model": 1.0})
    other.to_csv(folder / "other.csv", index=False)
    config = get_config("demo")
    config.label = "findings"
    config.models = (
        f"MAE={folder / 'probe.csv'}",
        f"fine-tuned={folder / 'other.csv'}",
        f"random={folder / 'probe.csv'}",
    )
    config.bootstrap.resamples = 30
    config.decision.steps = 10
    config.cases.count = 1
    return config
