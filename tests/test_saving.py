"""Saving and loading: what comes back is what went in, and a file that is not whole is refused."""

import io
import json
import os
import pickle
import zipfile
from collections import OrderedDict, defaultdict, namedtuple
from pathlib import Path

import numpy as np
import pytest

import tapediff as td
from tapediff import nn, optim


def round_trip(value):
    file = io.BytesIO()
    td.save(value, file)
    file.seek(0)
    return td.load(file)


def content(value):
    file = io.BytesIO()
    td.save(value, file)
    return file.getvalue()


VALUES = [
    None, True, False, 0, -7, 2**70, -(2**63), 1.5, -0.0, float("inf"), float("-inf"), 1e-320, 2 - 3j, "", "text \ud800 ü",
    b"", b"\x00\xff", bytearray(b"ab"), [], (), {}, set(), frozenset(), [1, [2, (3, {4})]], {"a": {1: 2.5, None: [True]}},
    {(1, "b"): frozenset({1.5})}, OrderedDict([("b", 1), ("a", 2)]), td.Size((2, 3)), td.float64, td.device("cpu"),
    np.float32(0.1),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_plain_values_come_back_with_their_types(value):
    found = round_trip(value)
    assert type(found) is type(value)
    assert repr(found) == repr(value)


def test_nan_comes_back():
    assert np.isnan(round_trip([float("nan")])[0])


@pytest.mark.parametrize("dtype", [td.bool, td.int32, td.int64, td.float32, td.float64], ids=str)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 4), (1, 1, 1)], ids=str)
def test_tensors_come_back(dtype, shape):
    values = (np.arange(int(np.prod(shape))).reshape(shape) * 1.7).astype(str(dtype).removeprefix("torch."))
    found = round_trip(td.tensor(values))
    assert found.dtype is dtype
    assert found.shape == shape
    np.testing.assert_array_equal(found.numpy(), values)


def test_special_numbers_come_back_bit_by_bit():
    values = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 5e-324, 1.7e308])
    assert round_trip(td.tensor(values)).numpy().tobytes() == values.tobytes()


def test_requires_grad_comes_back_and_a_computed_tensor_becomes_a_leaf():
    x = td.tensor([1.0, 2.0], requires_grad=True)
    leaf, computed, plain = round_trip([x, x * 2, x.detach()])
    assert leaf.requires_grad
    assert leaf.is_leaf
    assert computed.requires_grad
    assert computed.is_leaf
    assert computed.tolist() == [2.0, 4.0]
    assert not plain.requires_grad
    (leaf * leaf).sum().backward()
    assert leaf.grad.tolist() == [2.0, 4.0]


def test_parameters_and_buffers_come_back_as_such():
    parameter, buffer = round_trip([nn.Parameter(td.ones(2)), nn.Buffer(td.zeros(2), persistent=False)])
    assert type(parameter) is nn.Parameter
    assert parameter.requires_grad
    assert type(buffer) is nn.Buffer
    assert not buffer.persistent


def test_the_same_object_comes_back_once():
    shared = [td.ones(2)]
    found = round_trip({"a": shared, "b": shared, "c": shared[0]})
    assert found["a"] is found["b"]
    assert found["a"][0] is found["c"]


def test_a_list_may_hold_itself():
    loop = [1]
    loop.append({"loop": loop})
    found = round_trip(loop)
    assert found[1]["loop"] is found


def test_a_tuple_that_holds_itself_is_refused():
    inner = []
    loop = (inner,)
    inner.append(loop)
    with pytest.raises(ValueError, match="holds itself"):
        td.save(loop, io.BytesIO())


def test_shared_memory_stays_shared():
    x = td.arange(6.0)
    pair = round_trip({"whole": x, "row": x.view(2, 3)[1], "column": x.view(2, 3)[:, 0], "again": x.detach()})
    pair["row"][0] = 50.0
    assert pair["whole"].tolist() == [0.0, 1.0, 2.0, 50.0, 4.0, 5.0]
    assert pair["column"].tolist() == [0.0, 50.0]
    pair["again"].zero_()
    assert pair["row"].tolist() == [0.0, 0.0, 0.0]
    assert x.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


