"""How every dataset is built: a builder lists entries, `EcgBuilder` turns them into examples.

The work runs over all cores of the machine, or over Apache Beam where its options are given.
"""

import abc
import contextlib
import functools
import itertools
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import tensorflow_datasets as tfds

from data_builders import examples, integrity, parallel
from data_builders.account import Account, from_json
from data_builders.contents import Form
from data_builders.ecg_config import EcgConfig
from ecgmae_jax.errors import InputError
from ecgmae_jax.records.recording import Recording


class EcgBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """Builds examples from entries, in ArrayRecord files unless told otherwise.

    `tfds build` without `--config` builds all of BUILDER_CONFIGS, so a subclass puts its default
    alone there; the others are found by name in `builder_configs`.
    """

    builder_configs: Mapping[str, EcgConfig]
    # The labels that follow from a recording's own diagnoses; a function worker processes import.
    labels_of: Callable[[Recording], Mapping[str, Any]] = staticmethod(examples.no_labels)
    # Diagnoses that have a label; others are counted. None: not labelled by code.
    known_codes: frozenset[str] | None = None

    def __init__(self, *, file_format: Any = None, **kwargs: Any):
        super().__init__(file_format=file_format or "array_record", **kwargs)

    @property
    def builder_config(self) -> Any:
        """The EcgConfig in use."""
        return super().builder_config

    @abc.abstractmethod
    def _entries(
        self, dl_manager: tfds.download.DownloadManager, account: Account
    ) -> dict[str, list[Any]]:
        """What each split is made of; a split without entries is left out."""

    def _make_examples(self) -> parallel.MakeExamples:
        """A function from some entries to their examples, which worker processes can import."""
        config = self.builder_config
        form = Form()
        if config.form == "sheet":
            form = Form(config.sheets(), config.renderer, config.scan, config.drawing_seed)
        return functools.partial(
            examples.examples_of, form=form, labels_of=self.labels_of, known_codes=self.known_codes
        )

    def _create_builder_config(self, builder_config: Any, version: Any) -> Any:
        if isinstance(builder_config, str):
            name = builder_config.partition(":")[0]
            if name not in self.builder_configs:
                known = ", ".join(self.builder_configs)
                raise InputError(f"{self.name} has no config {name!r}; --config is one of {known}")
        return super()._create_builder_config(builder_config, version=version)

    def download_and_prepare(self, **options: Any) -> None:
        """Builds the dataset unless it is there; no other build of it may run meanwhile."""
        if self.data_path.exists():
            super().download_and_prepare(**options)
            return
        with integrity.alone(pathlib.Path(self.data_path.parent)):
            super().download_and_prepare(**options)

    def _generate_splits(self, dl_manager: Any, download_config: Any) -> Any:
        self._account = Account()
        self._max_entries = download_config.max_examples_per_split
        self._on_beam = bool(download_config.beam_options or download_config.beam_runner)
        with parallel.process_pool() as self._pool, _empty_split_explained(self.name):
            splits = super()._generate_splits(dl_manager, download_config)
        self._account.total().write_csv(self.data_path / "rejections.csv")
        metadata: Any = self.info.metadata
        metadata.update(self._account.as_dict() | {"content": f"{self._account.digest:064x}"})
        integrity.seal_shards(pathlib.Path(self.data_path))
        for line in self._account.lines():
            print(f"{self.name}/{self.builder_config.name}: {line}")
        return splits

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        entries = self._entries(dl_manager, self._account)
        generators = {
            split: self._generate_examples(some, split) for split, some in entries.items() if some
        }
        if not self._on_beam:
            begun = {split: _begun(generator) for split, generator in generators.items()}
            generators = {split: some for split, some in begun.items() if some is not None}
        if not generators:
            summary = self._account.total().summary()
            raise InputError(f"nothing to build {self.name} from: {summary}")
        return generators

    def _generate_examples(self, entries: Sequence[Any], split: str) -> Any:
        chunks = parallel.chunks_of(entries[: self._max_entries])
        make_examples = functools.partial(integrity.with_digests, self._make_examples(), split)
        if self._on_beam:
            path = self.data_path / f"{split}.account.json"
            return parallel.beam_examples(make_examples, chunks, account_path=path)
        return self._examples_in_order(make_examples, chunks)

    def _examples_in_order(
        self, make_examples: parallel.MakeExamples, chunks: Sequence[parallel.Chunk]
    ) -> Iterator[examples.KeyExample]:
        seen = set()
        for some, account in parallel.in_order(make_examples, chunks, pool=self._pool):
            self._account += account
            for key, example in some:
                # TFDS says so at the end alone, and not without TensorFlow.
                if key in seen:
                    raise InputError(
                        f"two examples of {self.name} are called {key!r}: list every recording "
                        "once, each under a name of its own"
                    )
                seen.add(key)
                yield key, example

    def _process_pipeline_result(self, pipeline_result: Any) -> None:
        del pipeline_result
        for path in sorted(self.data_path.glob("*.account.json")):
            self._account += from_json(path.read_text())
            path.unlink()


def dataset_info(
    builder: tfds.core.DatasetBuilder,
    features: tfds.features.FeaturesDict,
    *,
    picture: dict[str, Any],
    unlabelled_means_missing: Sequence[str] = (),
    **about: Any,
) -> tfds.core.DatasetInfo:
    """The info of a dataset, with the metadata that readers of any of them expect.

    Args:
        builder: the builder whose `_info` this is.
        features: of `ecg_features`.
        picture: of `picture_metadata`, or the geometry of pictures that came as such.
        unlabelled_means_missing: tasks in which no class at all means that nobody looked.
        **about: description, homepage, citation, license.
    """
    metadata = {"picture": picture, "unlabelled_means_missing": list(unlabelled_means_missing)}
    return tfds.core.DatasetInfo(
        builder=builder, features=features, metadata=tfds.core.MetadataDict(metadata), **about
    )


def manual_folder(dl_manager: tfds.download.DownloadManager) -> pathlib.Path:
    """The folder given as `--manual_dir`, which must exist and hold something."""
    try:
        return pathlib.Path(dl_manager.manual_dir)
    except NotADirectoryError as error:
        raise InputError(f"--manual_dir is {error.filename}, a file; name the folder") from None
    except AssertionError as error:
        raise InputError(" ".join(str(error).split())) from None


def _begun(generator: Iterator[Any]) -> Iterator[Any] | None:
    """The generator with its first item made; None if it has none, which TFDS does not allow."""
    for first in generator:
        return itertools.chain([first], generator)
    return None


@contextlib.contextmanager
def _empty_split_explained(name: str) -> Iterator[None]:
    """Says in one line what TFDS says from the depths of a Beam pipeline."""
    try:
        yield
    except Exception as fault:
        if "number of generated examples is 0" not in str(fault):
            raise
        raise InputError(
            f"nothing to build a split of {name} from, since every record of it was refused: "
            "build without --beam_pipeline_options to see the reasons and leave the split out"
        ) from fault
