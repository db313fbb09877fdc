"""Pre-trains a masked autoencoder on the pictures of a dataset."""

import functools
import pathlib

import jax
import jax.numpy as jnp
import ml_collections
from jax.sharding import Mesh

from ecgmae_jax.data.loaders import make_train_loader
from ecgmae_jax.data.source import Dataset, open_dataset
from ecgmae_jax.models.functional import Params, bind, init_params, model_graph, num_params
from ecgmae_jax.models.mae import mae_loss, reconstruction_target
from ecgmae_jax.programs import encoders, inputs, online_probe, training_run, workdirs
from ecgmae_jax.training import loop
from ecgmae_jax.training.mesh import make_mesh, start_distributed
from ecgmae_jax.training.optimizers import make_optimizer, make_schedule
from ecgmae_jax.training.state import initial_state
from ecgmae_jax.training.steps import evaluate, make_eval_step


def run(config: ml_collections.ConfigDict, workdir: pathlib.Path) -> None:
    """Trains to the last epoch, from the newest checkpoint of the workdir if there is one."""
    start_distributed()
    mesh = make_mesh(**config.mesh)
    train = open_dataset(**config.data, split=config.splits.train)
    validation = open_dataset(**config.data, split=config.splits.validation)
    specification = inputs.input_specification(
        train, augment=config.augment, statistics=config.picture
    )
    record = workdirs.open_workdir(workdir, config, data={train.name: train.fingerprint})

    compute = encoders.make_compute(**config.compute)
    model = encoders.mae_config(config.model, specification)
    make_mae = encoders.mae_maker(model, compute)
    graph = model_graph(make_mae)

    def loss_fn(params: Params, batch: dict, key: jax.Array):
        images = inputs.standardise(batch["image"], specification)
        return mae_loss(bind(graph, params), images, key=key)

    def example_losses(params: Params, batch: dict, key: jax.Array) -> dict[str, jax.Array]:
        images = inputs.standardise(batch["image"], specification)
        prediction, mask = bind(graph, params)(images, key=key)
        target = reconstruction_target(images, config=model)
        errors = jnp.mean(jnp.square(prediction - target), axis=-1)
        return {"validation_loss": (errors * mask.hidden).sum(1) / mask.hidden.sum(1)}

    schedule = training_run.make_epoch_schedule(
        epochs=config.epochs,
        warmup_epochs=config.warmup_epochs,
        num_examples=len(train),
        batch_size=config.loader.batch_size,
        base_lr=config.optimizer.base_lr,
    )
    learning_rate = make_schedule(
        peak_lr=schedule.peak_lr, warmup_steps=schedule.warmup, total_steps=schedule.total
    )
    settings = {name: value for name, value in config.optimizer.items() if name != "base_lr"}
    optimizer = make_optimizer(learning_rate, **settings)
    new_params = functools.partial(init_params, make_mae)
    job = training_run.Job(
        init_params=new_params,
        first_state=lambda like: initial_state(
            new_params, optimizer, key=jax.random.key(config.seed), like=like
        ),
        loss_fn=loss_fn,
        optimizer=optimizer,
        learning_rate=learning_rate,
        batches_from=lambda step: _train_batches(train, specification, config, start_step=step),
        evaluators=[
            _loss_evaluator(example_losses, validation, specification, config, mesh=mesh),
            *(
                online_probe.make_evaluator(
                    task, train, validation, specification, model.encoder, compute=compute
                )
                for task in config.probes
            ),
        ],
        meta=record | {"input": specification},
        best_metric="validation_loss",
        lowest_is_best=True,
        total_steps=schedule.total,
        batch_size=config.loader.batch_size,
        accumulate=config.accumulate,
        every=loop.Every(**config.every),
    )
    _say_what_is_trained(train, job, parameters=jax.eval_shape(job.init_params, jax.random.key(0)))
    training_run.train(job, workdir=workdir, mesh=mesh, seed=config.seed)


def _train_batches(
    train: Dataset, specification: dict, config: ml_collections.ConfigDict, *, start_step: int
):
    return make_train_loader(
        train,
        batch_size=config.loader.batch_size,
        seed=config.seed,
        transforms=inputs.make_augmentations(config.augment, specification),
        start_step=start_step,
        num_workers=config.loader.workers,
        process_index=jax.process_index(),
        process_count=jax.process_count(),
    )


def _loss_evaluator(
    example_losses, validation: Dataset, specification: dict, config, *, mesh: Mesh
) -> loop.Evaluator:
    """Mean loss over the validation split, under the same masks at every call."""
    step = make_eval_step(example_losses, mesh=mesh)

    def evaluator(params: Params) -> dict[str, float]:
        batches = encoders.eval_batches(
            validation,
            specification,
            batch_size=config.loader.batch_size,
            process_index=jax.process_index(),
            process_count=jax.process_count(),
        )
        metrics = evaluate(step, params, batches, mesh=mesh, key=jax.random.key(config.seed))
        return {"validation_loss": metrics["validation_loss"]}

    return evaluator


def _say_what_is_trained(train: Dataset, job: training_run.Job, *, parameters) -> None:
    if jax.process_index() == 0:
        print(
            f"{len(train)} pictures of {train.name}/{train.config} {train.split}; "
            f"{num_params(parameters) / 1e6:.2f} M parameters; {job.total_steps} steps of "
            f"{job.batch_size} on {jax.device_count()} {jax.default_backend()} device(s)",
            flush=True,
        )