def test_memory_that_is_not_shared_is_not_shared_afterwards():
    a, b = round_trip([td.zeros(3), td.zeros(3)])
    a.fill_(1.0)
    assert b.tolist() == [0.0, 0.0, 0.0]


def test_tied_weights_stay_tied():
    first, second = nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False)
    second.weight = first.weight
    state = round_trip(nn.Sequential(first, second).state_dict())
    state["0.weight"].fill_(4.0)
    assert state["1.weight"].tolist() == [[4.0] * 3] * 3


@pytest.mark.parametrize("change", [lambda x: x.t(), lambda x: x[:, 1], lambda x: x[1:, ::2], lambda x: x[0].expand(3, 4),
                                    lambda x: x[2:2], lambda x: x.as_strided((2, 2), (1, 1))])
def test_views_come_back(change):
    x = td.arange(12.0).view(3, 4)
    np.testing.assert_array_equal(round_trip(change(x)).numpy(), change(x).numpy())
    np.testing.assert_array_equal(round_trip([change(x), x])[0].numpy(), change(x).numpy())


def test_what_a_view_does_not_show_is_not_written():
    secret = np.frombuffer(b"secret!!" * 8, np.float64).copy()
    column = td.from_numpy(secret)[::4]
    secret[::4] = 1.0
    assert b"secret" not in content(column)


def test_arrays_of_numpy_come_back():
    found = round_trip([np.arange(6, dtype=np.uint8).reshape(2, 3).T, np.array(2.5), np.zeros((0, 2)), np.array([1 + 2j])])
    assert [(one.dtype.str, one.shape) for one in found] == [("|u1", (3, 2)), ("<f8", ()), ("<f8", (0, 2)), ("<c16", (1,))]
    assert found[0].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert found[3][0] == 1 + 2j


def trained(steps, saved=None):
    """A small training, stopped and gone on with after `saved` was read."""
    td.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 1))
    optimizer = optim.Adam(model.parameters(), lr=0.05, amsgrad=True)
    schedule = optim.lr_scheduler.StepLR(optimizer, 2, 0.5)
    if saved is not None:
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        schedule.load_state_dict(saved["schedule"])
    x = td.linspace(-1, 1, 12).view(6, 2)
    for _ in range(steps):
        optimizer.zero_grad()
        (model(x) - x.prod(1, keepdim=True)).square().mean().backward()
        optimizer.step()
        schedule.step()
    return {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "schedule": schedule.state_dict()}


def test_training_goes_on_from_a_file_as_if_it_had_not_stopped(tmp_path):
    whole = trained(7)
    td.save(trained(3), tmp_path / "state.pt")
    resumed = trained(4, td.load(tmp_path / "state.pt"))
    assert list(whole["model"]) == list(resumed["model"])
    for name, value in whole["model"].items():
        assert value.tolist() == resumed["model"][name].tolist(), name


def test_the_metadata_of_a_state_dict_comes_back():
    state = nn.BatchNorm1d(2).state_dict()
    assert round_trip(state)._metadata == state._metadata


def test_the_state_of_a_generator_comes_back():
    generator = td.Generator().manual_seed(5)
    td.rand(3, generator=generator)
    other = td.Generator().set_state(round_trip(generator.get_state()))
    assert td.rand(2, generator=other).tolist() == td.rand(2, generator=generator).tolist()


# --- places ---------------------------------------------------------------------------------------------------------------------

def test_paths_and_file_objects(tmp_path):
    for place in (str(tmp_path / "a.pt"), Path(tmp_path / "b.pt")):
        td.save([1], place)
        assert td.load(place) == [1]
    with open(tmp_path / "c.pt", "wb") as file:
        td.save([2], file)
    with open(tmp_path / "c.pt", "rb") as file:
        assert td.load(file, map_location="cpu", weights_only=False) == [2]
    assert td.load(tmp_path / "c.pt", map_location=lambda storage, location: storage) == [2]
    assert sorted(os.listdir(tmp_path)) == ["a.pt", "b.pt", "c.pt"]


