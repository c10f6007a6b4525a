"""Rows from Parquet, Arrow IPC, CSV and Zarr: pyarrow's and NumPy's own readers are the oracle, and bad tables one clear line."""

import gzip
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapediff.jobs import ChangedError, JobError, StorageError, run
from tapediff.jobs.sources import open_source, read_shared

pa = pytest.importorskip("pyarrow", reason="reading Parquet, Arrow and CSV needs the extra jobs")
csv = pytest.importorskip("pyarrow.csv")
feather = pytest.importorskip("pyarrow.feather")
parquet = pytest.importorskip("pyarrow.parquet")

ROWS = 1000
ROOT = Path(__file__).parent.parent.parent


def table(rows=ROWS):
    rng = np.random.default_rng(0)
    price = rng.standard_normal(rows)
    price[: min(rows, 5)] = [0.0, -0.0, np.inf, -np.inf, np.nan][: min(rows, 5)]
    vectors = rng.standard_normal((rows, 3))
    cubes = rng.integers(0, 99, (rows, 2, 3))
    return pa.table(
        {
            "price": price,
            "single": price.astype(np.float32),
            "label": rng.integers(-9, 9, rows),
            "short": rng.integers(-9, 9, rows).astype(np.int32),
            "flag": rng.integers(0, 2, rows).astype(bool),
            "vector": pa.FixedSizeListArray.from_arrays(vectors.ravel(), 3),
            "list": pa.ListArray.from_arrays(np.arange(rows + 1, dtype=np.int32) * 3, vectors.ravel()),
            "cube": pa.FixedSizeListArray.from_arrays(pa.FixedSizeListArray.from_arrays(cubes.ravel(), 3), 2),
            "name": [f"row {row}" for row in range(rows)],
        }
    )


def write_parquet(path, given_table, **options):
    parquet.write_table(given_table, path, **({"row_group_size": 300} | options))


