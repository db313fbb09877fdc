"""A fine-tuned classifier, or a probe with its encoder, as a function of its parameters."""

import dataclasses
import functools
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float32, Int, PRNGKeyArray

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.readouts.probes import Probe
from ecgmae_jax.models.attribution import attention_rollout
from ecgmae_jax.models.compute import Compute
from ecgmae_jax.models.functional import Params, bind, init_params, model_graph
from ecgmae_jax.models.vit import ViTConfig, pool
from ecgmae_jax.programs import classifiers, encoders
from ecgmae_jax.programs.fitted_models import load_probed_encoder

# Poolings of any number of patches.
POOLINGS = ("mean", "cls", "both")
# How much is drawn anew, from the output down (Adebayo et al. 2018, "cascading randomization").
LEVELS = ("readout", "readout and upper half of the blocks", "everything")


@dataclasses.dataclass(frozen=True)
class ExplainedModel:
    """A model whose parameters are handed in, so that others can take their place.

    Attributes:
        params: `encoder`, and the parts of the readout beside it.
        log_odds: from parameters, standardised pictures and the patches to look at (None for all)
            to the log odds (b, k) of the classes.
        rollout: from parameters and standardised pictures to `attention_rollout`.
        fresh: from a key to parameters that nobody trained.
    """

    config: ViTConfig
    params: Params
    log_odds: Callable[[Params, Any, Any], jax.Array]
    rollout: Callable[[Params, Any], jax.Array]
    fresh: Callable[[PRNGKeyArray], Params]
    task: str
    classes: tuple[str, ...]
    specification: Mapping[str, Any]
    origin: Mapping[str, str]


def load_explained(path: str | pathlib.Path, *, compute: Compute) -> ExplainedModel:
    """The model of a finetune workdir, or of a file of linear_probe's folder probes/ (.npz)."""
    path = pathlib.Path(path).expanduser()
    load = _load_probe if path.suffix == ".npz" else _load_finetuned
    return load(path, compute=compute)


def with_fresh(params: Params, fresh: Params, *, level: str) -> Params:
    """The parameters with those of a level of `LEVELS` replaced by fresh ones."""
    if level == "everything":
        return fresh
    readout = {name: part for name, part in fresh.items() if name != "encoder"}
    if level == "readout":
        return params | readout

    def upper_half(old, new):
        half = len(old) // 2
        return jnp.concatenate([old[:half], new[half:]])

    old, new = params["encoder"], fresh["encoder"]
    blocks = jax.tree.map(upper_half, old["blocks"], new["blocks"])
    return params | readout | {"encoder": old | {"blocks": blocks}}


def log_odds(log_weights: Float32[Array, "b k"], *, exclusive: bool) -> Float32[Array, "b k"]:
    """Each class against all others where they exclude each other, else the scores themselves.

    The sigmoid of it is the class's probability.
    """
    if not exclusive:
        return log_weights
    itself = jnp.eye(log_weights.shape[1], dtype=bool)[None]
    others = jnp.where(itself, -jnp.inf, log_weights[:, None, :])
    return log_weights - jax.nn.logsumexp(others, axis=-1)


def _load_finetuned(path: pathlib.Path, *, compute: Compute) -> ExplainedModel:
    model = classifiers.load_finetuned(path, which="best")
    classifiers.require_classes(model, path)
    make = classifiers.classifier_maker(model.config, compute)
    graph = model_graph(make)

    def compute_log_odds(
        params: Params, images: Float32[Array, "b h w c"], visible: Int[Array, "b v"] | None = None
    ) -> Float32[Array, "b k"]:
        classifier = bind(graph, params)
        pooled = pool(classifier.encoder(images, visible), pooling="mean")
        scores = classifier.head(classifier.norm(pooled))
        return log_odds(scores, exclusive=model.label_set["exclusive"])

    return ExplainedModel(
        config=model.config.encoder,
        params=jax.device_put(model.params),
        log_odds=jax.jit(compute_log_odds),
        rollout=jax.jit(
            lambda params, images: attention_rollout(
                bind(graph, params).encoder, images, pooling="mean"
            )
        ),
        fresh=functools.partial(init_params, make),
        task=model.task,
        classes=tuple(model.label_set["classes"]),
        specification=model.specification,
        origin={"kind": "fine-tuned", "path": str(path), "fingerprint": model.fingerprint},
    )


def _load_probe(path: pathlib.Path, *, compute: Compute) -> ExplainedModel:
    loaded = load_probed_encoder(path)
    probe, pretrained = loaded.probe, loaded.pretrained
    config, pooling = pretrained.config.encoder, probe.metadata["pooling"]
    if pooling not in POOLINGS:
        raise InputError(
            f"{path} reads features of pooling {pooling!r}, which cannot do without a patch; "
            f"explain a probe of pooling {', '.join(POOLINGS)}"
        )
    make = encoders.encoder_maker(config, compute)
    graph = model_graph(make)

    def compute_log_odds(
        params: Params, images: Float32[Array, "b h w c"], visible: Int[Array, "b v"] | None = None
    ) -> Float32[Array, "b k"]:
        features = pool(bind(graph, params["encoder"])(images, visible), pooling=pooling)
        scores = features @ params["head"]["kernel"] + params["head"]["bias"][None]
        # A probe's probabilities are sigmoids, divided by their sum where classes exclude.
        weights = jax.nn.log_sigmoid(scores) if probe.exclusive else scores
        return log_odds(weights, exclusive=probe.exclusive)

    def fresh(key: PRNGKeyArray) -> Params:
        encoder_key, head_key = jax.random.split(key)
        head = _head(probe)
        kernel = jnp.std(head["kernel"]) * jax.random.normal(head_key, head["kernel"].shape)
        return {
            "encoder": init_params(make, encoder_key),
            "head": {"kernel": kernel, "bias": head["bias"]},
        }

    return ExplainedModel(
        config=config,
        params=jax.device_put({"encoder": loaded.params, "head": _head(probe)}),
        log_odds=jax.jit(compute_log_odds),
        rollout=jax.jit(
            lambda params, images: attention_rollout(
                bind(graph, params["encoder"]), images, pooling=pooling
            )
        ),
        fresh=fresh,
        task=probe.metadata["task"],
        classes=probe.classes,
        specification=pretrained.specification,
        origin={"kind": "probe", "path": str(path), "fingerprint": pretrained.fingerprint},
    )


def _head(probe: Probe) -> dict[str, np.ndarray]:
    """The probe as one linear layer on features that are not standardised."""
    kernel = (probe.coefficients / probe.scale).T
    bias = probe.intercept - probe.mean @ kernel
    return {"kernel": kernel.astype(np.float32), "bias": bias.astype(np.float32)}