def test_a_failed_save_leaves_the_old_file(tmp_path):
    path = tmp_path / "state.pt"
    td.save([1], path)
    with pytest.raises(TypeError):
        td.save([2, lambda: 3], path)
    assert td.load(path) == [1]
    assert os.listdir(tmp_path) == ["state.pt"]


def test_a_write_that_breaks_off_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "state.pt"
    td.save([1], path)

    def full(*arguments):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        td.save(td.ones(3), path)
    monkeypatch.undo()
    assert td.load(path) == [1]
    assert os.listdir(tmp_path) == ["state.pt"]


def test_places_that_cannot_be_written_or_read(tmp_path):
    with pytest.raises(RuntimeError, match=r"Parent directory .* does not exist"):
        td.save([], tmp_path / "no" / "file.pt")
    with pytest.raises(IsADirectoryError):
        td.save([], tmp_path)
    with pytest.raises(FileNotFoundError):
        td.load(tmp_path / "no.pt")
    with pytest.raises(AttributeError, match="expected 'f' to be string, path, or a file-like object with a 'write' attribute"):
        td.save([], 3)
    with pytest.raises(AttributeError, match="seek"):
        td.load(3)
    with pytest.raises(TypeError, match="mode 'rb'"):
        td.load(io.StringIO("text"))
    with pytest.raises(RuntimeError, match="CPU only"):
        td.load(io.BytesIO(content(1)), map_location="cuda")
    with pytest.raises(TypeError, match="pickle"):
        td.load(io.BytesIO(content(1)), pickle_module=pickle)


Pair = namedtuple("Pair", "a b")


@pytest.mark.parametrize(("value", "word"), [
    (lambda: 1, "code"), (nn.Linear(1, 1), r"state_dict\(\)"), (optim.SGD([td.ones(1)], 0.1), r"state_dict\(\)"),
    (defaultdict(int), r"dict\(...\)"), (Pair(1, 2), r"tuple\(...\)"), (object(), "convert it first"), (int, "code"),
    (np.array([object()]), "convert it first"), (range(3), "convert it first"),
], ids=str)
def test_what_cannot_be_saved_is_named_with_its_place(value, word):
    with pytest.raises(TypeError, match=rf"cannot write a .*\(at \[obj\]\['a'\]\[1\]\).*{word}"):
        td.save({"a": [0, value]}, io.BytesIO())


def test_a_nest_that_is_too_deep_is_refused():
    nest = []
    for _ in range(1000):
        nest = [nest]
    with pytest.raises(ValueError, match="deeper"):
        td.save(nest, io.BytesIO())


# --- files that are not whole ---------------------------------------------------------------------------------------------------

def sample():
    return {"w": td.arange(5.0), "shape": td.Size((2,)), "b": [b"bytes", np.arange(3), 2**80, (1.5, None)],
            "p": nn.Parameter(td.eye(2))}


def seen(value):
    return repr(value)


def test_every_damaged_byte_is_found_or_without_effect():
    whole = content(sample())
    wanted = seen(td.load(io.BytesIO(whole)))
    for place in range(len(whole)):
        for flip in (1, 0x80, 0xFF):
            damaged = bytearray(whole)
            damaged[place] ^= flip
            try:
                found = seen(td.load(io.BytesIO(bytes(damaged))))
            except td.SavedFileError:
                continue
            assert found == wanted, f"byte {place} ^ {flip}"


def test_every_truncation_is_found():
    whole = content(sample())
    for length in range(len(whole)):
        with pytest.raises(td.SavedFileError):
            td.load(io.BytesIO(whole[:length]))


