"""What a released autoencoder gives away of the recordings it was trained on: three attacks.

    python benchmarks/membership.py runs/ptbxl --name=ptb_xl --config=signal --data_dir=<out>

Members are the train split, outsiders the validation split, whose patients are others. An attacker
who holds the weights and a picture asks whether it was trained on:

- `error`: by its reconstruction error over a few masks, the smaller the likelier (Yeom et al.
  2018); `calibrated` takes off the error by a reference model that saw neither (Watson et al.
  2022), here an untrained one, or that of `--reference`.
- `margin`: by how much nearer its reconstruction from a quarter of the patches lies to the picture
  itself than to the nearest other training picture, on the hidden patches. `found` is the share of
  pictures that lie nearer than all training pictures: where the network repeats what it has
  learned by heart, members are found more often than outsiders.
- `linkage`: the share of recordings whose nearest other embedding is the same patient's, among
  patients with several; it says what embeddings give away of outsiders too.

AUROC of member against outsider, .5 where nothing is given away, and the share of members that are
named when 5 % of the outsiders are, with 95 % intervals from 1,000 resamples of patients. Prints
one JSON line an attack; the peer is chance.
"""

import argparse
import json
from collections.abc import Callable, Iterator

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.metrics import roc_auc_score

from ecgmae_jax.data.loaders import make_eval_loader
from ecgmae_jax.data.source import Dataset, open_dataset
from ecgmae_jax.models.compute import PLAIN, Compute
from ecgmae_jax.models.functional import bind, init_params, model_graph
from ecgmae_jax.models.mae import MAE, reconstruction_target
from ecgmae_jax.models.masking import random_mask
from ecgmae_jax.models.vit import pool
from ecgmae_jax.programs import encoders
from ecgmae_jax.programs.views import views_of_model

_BATCH = 32
_FALSE_ALARMS = 0.05


def parse() -> argparse.Namespace:
    """Which model, and whose recordings."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("workdir", help="of a run of configs/pretrain.py")
    parser.add_argument("--reference", help="another of the same shape, trained on other patients")
    parser.add_argument("--name", required=True)
    parser.add_argument("--config", required=True)
    parser.add_argument("--data_dir", required=True)
    parser.add_argument("--masks", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def batches(dataset: Dataset, model: encoders.Pretrained) -> Iterator[tuple[np.ndarray, object]]:
    """Which rows are real, and the view of each batch in order."""
    views = views_of_model(dataset, model.specification, target=model.target)
    view = jax.jit(views.view)
    settings = {"transforms": views.eval_transforms, "keys": views.keys, "batch_size": _BATCH}
    for batch in make_eval_loader(dataset, **settings):
        yield batch["mask"] > 0, view({key: batch[key] for key in views.keys})


def make_outlook(model: encoders.Pretrained, *, masks: int, seed: int) -> Callable:
    """(params, view) -> errors of each mask, prediction and truth of the first, and embedding."""
    config = model.config
    graph = model_graph(encoders.mae_maker(config, Compute(unroll=True)))

    def one_mask(key: jax.Array, params, view) -> tuple[jax.Array, ...]:
        mae: MAE = bind(graph, params)
        # The same patches of every picture are hidden, so that pictures can be compared on them.
        one = random_mask(
            key, batch=1, num_patches=config.encoder.num_patches, ratio=config.mask_ratio
        )
        mask = jax.tree.map(lambda m: jnp.broadcast_to(m, (len(view.seen), *m.shape[1:])), one)
        predicted = mae.predict(view.seen, mask)
        truth = reconstruction_target(view.target, config=config)
        hidden = mask.hidden[..., None]
        errors = jnp.mean(jnp.square(predicted - truth), axis=-1)
        errors = (errors * mask.hidden).sum(1) / mask.hidden.sum(1)
        return errors, (predicted * hidden), (truth * hidden)

    @jax.jit
    def outlook(params, view):
        keys = jax.random.split(jax.random.key(seed), masks)
        _, predicted, truth = one_mask(keys[0], params, view)
        errors = jax.lax.map(lambda key: one_mask(key, params, view)[0], keys)
        embedding = pool(bind(graph, params).encoder(view.seen), pooling="mean")
        flat = (len(truth), -1)
        return errors.mean(0), predicted.reshape(flat), truth.reshape(flat), embedding

    return outlook


def look(dataset: Dataset, model: encoders.Pretrained, params, outlook: Callable) -> list:
    """Errors, predictions, truths and embeddings of all pictures of a split."""
    rows = []
    for real, view in batches(dataset, model):
        rows.append([np.asarray(part)[real] for part in outlook(params, view)])
    return [np.concatenate(parts) for parts in zip(*rows, strict=True)]


def distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Squared distances of all rows of the one to all of the other."""
    squares = np.square(first).sum(1)[:, None] + np.square(second).sum(1)[None]
    return squares - 2 * first @ second.T


