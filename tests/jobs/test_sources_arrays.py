"""Rows from memory, `.npy` and `.npz`: whatever piece is read has the bytes that NumPy has, and damage is one clear line."""

import os
import zipfile
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tapediff as td
from tapediff.jobs import JobError
from tapediff.jobs.sources import common_length, open_source, open_sources, read_shared

DTYPES = ["float32", "float64", "int64", "int32", "bool", ">f8", ">f4", ">i8", ">i4"]
SHAPES = [(0,), (7,), (7, 3), (0, 3), (7, 0), (5, 2, 3), (1, 1), (7, 1, 2, 2)]


def sample(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.standard_normal(shape) * 9).astype(dtype)


def pieces(length):
    return [(0, length), (0, 0), (length, length), (length // 2, length), (1, max(1, length - 1)), (length // 3, length // 2)]


def require_equal(source, array):
    """Every piece of the source, in any order, against the array; bits, dtype and layout."""
    assert (source.length, source.shape) == (len(array), array.shape[1:])
    native = array.astype(array.dtype.newbyteorder("="))
    assert source.dtype == native.dtype
    assert source.dtype.isnative
    for first, last in [p for p in pieces(len(array)) if p[0] <= p[1] <= len(array)]:
        read = source.read(first, last)
        assert read.dtype == native.dtype
        assert read.dtype.isnative
        assert read.flags.c_contiguous
        assert read.shape == (last - first, *array.shape[1:])
        assert read.tobytes() == np.ascontiguousarray(native[first:last]).tobytes()


@pytest.fixture
def write(tmp_path):
    """A function that stores an array in one of the ways and returns what the user would write for it."""

    def store(array, kind):
        if kind == "memory":
            return array
        if kind == "npy":
            np.save(tmp_path / "x.npy", array)
            return tmp_path / "x.npy"
        save = np.savez if kind == "stored" else np.savez_compressed
        save(tmp_path / f"{kind}.npz", other=np.arange(3), x=array)
        return f"{tmp_path}/{kind}.npz:x"

    return store


@pytest.mark.parametrize("kind", ["memory", "npy", "stored", "compressed"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_piece_has_numpy_s_bytes(write, kind, shape):
    for dtype, order in product(DTYPES, "CF"):
        array = np.asarray(sample(shape, dtype), order=order)
        source = open_source("x", write(array, kind))
        try:
            require_equal(source, array)
            assert source.identity() == source.identity()
        finally:
            source.close()
            source.close()


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=6), st.sampled_from("CF"))
def test_pieces_of_a_compressed_member_come_in_any_order(tmp_path_factory, wanted, order):
    array = np.asarray(sample((40, 3), "float64"), order=order)
    path = tmp_path_factory.mktemp("npz") / "x.npz"
    np.savez_compressed(path, x=array)
    source = open_source("x", f"{path}:x")
    try:
        for first, last in map(sorted, wanted):
            np.testing.assert_array_equal(source.read(first, last), array[first:last])
    finally:
        source.close()


def test_what_python_holds_is_a_source():
    leaf = td.tensor([[1.0, 2.0]], requires_grad=True)
    for given_rows in (leaf, leaf.detach(), [[1.0, 2.0]], ((1.0, 2.0),), np.array([[1.0, 2.0]])):
        assert open_source("x", given_rows).read(0, 1).tolist() == [[1.0, 2.0]]
    every_other = np.arange(12.0).reshape(6, 2)[::-2, ::-1]
    require_equal(open_source("x", every_other), every_other)
    special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan])
    require_equal(open_source("x", special), special)


def test_identity_is_of_the_data_and_not_of_where_it_lies(tmp_path):
    a, b = sample((1000, 3), "float64"), sample((1000, 3), "float64")
    assert open_source("x", a).identity() == open_source("y", np.asfortranarray(b)).identity()
    b[999, 2] = np.nextafter(b[999, 2], 1)
    assert open_source("x", a).identity() != open_source("x", b).identity()
    assert open_source("x", a).identity() != open_source("x", a.reshape(1500, 2)).identity()
    for name, array in {"a": a, "c": a, "b": b}.items():
        np.save(tmp_path / f"{name}.npy", array)
    found = open_sources({name: tmp_path / f"{name}.npy" for name in "abc"})
    assert found["a"].identity() == found["c"].identity() != found["b"].identity()
    for source in found.values():
        source.close()


def test_identity_of_a_large_file_is_of_blocks_and_the_time_of_its_last_write(tmp_path, monkeypatch):
    monkeypatch.setattr("tapediff.jobs.sources.files.WHOLE", 1 << 22)
    path = tmp_path / "x.npy"
    np.save(path, np.zeros(1 << 20))
    with open_context(path) as source:
        before = source.identity()
    assert before["mtime_ns"] == os.stat(path).st_mtime_ns
    np.save(path, np.r_[np.zeros((1 << 20) - 1), 1.0])
    with open_context(path) as source:
        assert source.identity()["digest"] != before["digest"]