def write_ipc(path, given_table, compression=None, rows=170):
    with pa.ipc.new_file(path, given_table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(given_table, max_chunksize=rows)


WRITERS = {
    "groups.parquet": write_parquet,
    "one_group.parquet": lambda path, t: write_parquet(path, t, row_group_size=1 << 20),
    "small_pages.pq": lambda path, t: write_parquet(path, t, data_page_size=100, use_dictionary=False, write_statistics=False),
    "plain.arrow": write_ipc,
    "packed.feather": lambda path, t: feather.write_feather(t, path, compression="zstd", chunksize=170),
    "packed.ipc": lambda path, t: write_ipc(path, t, compression="lz4"),
}


def as_numpy(given_table, column):
    return np.array(given_table[column].to_pylist(), dtype=np.dtype(leaf_type(given_table[column].type).to_pandas_dtype()))


def leaf_type(kind):
    return leaf_type(kind.value_type) if hasattr(kind, "value_type") else kind


class opened:
    def __init__(self, given_rows, **options):
        self.source = open_source("x", given_rows, **options)

    def __enter__(self):
        return self.source

    def __exit__(self, *_):
        self.source.close()


def require_equal(given_rows, expected, **options):
    """The whole, then pieces forwards, backwards, overlapping, against the array."""
    length = len(expected)
    with opened(given_rows, **options) as source:
        assert (source.length, source.shape, source.dtype) == (length, expected.shape[1:], expected.dtype)
        steps = [(row, min(row + 190, length)) for row in range(0, length, 190)]
        for first, last in [(0, length), *steps, *steps[::-1], (length, length), (length // 2, length), (length // 3, length)]:
            rows = source.read(first, last)
            assert rows.flags.c_contiguous
            assert rows.dtype == expected.dtype
            assert rows.tobytes() == expected[first:last].tobytes()


def outcome(given_rows):
    """What reading everything gives: an array or the one line of a JobError; nothing else may come."""
    try:
        with opened(given_rows) as source:
            return source.read(0, source.length)
    except JobError as error:
        return str(error) if "\n" not in str(error) else pytest.fail(f"more than one line: {error}")


@pytest.mark.parametrize("rows", [ROWS, 1, 0])
@pytest.mark.parametrize("name", WRITERS)
def test_columns_have_the_bytes_that_were_written(tmp_path, name, rows):
    written = table(rows)
    WRITERS[name](tmp_path / name, written)
    for column in ("price", "single", "label", "short", "flag", "vector", "cube"):
        expected = as_numpy(written, column).reshape(rows, *{"vector": (3,), "cube": (2, 3)}.get(column, ()))
        require_equal(f"{tmp_path}/{name}:{column}", expected)
    if rows:  # the length of lists is that of the first
        require_equal(f"{tmp_path}/{name}:list", as_numpy(written, "list"))


@pytest.mark.parametrize("name", WRITERS)
def test_several_columns_are_a_vector(tmp_path, name):
    written = table()
    WRITERS[name](tmp_path / name, written)
    price, single, label, short = (as_numpy(written, column) for column in ("price", "single", "label", "short"))
    require_equal(f"{tmp_path}/{name}:price,label", np.stack([price, label.astype(float)], axis=1))
    require_equal(f"{tmp_path}/{name}:single, single", np.stack([single, single], axis=1))
    require_equal(f"{tmp_path}/{name}:short,label", np.stack([short, label], axis=1))
    require_equal(f"{tmp_path}/{name}:label,price,label", np.stack([label, price, label], axis=1).astype(float))


@given(st.lists(st.tuples(st.integers(0, ROWS), st.integers(0, ROWS)), max_size=8), st.sampled_from(list(WRITERS)))
def test_pieces_come_in_any_order(tmp_path_factory, wanted, name):
    folder = tmp_path_factory.getbasetemp() / "any_order"
    folder.mkdir(exist_ok=True)
    written = table()
    if not (folder / name).exists():
        WRITERS[name](folder / name, written)
    expected = as_numpy(written, "price")
    with opened(f"{folder}/{name}:price") as source:
        for first, last in map(sorted, wanted):
            assert source.read(first, last).tobytes() == expected[first:last].tobytes()


def test_other_types_of_arrow_that_hold_numbers(tmp_path):
    tensors = np.arange(24.0).reshape(4, 2, 3)
    written = pa.table(
        {
            "dictionary": pa.array([1.5, 2.5, 1.5, 1.5]).dictionary_encode(),
            "large": pa.array([[1, 2], [3, 4], [5, 6], [7, 8]], type=pa.large_list(pa.int32())),
            "nested": pa.array([[[1.0]], [[2.0]], [[3.0]], [[4.0]]], type=pa.list_(pa.list_(pa.float64(), 1))),
            "tensor": pa.FixedShapeTensorArray.from_numpy_ndarray(tensors),
        }
    )
    write_parquet(tmp_path / "t.parquet", written)
    write_ipc(tmp_path / "t.arrow", written, rows=2)
    for name in ("t.parquet", "t.arrow"):
        require_equal(f"{tmp_path}/{name}:dictionary", np.array([1.5, 2.5, 1.5, 1.5]))
        require_equal(f"{tmp_path}/{name}:large", np.arange(1, 9, dtype=np.int32).reshape(4, 2))
        require_equal(f"{tmp_path}/{name}:nested", np.arange(1.0, 5.0).reshape(4, 1, 1))
        require_equal(f"{tmp_path}/{name}:tensor", tensors)


def test_columns_in_memory_are_sources():
    require_equal(table()["price"], as_numpy(table(), "price"))


def test_a_column_whose_name_has_commas_colons_or_dots_is_found(tmp_path):
    names = ["a,b", "a:b", "a.b", "a", "ä"]
    written = pa.table({name: np.arange(3.0) + number for number, name in enumerate(names)})
    write_parquet(tmp_path / "t.parquet", written)
    write_ipc(tmp_path / "t.arrow", written)
    csv.write_csv(written, tmp_path / "t.csv")
    for file in ("t.parquet", "t.arrow", "t.csv"):
        for number, name in enumerate(names):
            np.testing.assert_array_equal(outcome(f"{tmp_path}/{file}:{name}"), np.arange(3) + number)


# CSV


def write_csv(path, text):
    Path(path).write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_csv_columns_against_numpy(tmp_path):
    rng = np.random.default_rng(0)
    values = rng.standard_normal((5000, 3))
    values[:3, 0] = [np.inf, -np.inf, np.nan]
    np.savetxt(tmp_path / "t.csv", values, fmt="%.17g", delimiter=",", header="a,b,c", comments="")
    require_equal(f"{tmp_path}/t.csv:b", values[:, 1].copy())
    require_equal(f"{tmp_path}/t.csv:c,a", values[:, [2, 0]].copy(), folder=tmp_path)
    assert os.listdir(tmp_path) == ["t.csv"]


def test_csv_types_do_not_depend_on_the_first_rows(tmp_path, monkeypatch):
    monkeypatch.setattr("tapediff.jobs.sources.csv.BLOCK_BYTES", 64)
    path = write_csv(tmp_path / "t.csv", "whole,later,flag\n" + "1,2,true\n" * 100 + "3,4.5,False\n")
    require_equal(f"{path}:whole", np.array([1] * 100 + [3]))
    require_equal(f"{path}:later", np.array([2.0] * 100 + [4.5]))
    require_equal(f"{path}:flag", np.array([True] * 100 + [False]))
    require_equal(f"{path}:whole,later", np.array([[1, 2]] * 100 + [[3, 4.5]]))


CSV = {
    "tabs.tsv": "a\tb\n1.5\t2\n2.5\t3\n",
    "windows.csv": b"\xef\xbb\xbfa,b\r\n1.5,2\r\n2.5,3\r\n",
    "quotes.csv": '"a","b","text"\n"1.5",2,"x, ""y""\nnext line"\n2.5,"3",z\n',
    "no_end.csv": "a,b\n1.5,2\n2.5,3",
    "packed.csv.gz": gzip.compress(b"a,b\n1.5,2\n2.5,3\n"),
}


@pytest.mark.parametrize("name", CSV)
def test_dialects_of_csv(tmp_path, name):
    path = write_csv(tmp_path / name, CSV[name])
    require_equal(f"{path}:a", np.array([1.5, 2.5]))
    require_equal(f"{path}:b", np.array([2, 3]))


def test_csv_without_rows(tmp_path):
    require_equal(f"{write_csv(tmp_path / 't.csv', 'a,b' + chr(10))}:a", np.zeros(0))


def test_csv_in_a_job_with_a_folder(tmp_path):
    path = write_csv(tmp_path / "t.csv", "a,b\n1,0.5\n2,1.5\n3,2.5\n")
    asked = {"rows": {"x": f"{path}:a,b"}, "shared": {"w": f"{path}:b"}, "wrt": "x", "out": tmp_path / "out"}
    result = run(lambda x, w: (x * x).sum() * w.sum(), **asked)
    np.testing.assert_array_equal(result.gradient("x"), 9 * np.array([[1, 0.5], [2, 1.5], [3, 2.5]]))
    assert sorted(os.listdir(tmp_path / "out" / ".tapediff")) == ["journal", "lock", "settings.json"]
    write_csv(path, "a,b\n1,0.5\n2,1.5\n3,2.25\n")
    with pytest.raises(ChangedError, match="the content of x changed; the content of w changed"):
        run(lambda x, w: (x * x).sum() * w.sum(), **asked)


def test_a_full_disk_under_the_copy_of_a_csv_file_is_named(tmp_path, monkeypatch):
    path = write_csv(tmp_path / "t.csv", "a\n1\n")
    monkeypatch.setattr("tempfile.TemporaryFile", lambda dir: open("/dev/full", "r+b", buffering=0))  # noqa: SIM115
    with pytest.raises(StorageError, match=r"a copy of an input can't be kept in .*: No space left on device; make room there"):
        open_source("x", f"{path}:a", tmp_path)


CSV_ERRORS = {
    "": "is not a readable CSV file: ",
    "a,b\n1,2\n3\n": "is not a readable CSV file: CSV parse error: ",
    "a,b\n1,2\n,3\n": "t.csv:a: row 1 is null",
    "a,b\n1,2\nNA,3\n": "t.csv:a: row 1 is null",
    "a,b\n1,2\nthree,3\n": "CSV conversion error to double: invalid value 'three'",
    "a,b\none,2\nthree,3\n": "CSV conversion error to double: invalid value 'one'",
    "a,b\n2026-01-01,2\n": "t.csv:a holds date32[day]; a tensor holds",
    "a,b\ntrue,2\n1,2\n2,3\n": "is not a readable CSV file: ",
    "a,a\n1,2\n": "has 2 columns named 'a'",
    "b,c\n1,2\n": "t.csv has no column 'a'; it holds b, c",
    "a;b\n1;2\n": "separates its columns by semicolons",
    b"a,b\n1,2\xff\xfe\n\x00": "is not a readable CSV file: ",
}


@pytest.mark.parametrize(("text", "message"), CSV_ERRORS.items(), ids=list(map(repr, CSV_ERRORS)))
def test_bad_csv_is_one_clear_line(tmp_path, text, message):
    assert message in outcome(f"{write_csv(tmp_path / 't.csv', text)}:a")


# What is wrong with tables


@pytest.mark.parametrize("name", WRITERS)
def test_the_first_null_is_named_when_the_file_is_opened(tmp_path, name):
    values = list(np.arange(float(ROWS)))
    values[617] = values[800] = None
    WRITERS[name](tmp_path / name, pa.table({"a": values, "b": np.arange(ROWS)}))
    assert "a: row 617 is null; leave such rows out or fill them" in outcome(f"{tmp_path}/{name}:a")
    assert "a: row 617 is null" in outcome(f"{tmp_path}/{name}:b,a")
    if name != "small_pages.pq":  # has no statistics
        with pytest.raises(JobError, match="row 617"):
            open_source("x", f"{tmp_path}/{name}:a")
    np.testing.assert_array_equal(outcome(f"{tmp_path}/{name}:b"), np.arange(ROWS))


@pytest.mark.parametrize("name", WRITERS)
def test_ragged_and_null_lists_are_named(tmp_path, name):
    lists = [[1.0, 2.0]] * 900
    columns = {
        "ragged": [*lists[:700], [1.0], *lists[701:]],
        "null": [*lists[:700], None, *lists[701:]],
        "inside": [*lists[:700], [1.0, None], *lists[701:]],
        "deep": [[[1.0], [2.0]]] * 700 + [[[1.0], [2.0, 3.0]]] + [[[1.0], [2.0]]] * 199,
    }
    WRITERS[name](tmp_path / name, pa.table(columns))
    assert "ragged: row 700 has 1 elements and the first row has 2" in outcome(f"{tmp_path}/{name}:ragged")
    assert "null: row 700 is null" in outcome(f"{tmp_path}/{name}:null")
    assert "inside: row 700 contains a null" in outcome(f"{tmp_path}/{name}:inside")
    assert "deep: row 700 contains a row that has 2 elements" in outcome(f"{tmp_path}/{name}:deep")


ERRORS = {
    "": "holds columns; say which one: ",
    "name": "name holds string; a tensor holds float32, float64, int64, int32, bool: convert the column first",
    "prize": "has no column 'prize'; did you mean 'price'? it holds price, single, ",
    "price,nmae": "has no column 'nmae'; did you mean 'name'?",
    "price,": "has no column ''; it holds ",
    "price,vector": "'vector' has rows of lists; only columns of single numbers can be put side by side",
    "price,flag": "puts bool beside numbers; give them as two inputs",
}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize(("selection", "message"), ERRORS.items())
def test_what_is_no_column_is_one_clear_line(tmp_path, name, selection, message):
    WRITERS[name](tmp_path / name, table(5))
    assert message in outcome(f"{tmp_path}/{name}:{selection}")
    if not selection:
        assert message in outcome(f"{tmp_path}/{name}")


def test_types_without_a_tensor_are_refused(tmp_path):
    columns = {
        "half": pa.array(np.zeros(2, dtype=np.float16)),
        "small": pa.array([1, 2], type=pa.int8()),
        "unsigned": pa.array([1, 2], type=pa.uint64()),
        "time": pa.array([1, 2], type=pa.timestamp("s")),
        "money": pa.array([1, 2], type=pa.decimal128(9, 2)),
        "record": pa.array([{"a": 1}, {"a": 2}]),
        "nothing": pa.nulls(2),
        "texts": pa.array([["a"], ["b"]]),
    }
    write_parquet(tmp_path / "t.parquet", pa.table(columns))
    for column in columns:
        assert "; a tensor holds float32, float64, int64, int32, bool" in outcome(f"{tmp_path}/t.parquet:{column}")


def test_whole_numbers_that_would_lose_digits_beside_floats_are_refused(tmp_path):
    write_parquet(tmp_path / "t.parquet", pa.table({"a": [1, 2**53, 2**53 + 1], "b": [0.5, 1.5, 2.5]}))
    assert "t.parquet:a: row 2 is 9007199254740993, which is no float64" in outcome(f"{tmp_path}/t.parquet:b,a")
    np.testing.assert_array_equal(outcome(f"{tmp_path}/t.parquet:a"), [1, 2**53, 2**53 + 1])


def test_two_columns_of_one_name_are_refused(tmp_path):
    twice = pa.table([np.zeros(2), np.ones(2)], names=["a", "a"])
    write_ipc(tmp_path / "t.arrow", twice)
    assert "has 2 columns named 'a'" in outcome(f"{tmp_path}/t.arrow:a")


DAMAGED = ["groups.parquet", "plain.arrow", "packed.ipc"]


@pytest.mark.parametrize("name", DAMAGED)
def test_a_file_cut_off_is_an_error(tmp_path, name):
    path = tmp_path / name
    WRITERS[name](path, table(20))
    whole = path.read_bytes()
    for size in range(0, len(whole), 1 + len(whole) // 60):
        path.write_bytes(whole[:size])
        assert isinstance(outcome(f"{path}:price"), str), size


@pytest.mark.slow
@pytest.mark.parametrize("column", ["price", "list"])
@pytest.mark.parametrize("name", DAMAGED)
def test_a_flipped_byte_is_an_error_or_leaves_an_array(tmp_path, name, column):
    """In a process of its own, since a reader that trusts a damaged file may end it."""
    path = tmp_path / name
    WRITERS[name](path, table(20))
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_sources_tables import outcome
whole = open({str(path)!r}, "rb").read()
for place in range(0, len(whole), 1 + len(whole) // 60):
    for flip in (0x01, 0x80, 0xFF):
        with open({str(path)!r}, "wb") as file:
            file.write(whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1 :])
        outcome({f"{path}:{column}"!r})
"""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_formats_that_are_taken_for_another_are_named(tmp_path):
    with pa.ipc.new_stream(tmp_path / "t.arrow", table(3).schema) as writer:
        writer.write_table(table(3))
    assert "t.arrow is an Arrow IPC stream, not a file" in outcome(f"{tmp_path}/t.arrow:price")
    (tmp_path / "t.feather").write_bytes(b"FEA1....")
    assert "t.feather is Feather version 1" in outcome(f"{tmp_path}/t.feather:price")
    np.save(tmp_path / "t.npy", np.zeros(3))
    (tmp_path / "t.npy").rename(tmp_path / "t.parquet")
    assert "t.parquet is not a readable Parquet file: " in outcome(f"{tmp_path}/t.parquet:price")


@pytest.mark.parametrize("name", ["groups.parquet", "plain.arrow", "packed.ipc"])
def test_a_table_that_changes_while_it_is_read_is_an_error(tmp_path, name):
    path = tmp_path / name
    for change in (lambda: os.truncate(path, 700), lambda: os.utime(path, ns=(1, 1)), path.unlink):
        WRITERS[name](path, table())
        with opened(f"{path}:price") as source:
            source.read(0, 10)
            change()
            with pytest.raises(JobError, match="while the job read it"):
                source.read(10, 20)


def test_csv_may_change_once_it_was_read(tmp_path):
    path = write_csv(tmp_path / "t.csv", "a\n1\n2\n")
    with opened(f"{path}:a") as source:
        before = source.identity()
        write_csv(path, "a\n3\n4\n5\n")
        assert source.read(0, 2).tolist() == [1, 2]
        with pytest.raises(JobError, match="changed while the job read it"):
            source.identity()
    assert before["kind"] == "csv"


# Several files, identities, memory


def test_a_folder_or_a_pattern_of_parts(tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    written = table()
    for number in (2, 0, 1):
        write_parquet(folder / f"part-{number}.parquet", written.slice(number * 400, 400))
    (folder / "_SUCCESS").write_bytes(b"")
    (folder / ".part.parquet.crc").write_bytes(b"")
    for location in (f"{folder}:price", f"{folder}/:price", f"{folder}/part-*.parquet:price"):
        require_equal(location, as_numpy(written, "price"))
    folder.rename(tmp_path / "parts.parquet")
    require_equal(f"{tmp_path}/parts.parquet:label", as_numpy(written, "label"))


@pytest.mark.parametrize("name", WRITERS)
def test_identity_changes_with_the_data_and_the_columns(tmp_path, name):
    for file, rows in (("a", 10), ("b", 10), ("c", 11)):
        (tmp_path / file).mkdir()
        WRITERS[name](tmp_path / file / name, table(rows))

    def identity(location):
        with opened(location) as source:
            return source.identity()

    first = identity(f"{tmp_path}/a/{name}:price")
    assert first == identity(f"{tmp_path}/b/{name}:price")
    assert first != identity(f"{tmp_path}/c/{name}:price")
    assert first != identity(f"{tmp_path}/a/{name}:label")


def test_shared_columns_are_read_whole(tmp_path):
    write_parquet(tmp_path / "t.parquet", table())
    np.testing.assert_array_equal(read_shared("w", f"{tmp_path}/t.parquet:vector"), as_numpy(table(), "vector"))
    write_csv(tmp_path / "t.csv", "a\n1\n2\n")
    np.testing.assert_array_equal(read_shared("w", tmp_path / "t.csv:a"), [1, 2])


MEMORY = """
import resource, sys
import numpy as np
from tapediff.jobs.sources import open_source
import pyarrow.csv, pyarrow.ipc, pyarrow.parquet
source = open_source("x", sys.argv[1])
source.read(0, 10_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
total = 0.0
for first in range(0, source.length, 10_000):
    total += source.read(first, min(first + 10_000, source.length)).sum()
source.close()
print(total, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", [*DAMAGED, "one_group.parquet", "x.npy", "packed.npz", "t.csv"])
def test_reading_a_long_file_takes_the_memory_of_a_piece(tmp_path, name):
    rows = 12_000_000 if not name.endswith("csv") else 3_000_000
    values = np.random.default_rng(0).integers(0, 1000, rows).astype(np.float64)  # 96 MB
    path = tmp_path / name
    if name.endswith("parquet"):
        write_parquet(path, pa.table({"a": values}), use_dictionary=False, row_group_size=rows if "one" in name else 100_000)
    elif name.endswith("npy"):
        np.save(path, values)
    elif name.endswith("npz"):
        np.savez_compressed(path, a=values)
    elif name.endswith("csv"):
        csv.write_csv(pa.table({"a": values}), path)
    else:
        is_packed = "packed" in name
        write_ipc(path, pa.table({"a": values}), compression="lz4" if is_packed else None, rows=100_000 if is_packed else rows)
    location = str(path) if name.endswith("npy") else f"{path}:a"
    command, environment = [sys.executable, "-c", MEMORY, location], os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    total, megabytes = map(float, done.stdout.split())
    assert total == values.sum()
    assert megabytes < 24


# Zarr


@pytest.fixture
def zarr():
    return pytest.importorskip("zarr", reason="reading Zarr needs the extra jobs")


def test_zarr_arrays(tmp_path, zarr):
    array = np.arange(3000.0).reshape(1000, 3)
    zarr.create_array(f"{tmp_path}/one.zarr", data=array, chunks=(130, 2))
    require_equal(f"{tmp_path}/one.zarr", array)
    require_equal(f"{tmp_path}/one.zarr/", array)
    zarr.save_group(f"{tmp_path}/group.zarr", a=array.astype(np.float32), b=np.arange(5))
    require_equal(f"{tmp_path}/group.zarr:a", array.astype(np.float32))
    assert "say which one: " in outcome(f"{tmp_path}/group.zarr")
    assert "has no array 'c'; it holds a, b" in outcome(f"{tmp_path}/group.zarr:c")
    assert "is one array; leave out ':c'" in outcome(f"{tmp_path}/one.zarr:c")
    assert "gone.zarr does not exist" in outcome(f"{tmp_path}/gone.zarr")
    (tmp_path / "empty.zarr").mkdir()
    assert "empty.zarr is not a readable Zarr store" in outcome(f"{tmp_path}/empty.zarr")
    zarr.save_array(f"{tmp_path}/half.zarr", array.astype(np.float16))
    assert "x has dtype float16" in outcome(f"{tmp_path}/half.zarr")


def test_damaged_zarr_chunks_are_an_error(tmp_path, zarr):
    zarr.create_array(f"{tmp_path}/x.zarr", data=np.arange(3000.0), chunks=(3000,))
    (chunk,) = [path for path in (tmp_path / "x.zarr").rglob("*") if path.is_file() and path.name != "zarr.json"]
    with opened(f"{tmp_path}/x.zarr") as source:
        before = source.identity()
    chunk.write_bytes(chunk.read_bytes()[:100])
    assert "x.zarr can't be read from row 0 to 3000" in outcome(f"{tmp_path}/x.zarr")
    with opened(f"{tmp_path}/x.zarr") as source:
        assert source.identity() != before


@pytest.mark.parametrize(
    ("package", "location"), [("pyarrow", "t.parquet:a"), ("pyarrow", "t.arrow:a"), ("pyarrow", "t.csv:a"), ("zarr", "t.zarr")]
)
def test_without_its_package_a_format_names_the_extra(tmp_path, monkeypatch, package, location):
    (tmp_path / location.partition(":")[0]).write_bytes(b"")
    for module in [module for module in sys.modules if module.partition(".")[0] == package]:
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setitem(sys.modules, package, None)
    found = outcome(f"{tmp_path}/{location}")
    assert f"needs the package {package}, which is not installed: pip install 'tapediff[jobs]'" in found