def margins(predicted: np.ndarray, truth: np.ndarray, *, training: np.ndarray) -> np.ndarray:
    """Distance to the nearest other training picture (they come first) less that to its own."""
    to_others = distances(predicted, training)
    np.fill_diagonal(to_others, np.inf)
    return to_others.min(1) - np.square(predicted - truth).sum(1)


def intervals(statistic: Callable, patients: np.ndarray, *, seed: int) -> list[float]:
    """Value of a statistic of rows, and its interval over resampled patients."""
    rng, names = np.random.default_rng(seed), np.unique(patients)
    rows_of = {name: np.flatnonzero(patients == name) for name in names}
    values = []
    for _ in range(1_000):
        drawn = rng.choice(names, len(names))
        values.append(statistic(np.concatenate([rows_of[name] for name in drawn])))
    whole = statistic(np.arange(len(patients)))
    return [round(float(v), 4) for v in (whole, *np.nanquantile(values, (0.025, 0.975)))]


def named(member: np.ndarray, scores: np.ndarray) -> float:
    """Share of members above the score that so many outsiders pass."""
    return float((scores[member] > np.quantile(scores[~member], 1 - _FALSE_ALARMS)).mean())


def linkage(embeddings: np.ndarray, patients: np.ndarray) -> np.ndarray:
    """Whether the nearest other row is the same patient's; NaN for patients with one row."""
    unit = (embeddings - embeddings.mean(0)) / embeddings.std(0)
    apart = distances(unit, unit)
    np.fill_diagonal(apart, np.inf)
    found = (patients[apart.argmin(1)] == patients).astype(float)
    several = np.array([(patients == name).sum() > 1 for name in patients])
    return np.where(several, found, np.nan)


def patients_of(dataset: Dataset) -> list[str]:
    """Whose each picture is, as a hash."""
    source = dataset.source.only("group")
    return [str(source[i]["group"]) for i in range(len(source))]


def main() -> None:
    """Attacks and prints."""
    given = parse()
    model = encoders.load_pretrained(given.workdir, which="last")
    reference = init_params(encoders.mae_maker(model.config, PLAIN), jax.random.key(given.seed))
    if given.reference:
        reference = encoders.load_pretrained(given.reference, which="last").params
    where = {"name": given.name, "config": given.config, "data_dir": given.data_dir}
    splits = [open_dataset(**where, split=split) for split in ("train", "validation")]
    outlook = make_outlook(model, masks=given.masks, seed=given.seed)
    seen = [look(split, model, model.params, outlook) for split in splits]
    before = np.concatenate([look(split, model, reference, outlook)[0] for split in splits])
    patients = np.concatenate([patients_of(split) for split in splits])
    member = np.arange(len(patients)) < len(splits[0])
    errors, predicted, truth, embeddings = (np.concatenate(p) for p in zip(*seen, strict=True))
    margin = margins(predicted, truth, training=seen[0][2])
    common = {
        "benchmark": "membership",
        "subject": f"{given.name}/{given.config}, checkpoint {model.fingerprint}",
        "members": int(member.sum()),
        "outsiders": int((~member).sum()),
    }
    attacks = {"error": -errors, "calibrated": before - errors, "margin": margin}
    for name, scores in attacks.items():
        statistics = {"auroc": roc_auc_score, "named_at_5_percent": named}
        line = {"attack": name, "peer": "chance"} | {
            key: intervals(
                lambda rows, s=scores, of=of: of(member[rows], s[rows]), patients, seed=given.seed
            )
            for key, of in statistics.items()
        }
        print(json.dumps(common | line | {"ratio": round(line["auroc"][0] / 0.5, 3)}), flush=True)
    for name, rows in {"members": member, "outsiders": ~member}.items():
        linked = linkage(embeddings[rows], patients[rows])
        line = {
            "attack": f"found and linked, {name}",
            "mean_error": round(float(errors[rows].mean()), 4),
            "found": round(float((margin[rows] > 0).mean()), 4),
            "linked": round(float(np.nanmean(linked)), 4) if np.isfinite(linked).any() else None,
            "of": int(np.isfinite(linked).sum()),
        }
        print(json.dumps(common | line), flush=True)


if __name__ == "__main__":
    main()