def rewritten(change):
    """A sample whose manifest was changed by somebody who knows the checksums."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content(sample()))) as old, zipfile.ZipFile(file, "w") as new:
        for member in old.namelist():
            data = old.read(member)
            if member == "manifest.json":
                manifest = json.loads(data)
                change(manifest)
                data = json.dumps(manifest)
            new.writestr(member, data)
    file.seek(0)
    return file


def entry_of(manifest, kind):
    return next(entry for entry in manifest["table"] if entry[0] == kind)


@pytest.mark.parametrize("change", [
    lambda m: entry_of(m, "Tensor")[-1].__setitem__(1, [6]),
    lambda m: entry_of(m, "Tensor")[-1].__setitem__(1, [-1]),
    lambda m: entry_of(m, "Tensor")[-1].__setitem__(2, [2**62]),
    lambda m: entry_of(m, "Tensor")[-1].__setitem__(3, 1),
    lambda m: entry_of(m, "Tensor")[-1].__setitem__(0, 99),
    lambda m: entry_of(m, "Tensor")[-1].__setitem__(0, "../../etc/passwd"),
    lambda m: entry_of(m, "Tensor").__setitem__(1, "object"),
    lambda m: entry_of(m, "Tensor").__setitem__(1, "int64") or entry_of(m, "Tensor").__setitem__(2, True),
    lambda m: entry_of(m, "array").__setitem__(1, "|O"),
    lambda m: entry_of(m, "array").__setitem__(2, [7]),
    lambda m: entry_of(m, "tuple").__setitem__(0, "os.system"),
    lambda m: entry_of(m, "tuple").__setitem__(1, [[10**6]]),
    lambda m: entry_of(m, "tuple").__setitem__(1, [{"a": 1}]),
    lambda m: m["table"].clear(),
    lambda m: m.pop("root"),
    lambda m: m.__setitem__("version", 2),
    lambda m: m.__setitem__("format", "other"),
    lambda m: m.__setitem__("byteorder", "middle"),
])
def test_a_manifest_that_says_what_cannot_be_is_refused(change):
    with pytest.raises(td.SavedFileError):
        td.load(rewritten(change))


def test_an_entry_that_holds_itself_is_refused():
    def change(manifest):
        place = next(number for number, entry in enumerate(manifest["table"]) if entry[0] == "tuple")
        manifest["table"][place][1] = [[place]]

    with pytest.raises(td.SavedFileError, match="holds itself"):
        td.load(rewritten(change))


class Evil:
    def __reduce__(self):
        return os.mkdir, ("executed",)


def test_a_pickle_is_not_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(td.SavedFileError, match="pickle"):
        td.load(io.BytesIO(pickle.dumps(Evil())), weights_only=False)
    assert os.listdir(tmp_path) == []


def test_files_of_others_are_named(tmp_path):
    np.save(tmp_path / "a.npy", np.ones(2))
    np.savez(tmp_path / "a.npz", x=np.ones(2))
    td.record(lambda x: x * x, td.tensor(1.0)).save(tmp_path / "a.program")
    (tmp_path / "a.txt").write_text("hello world")
    (tmp_path / "a.empty").write_text("")
    for name, word in (("a.npy", "numpy.load"), ("a.npz", "numpy.load"), ("a.program", "load_program"),
                       ("a.txt", "not written by tapediff.save"), ("a.empty", "is empty")):
        with pytest.raises(td.SavedFileError, match=word):
            td.load(tmp_path / name)


@pytest.mark.parametrize("old", [False, True])
def test_a_file_of_pytorch_is_named(old):
    torch = pytest.importorskip("torch", reason="it writes the file")
    file = io.BytesIO()
    torch.save({"w": torch.ones(2)}, file, _use_new_zipfile_serialization=not old)
    file.seek(0)
    with pytest.raises(td.SavedFileError, match=r"PyTorch.*torch\.load"):
        td.load(file)


@pytest.mark.parametrize("shape", [(), (1,), (2, 0)])
def test_a_pickled_tensor_keeps_its_shape(shape):
    found = pickle.loads(pickle.dumps(td.ones(shape, requires_grad=True)))
    assert found.shape == shape
    assert found.requires_grad
