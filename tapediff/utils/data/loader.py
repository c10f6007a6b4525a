"""The loader: samples of a dataset collected into batches, in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from tapediff.functions.registry import FUNCTIONS
from tapediff.tensor import Tensor
from tapediff.utils.data.dataset import IterableDataset
from tapediff.utils.data.sampler import BatchSampler, RandomSampler, SequentialSampler

__all__ = ["DataLoader", "default_collate", "default_convert", "get_worker_info"]


def default_collate(batch: Sequence[Any]) -> Any:
    """Samples as one batch: tensors, arrays and numbers stacked, in whatever tuples, lists and dictionaries hold them.

    Raises
        TypeError: a sample is of another type.

    >>> default_collate([(1.5, "a"), (2.5, "b")])
    [tensor([1.5000, 2.5000], dtype=torch.float64), ('a', 'b')]
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return FUNCTIONS["stack"](list(batch), 0)
    if isinstance(first, np.ndarray | np.generic):
        return FUNCTIONS["as_tensor"](np.stack([np.asarray(one) for one in batch]))
    if isinstance(first, float):
        return FUNCTIONS["as_tensor"](np.asarray(batch, np.float64))
    if isinstance(first, int):
        return FUNCTIONS["tensor"](list(batch))
    if isinstance(first, str | bytes):
        return tuple(batch) if isinstance(batch, tuple) else list(batch)
    if isinstance(first, Mapping):
        return {key: default_collate([one[key] for one in batch]) for key in first}
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*(default_collate(part) for part in zip(*batch, strict=True)))
    if isinstance(first, Sequence):
        if any(len(one) != len(first) for one in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        return [default_collate(part) for part in zip(*batch, strict=True)]
    raise TypeError("default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found "
                    f"{type(first)}")


def default_convert(sample: Any) -> Any:
    """One sample, its arrays as tensors."""
    if isinstance(sample, np.ndarray | np.generic):
        return FUNCTIONS["as_tensor"](np.asarray(sample))
    if isinstance(sample, Mapping):
        return {key: default_convert(one) for key, one in sample.items()}
    if isinstance(sample, Sequence) and not isinstance(sample, str | bytes):
        return [default_convert(one) for one in sample]
    return sample


def get_worker_info() -> None:
    """None: samples are loaded in the main process."""


class DataLoader:
    """Batches of a dataset, one pass for each `iter`.

    batch_size    None: samples as they are
    shuffle       in random order; sampler, batch_sampler: in an order of the user's own
    drop_last     leave a last batch that is shorter out
    collate_fn    how samples become a batch
    num_workers   accepted, as are the options that go with it; everything happens in this process

    >>> import tapediff as td
    >>> from tapediff.utils.data import TensorDataset
    >>> for x, y in DataLoader(TensorDataset(td.arange(3.), td.arange(3)), batch_size=2):
    ...     print(x, y)
    tensor([0., 1.]) tensor([0, 1])
    tensor([2.]) tensor([2])
    """

    def __init__(self, dataset: Any, batch_size: int | None = 1, shuffle: bool | None = None, sampler: Any = None,
                 batch_sampler: Any = None, num_workers: int = 0, collate_fn: Callable[[Any], Any] | None = None,
                 pin_memory: bool = False, drop_last: bool = False, timeout: float = 0, worker_init_fn: Any = None,
                 multiprocessing_context: Any = None, generator: Any = None, *, prefetch_factor: int | None = None,
                 persistent_workers: bool = False, pin_memory_device: str = "", in_order: bool = True) -> None:
        if num_workers < 0:
            raise ValueError("num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.")
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError("batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last")
            batch_size, drop_last = None, False
        elif batch_size is None and drop_last:
            raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")
        self.is_iterable = isinstance(dataset, IterableDataset)
        if self.is_iterable and (shuffle or sampler is not None or batch_sampler is not None):
            raise ValueError("DataLoader with IterableDataset: expected unspecified shuffle, sampler and batch_sampler options")
        self.dataset = dataset
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.num_workers = num_workers
        self.generator = generator
        if sampler is None and not self.is_iterable:
            sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        self.sampler = sampler
        if batch_size is not None and not self.is_iterable:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_sampler = batch_sampler
        is_batched = batch_size is not None or batch_sampler is not None
        self.collate_fn: Callable[[Any], Any] = collate_fn or (default_collate if is_batched else default_convert)

    def __iter__(self) -> Iterator[Any]:
        if self.is_iterable:
            yield from self._of_iterable()
        elif self.batch_sampler is None:
            for number in self.sampler:
                yield self.collate_fn(self.dataset[number])
        else:
            for numbers in self.batch_sampler:
                yield self.collate_fn([self.dataset[number] for number in numbers])

    def _of_iterable(self) -> Iterator[Any]:
        samples = iter(self.dataset)
        if self.batch_size is None:
            yield from map(self.collate_fn, samples)
            return
        while batch := list(islice(samples, self.batch_size)):
            if len(batch) < self.batch_size and self.drop_last:
                return
            yield self.collate_fn(batch)

    def __len__(self) -> int:
        if self.is_iterable:
            count = len(self.dataset)
            if self.batch_size is None:
                return count
            return count // self.batch_size if self.drop_last else -(-count // self.batch_size)
        return len(self.sampler if self.batch_sampler is None else self.batch_sampler)
