"""Datasets, samplers and loaders hand out what PyTorch's do."""

import numpy as np
import pytest

import tapediff as td
import tapediff.utils.data


def modules():
    torch = pytest.importorskip("torch", reason="the oracle is PyTorch, which is not installed")
    return torch, td


class Squares:
    def __init__(self, library, count):
        self.library, self.count = library, count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        return {"x": self.library.tensor([float(index)]), "square": index * index, "half": index / 2, "name": f"n{index}",
                "pair": (np.float32(index), np.arange(2) + index)}


def counting(library):
    class Counting(library.utils.data.IterableDataset):
        def __iter__(self):
            return iter(range(5))

    return Counting()


LOADERS = {
    "tensors": lambda t, d: d.DataLoader(d.TensorDataset(t.arange(10.0).reshape(5, 2), t.arange(5)), batch_size=2),
    "last one left out": lambda t, d: d.DataLoader(d.TensorDataset(t.arange(5)), batch_size=2, drop_last=True),
    "samples": lambda t, d: d.DataLoader(d.TensorDataset(t.arange(3)), batch_size=None),
    "dictionaries": lambda t, d: d.DataLoader(Squares(t, 5), batch_size=3),
    "own sampler": lambda t, d: d.DataLoader(Squares(t, 5), batch_size=2, sampler=[4, 0, 2]),
    "own batches": lambda t, d: d.DataLoader(Squares(t, 5), batch_sampler=[[4], [0, 2]]),
    "own collation": lambda t, d: d.DataLoader([1, 2, 3], batch_size=2, collate_fn=lambda batch: [sum(batch)]),
    "numbers": lambda t, d: d.DataLoader([1.5, 2.5, 3.5], batch_size=2),
    "iterable": lambda t, d: d.DataLoader(counting(t), batch_size=2),
    "parts": lambda t, d: d.DataLoader(d.ConcatDataset([[1, 2], d.Subset([10, 20, 30], [2, 0])]), batch_size=3),
}


@pytest.mark.parametrize("name", LOADERS)
def test_batches_are_pytorchs(name):
    texts = []
    for library in modules():
        loader = LOADERS[name](library, library.utils.data)
        try:
            count = len(loader)
        except TypeError:
            count = None
        texts.append((count, repr(list(loader)), repr(list(loader))))
    assert texts[0] == texts[1]


def test_shuffled_samples_are_all_of_them():
    data = tapediff.utils.data
    td.manual_seed(3)
    loader = data.DataLoader(data.TensorDataset(td.arange(20)), batch_size=6, shuffle=True)
    first, second = ([number for batch, in loader for number in batch.tolist()] for _ in range(2))
    assert sorted(first) == sorted(second) == list(range(20))
    assert first != second
    drawn = list(data.RandomSampler(range(10), replacement=True, num_samples=50))
    assert len(drawn) == 50
    assert set(drawn) <= set(range(10))
    assert set(data.WeightedRandomSampler([0.0, 1.0, 1.0], 20)) == {1, 2}
    assert sorted(data.SubsetRandomSampler([5, 7, 9])) == [5, 7, 9]


def test_parts_at_random_are_disjoint():
    data = tapediff.utils.data
    for lengths in ([6, 4], [0.6, 0.4], [0.55, 0.45]):
        parts = data.random_split(range(10), lengths)
        assert sorted([one for part in parts for one in part]) == list(range(10))
        assert [len(part) for part in parts] == [6, 4]


ERRORS = {
    "sizes": lambda t, d: d.random_split(range(10), [3, 4]),
    "shuffled sampler": lambda t, d: d.DataLoader([1], sampler=[0], shuffle=True),
    "batches and size": lambda t, d: d.DataLoader([1], batch_sampler=[[0]], batch_size=2),
    "batch of none": lambda t, d: d.DataLoader([1], batch_size=0),
    "unequal": lambda t, d: next(iter(d.DataLoader([[1], [1, 2]], batch_size=2))),
    "unknown": lambda t, d: next(iter(d.DataLoader([object()], batch_size=1))),
    "lengths of tensors": lambda t, d: d.TensorDataset(t.ones(2), t.ones(3)),
    "empty": lambda t, d: d.RandomSampler([]),
}


@pytest.mark.parametrize("what", ERRORS)
def test_errors_are_pytorchs(what):
    found = []
    for library in modules():
        with pytest.raises((ValueError, RuntimeError, TypeError, AssertionError)) as caught:
            ERRORS[what](library, library.utils.data)
        found.append((caught.type, str(caught.value)))
    assert found[0][0] is found[1][0]
    assert found[1][1] in found[0][1]


def test_datasets_side_by_side_and_behind_each_other_are_pytorchs():
    def call(library):
        data = library.utils.data
        stacked = data.StackDataset(library.arange(3.0), Squares(library, 3))
        named = data.StackDataset(x=library.arange(3), y=[4, 5, 6])
        chained = data.ChainDataset([counting(library), counting(library)])
        added = counting(library) + counting(library)
        return [len(stacked), float(stacked[2][0]), stacked[1][1]["square"], len(named), named[2]["y"], list(chained),
                list(added), [list(map(int, batch["x"])) for batch in data.DataLoader(named, batch_size=2)],
                data.get_worker_info(), str(data.default_convert([np.arange(2), {"a": np.float64(0.5)}, "text", 3]))]

    wanted, given = map(call, modules())
    assert given == wanted


@pytest.mark.parametrize("call", [lambda data: data.StackDataset(), lambda data: data.StackDataset([1], x=[1]),
                                  lambda data: data.StackDataset([1], [1, 2]), lambda data: list(data.ChainDataset([[1]]))])
def test_errors_of_joined_datasets_are_pytorchs(call):
    found = []
    for library in modules():
        with pytest.raises((ValueError, AssertionError)) as caught:
            call(library.utils.data)
        found.append((caught.type, str(caught.value)))
    assert found[0] == found[1]