class open_context:
    def __init__(self, given_rows):
        self.source = open_source("x", given_rows)

    def __enter__(self):
        return self.source

    def __exit__(self, *_):
        self.source.close()


def test_a_file_that_changes_while_it_is_read_is_an_error(tmp_path):
    path = tmp_path / "x.npy"
    for change in (
        lambda: os.truncate(path, 500),
        lambda: np.save(path, np.ones(200)),
        lambda: path.unlink(),
        lambda: os.utime(path, ns=(1, 1)),
    ):
        np.save(path, np.zeros(100))
        with open_context(path) as source:
            source.read(0, 10)
            change()
            with pytest.raises(JobError, match=r"x.npy (changed|was removed) while the job read it"):
                source.read(10, 20)
            with pytest.raises(JobError, match=r"x.npy"):
                source.identity()


def test_a_file_cut_off_between_the_look_and_the_read_is_an_error(tmp_path, monkeypatch):
    np.save(tmp_path / "x.npy", np.zeros(1000))
    with open_context(tmp_path / "x.npy") as source:
        monkeypatch.setattr(source.input, "require_unchanged", lambda: os.truncate(tmp_path / "x.npy", 4000))
        with pytest.raises(JobError, match=r"x.npy became shorter while the job read it: no data at byte 4,000"):
            source.read(0, 1000)


def outcome(given_rows):
    """What reading everything gives: an array or the one line of a JobError; nothing else may come."""
    try:
        with open_context(given_rows) as source:
            return source.read(0, source.length)
    except JobError as error:
        return str(error) if "\n" not in str(error) else pytest.fail(f"more than one line: {error}")


@pytest.mark.parametrize("kind", ["npy", "stored", "compressed"])
def test_a_file_cut_off_anywhere_is_an_error(write, kind):
    given_rows = write(sample((9, 2), "float64"), kind)
    path = str(given_rows).removesuffix(":x")
    whole = Path(path).read_bytes()
    for size in range(0, len(whole), 7):
        Path(path).write_bytes(whole[:size])
        assert isinstance(outcome(given_rows), str), size


@pytest.mark.parametrize("kind", ["npy", "stored", "compressed"])
def test_a_flipped_byte_is_an_error_or_leaves_an_array(write, kind):
    array = sample((9, 2), "float64")
    given_rows = write(array, kind)
    path = str(given_rows).removesuffix(":x")
    whole = Path(path).read_bytes()
    for place in range(0, len(whole), 3):
        Path(path).write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        found = outcome(given_rows)
        if kind != "npy" and not isinstance(found, str):  # archives have checksums
            np.testing.assert_array_equal(found, array)


def test_objects_are_refused_and_never_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "trapped"),)

    array = np.array([Trap(), Trap()])
    np.save(tmp_path / "x.npy", array, allow_pickle=True)
    np.savez(tmp_path / "x.npz", x=array, allow_pickle=True)
    for given_rows in (tmp_path / "x.npy", f"{tmp_path}/x.npz:x", array):
        with pytest.raises(JobError, match="objects, which are never loaded"):
            open_source("x", given_rows)
    assert not (tmp_path / "trapped").exists()


def test_a_header_that_lies_is_an_error(tmp_path):
    path = tmp_path / "x.npy"
    for shape in ("(-1,)", "(10**30,)", "(1000000000000,)", "('a',)", "(3", "(True, 3)"):
        header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
        path.write_bytes(b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header.encode() + bytes(16))
        assert "x.npy is not a readable .npy file: " in outcome(path)


