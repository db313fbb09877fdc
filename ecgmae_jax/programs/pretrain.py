"""Pre-trains a masked autoencoder on the pictures of a dataset."""

import dataclasses
import functools
import pathlib

import jax
import jax.numpy as jnp
import ml_collections
from jax.sharding import Mesh

from ecgmae_jax.data.loaders import make_eval_loader, make_train_loader
from ecgmae_jax.data.source import Dataset, open_dataset
from ecgmae_jax.errors import InputError
from ecgmae_jax.models.flops import mae_train_flops
from ecgmae_jax.models.functional import Params, bind, init_params, model_graph, num_params
from ecgmae_jax.models.mae import mae_loss, reconstruction_target
from ecgmae_jax.programs import encoders, online_probe, training_run, workdirs
from ecgmae_jax.programs.computing import make_compute
from ecgmae_jax.programs.pretraining_checks import keep_identities
from ecgmae_jax.programs.starting_weights import make_first_state, read_encoder
from ecgmae_jax.programs.views import Views, drawn_views, stored_views
from ecgmae_jax.rendering.named_sheets import make_sheet
from ecgmae_jax.rendering.sampler import LayoutSampler
from ecgmae_jax.rendering.sheet import Sheet
from ecgmae_jax.training import loop
from ecgmae_jax.training.mesh import make_mesh, start_distributed
from ecgmae_jax.training.optimizers import make_optimizer, make_schedule
from ecgmae_jax.training.steps import evaluate, make_eval_step


def run(config: ml_collections.ConfigDict, workdir: pathlib.Path) -> None:
    """Trains to the last epoch, from the newest checkpoint of the workdir if there is one."""
    start_distributed()
    mesh = make_mesh(**config.mesh)
    job = make_job(config, workdir, mesh=mesh)
    training_run.train(job, workdir=workdir, mesh=mesh, seed=config.seed)


def make_job(
    config: ml_collections.ConfigDict, workdir: pathlib.Path, *, mesh: Mesh
) -> training_run.Job:
    """The run that the config describes, recorded in the workdir and told on the terminal."""
    train = _open(config.data, config.splits.train)
    validation = _open(config.data, config.splits.validation)
    views = _make_views(train, config)
    specification = views.specification
    compute = make_compute(**config.compute)
    model = encoders.mae_config(config.model, specification)
    encoder = read_encoder(config.start, model.encoder, specification=specification)
    schedule = _make_schedule(config, num_examples=len(train), begun=encoder is not None)
    record = workdirs.open_workdir(workdir, config, data={train.name: train.fingerprint})
    # Before the first step: what tests of this encoder have to be compared with.
    trained = (train,) if schedule.total else ()
    keep_identities(workdir, trained, before=config.start.weights)

    make_mae = encoders.mae_maker(model, compute)
    graph = model_graph(make_mae)

    def loss_fn(params: Params, batch: dict, key: jax.Array):
        # The name under which a profile finds it.
        with jax.named_scope("draw"):
            seen, target = views.view(batch)
        return mae_loss(bind(graph, params), seen, key=key, predicted=target)

    def example_losses(params: Params, batch: dict, key: jax.Array) -> dict[str, jax.Array]:
        seen, target = views.view(batch)
        prediction, mask = bind(graph, params)(seen, key=key)
        patches = reconstruction_target(target, config=model)
        errors = jnp.mean(jnp.square(prediction - patches), axis=-1)
        return {"validation_loss": (errors * mask.hidden).sum(1) / mask.hidden.sum(1)}

    learning_rate = make_schedule(
        peak_lr=schedule.peak_lr, warmup_steps=schedule.warmup, total_steps=max(schedule.total, 1)
    )
    settings = {name: value for name, value in config.optimizer.items() if name != "base_lr"}
    optimizer = make_optimizer(learning_rate, **settings)
    new_params = functools.partial(init_params, make_mae)
    job = training_run.Job(
        init_params=new_params,
        first_state=make_first_state(new_params, optimizer, encoder=encoder, seed=config.seed),
        loss_fn=loss_fn,
        optimizer=optimizer,
        learning_rate=learning_rate,
        batches_from=lambda step: _train_batches(train, views, config, start_step=step),
        evaluators=[
            _loss_evaluator(example_losses, validation, views, config, mesh=mesh),
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
        flops_per_example=mae_train_flops(model),
        dtype=compute.dtype,
        accumulate=config.accumulate,
        every=loop.Every(**config.every),
    )
    _say_what_is_trained(train, job, parameters=jax.eval_shape(job.init_params, jax.random.key(0)))
    return job


def _make_schedule(
    config: ml_collections.ConfigDict, *, num_examples: int, begun: bool
) -> training_run.Schedule:
    settings = {"batch_size": config.loader.batch_size, "base_lr": config.optimizer.base_lr}
    if begun and config.epochs == 0:
        # No training: the checkpoint is the encoder as it was, for the programs that read one.
        one = training_run.make_epoch_schedule(
            epochs=1.0, warmup_epochs=0.0, num_examples=num_examples, **settings
        )
        return dataclasses.replace(one, total=0)
    return training_run.make_epoch_schedule(
        epochs=config.epochs,
        warmup_epochs=config.warmup_epochs,
        num_examples=num_examples,
        **settings,
    )


def _open(data: ml_collections.ConfigDict, split: str) -> Dataset:
    return open_dataset(name=data.name, config=data.config, data_dir=data.data_dir, split=split)


def _make_views(train: Dataset, config: ml_collections.ConfigDict) -> Views:
    settings = {
        "augment": config.augment,
        "statistics": config.picture,
        "target": config.target,
    }
    match config.data.draw:
        case "stored":
            return stored_views(train, **settings)
        case "device":
            return drawn_views(train, sheets=_sheets(config), scan=config.scan, **settings)
        case other:
            raise InputError(f"config.data.draw is {other!r}; choose 'stored' or 'device'")


def _sheets(config: ml_collections.ConfigDict) -> list[Sheet]:
    """The sheet of the config, and after it as many random ones of its size as it asks for."""
    sheet = make_sheet(**config.sheet)
    sampler = LayoutSampler(
        config.seed, height=sheet.height, width=sheet.width, channels=sheet.channels
    )
    return [sheet, *sampler.sheets(config.random_sheets)]


def _train_batches(
    train: Dataset, views: Views, config: ml_collections.ConfigDict, *, start_step: int
):
    return make_train_loader(
        train,
        batch_size=config.loader.batch_size,
        seed=config.seed,
        transforms=views.transforms,
        keys=views.keys,
        start_step=start_step,
        num_workers=config.loader.workers,
        process_index=jax.process_index(),
        process_count=jax.process_count(),
    )


def _loss_evaluator(
    example_losses, validation: Dataset, views: Views, config, *, mesh: Mesh
) -> loop.Evaluator:
    """Mean loss over the validation split, under the same masks at every call."""
    step = make_eval_step(example_losses, mesh=mesh)

    def evaluator(params: Params) -> dict[str, float]:
        batches = make_eval_loader(
            validation,
            batch_size=config.loader.batch_size,
            transforms=views.eval_transforms,
            keys=views.keys,
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