def test_an_encrypted_or_foreign_archive_is_an_error(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("x.npy", b"no array")
        archive.writestr("readme.txt", b"text")
    assert "is not a readable .npy file" in outcome(f"{tmp_path}/x.npz:x")
    assert "has no member 'readme'" in outcome(f"{tmp_path}/x.npz:readme")


ERRORS = {
    "gone.npy": "gone.npy does not exist",
    "folder.npy": "folder.npy is not a file",
    "notes.txt": "notes.txt is neither FILE.npy, FILE.npz:MEMBER, ",
    "x.npy:a": "x.npy holds one array; leave out ':a'",
    "w.npz": "say which one: w.npz:MEMBER (it holds weight, bias)",
    "w.npz:": "say which one: w.npz:MEMBER (it holds weight, bias)",
    "w.npz:wieght": "w.npz has no member 'wieght'; did you mean 'weight'? it holds weight, bias",
    "renamed.npz:x": "renamed.npz is not an .npz file: it holds one array",
    "damaged.npz:x": "damaged.npz is not a readable .npz file: ",
    "half.npy": "x has dtype float16; a tensor holds float32, float64, int64, int32, bool",
    "text.npy": "x has dtype <U1; a tensor holds",
    "date.npy": "x has dtype datetime64[s]; a tensor holds",
    "fields.npy": "x has dtype [('a', '<f8')]; a tensor holds",
    "number.npy": "x is a single number, but a row input has one entry per row; give it as a shared input",
    "w.npz:bias": "x is a single number, but a row input has one entry per row; give it as a shared input",
    "none*.npy": "no file matches none*.npy",
    "empty": "the folder empty holds no Parquet files",
    "a\0b.npy": "a\0b.npy does not exist",
}


@pytest.mark.parametrize(("given_rows", "message"), ERRORS.items(), ids=list(map(repr, ERRORS)))
def test_what_is_no_source_is_one_clear_line(tmp_path, monkeypatch, given_rows, message):
    monkeypatch.chdir(tmp_path)
    Path("folder.npy").mkdir()
    Path("empty").mkdir()
    Path("notes.txt").write_text("notes")
    np.save("x.npy", np.zeros(3))
    np.savez("w.npz", weight=np.zeros(3), bias=np.float64(1))
    Path("renamed.npz").write_bytes(Path("x.npy").read_bytes())
    Path("damaged.npz").write_bytes(Path("w.npz").read_bytes()[:50])
    np.save("half.npy", np.zeros(3, dtype=np.float16))
    np.save("text.npy", np.array(["a"]))
    np.save("date.npy", np.array([0], dtype="datetime64[s]"))
    np.save("fields.npy", np.zeros(1, dtype=[("a", "<f8")]))
    np.save("number.npy", np.float64(1))
    found = outcome(given_rows)
    assert message in found


@pytest.mark.parametrize("given_rows", [object(), {"a": 1}, [[1.0], [1.0, 2.0]], ["a"], np.array([1j]), b"x.npy", 3.0, None])
def test_what_is_no_array_is_one_clear_line(given_rows):
    assert "x " in outcome(given_rows)


def test_masked_elements_are_refused():
    assert "x has masked elements" in outcome(np.ma.array([1.0, 2.0], mask=[False, True]))
    np.testing.assert_array_equal(outcome(np.ma.array([1.0, 2.0])), [1.0, 2.0])


def test_parts_of_a_pattern_come_in_the_order_of_their_names(tmp_path):
    for number in (2, 0, 1):
        np.save(tmp_path / f"part-{number}.npy", np.full((number + 1, 2), float(number)))
    with open_context(f"{tmp_path}/part-*.npy") as source:
        require_equal(source, np.repeat([0.0, 1.0, 2.0], [1, 2, 3])[:, None].repeat(2, axis=1))
        assert len(source.identity()["parts"]) == 3
    np.save(tmp_path / "part-1.npy", np.zeros((2, 3)))
    assert "part-1.npy has rows of shape (3,) and float64, but " in outcome(f"{tmp_path}/part-*.npy")


def test_inputs_of_different_lengths_are_refused():
    with pytest.raises(JobError, match="the first axes of the row inputs differ: x has 3, y has 2"):
        common_length(open_sources({"x": np.zeros(3), "y": np.zeros((2, 3))}))
    with pytest.raises(JobError, match="no row inputs were given"):
        common_length({})
    assert common_length(open_sources({"x": np.zeros((0, 2)), "y": np.zeros(0)})) == 0


def test_no_file_stays_open_where_one_of_several_fails(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros(3))
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(JobError):
        open_sources({"x": tmp_path / "x.npy", "y": tmp_path / "gone.npy"})
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("kind", ["memory", "npy", "stored", "compressed"])
@pytest.mark.parametrize("shape", [(), (0,), (4,), (2, 3)], ids=str)
def test_shared_inputs_are_read_whole(write, kind, shape):
    for dtype in DTYPES:
        array = np.asarray(sample(shape, dtype), order="F")
        found = read_shared("w", write(array, kind))
        assert found.dtype == array.dtype.newbyteorder("=")
        assert found.shape == array.shape
        assert found.flags.c_contiguous
        np.testing.assert_array_equal(found, array)


def test_shared_numbers_may_be_written_as_text():
    numbers = {"0.5": 0.5, "-3": -3, "1e-3": 1e-3, "nan": np.nan, "-inf": -np.inf, "true": True, "False": False}
    for text, number in numbers.items():
        found = read_shared("k", text)
        assert found.dtype == np.array(number).dtype
        np.testing.assert_array_equal(found, number)
    assert read_shared("k", 3).dtype == np.int64
    assert read_shared("k", True).dtype == bool
    assert read_shared("k", np.float32(3)).dtype == np.float32
    for wrong in ("10" * 30, "half", "", 1j, None, "0x10"):
        with pytest.raises(JobError):
            read_shared("k", wrong)
