"""The library of kernels and its cache on disk."""

import ast
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import tapediff.kernels.library
from tapediff.kernels.cache import ObjectCache, default_directory
from tapediff.kernels.calling import call_kernel
from tapediff.kernels.library import KernelLibrary, KernelSpec

SQUARE = KernelSpec("square", "forward", ("float64",), "float64")
CUBE_PARTS = [KernelSpec("mul", which, ("float64", "float64"), "float64") for which in ("forward", "reverse", "tangent")]


def squares_correctly(library):
    y = np.zeros(11)
    call_kernel(library, SQUARE, 11, y=y, a=np.arange(11.0))
    return np.array_equal(y, np.arange(11.0) ** 2)


@pytest.fixture
def refuse_to_compile(monkeypatch):
    def refuse(self, symbols):
        raise AssertionError(f"compiled {list(symbols)}")

    return lambda: monkeypatch.setattr(KernelLibrary, "compile", refuse)


def test_a_second_library_loads_what_the_first_built(tmp_path, refuse_to_compile):
    KernelLibrary(tmp_path).addresses([SQUARE, *CUBE_PARTS])
    refuse_to_compile()
    warm = KernelLibrary(tmp_path)
    assert len(set(warm.addresses([*CUBE_PARTS, SQUARE]))) == 4
    assert squares_correctly(warm)


def test_only_the_missing_kernels_are_built(tmp_path, monkeypatch):
    KernelLibrary(tmp_path).addresses([SQUARE])
    built = []
    compile_ = KernelLibrary.compile
    monkeypatch.setattr(KernelLibrary, "compile", lambda self, symbols: (built.extend(symbols), compile_(self, symbols))[1])
    KernelLibrary(tmp_path).addresses([SQUARE, CUBE_PARTS[0]])
    assert built == [CUBE_PARTS[0]]


def test_an_address_is_given_once_and_for_all():
    library = KernelLibrary(None)
    first = library.addresses([SQUARE, SQUARE])
    library.addresses(CUBE_PARTS)
    assert first[0] == first[1] == library.addresses([SQUARE])[0]


@pytest.mark.parametrize(
    "damage", [lambda content: content[: len(content) // 2], lambda content: b"foreign", lambda content: b""]
)
@pytest.mark.parametrize("suffix", ["*.o", "*.k"])
def test_a_damaged_file_is_built_anew(tmp_path, refuse_to_compile, damage, suffix):
    KernelLibrary(tmp_path).addresses([SQUARE])
    for file in tmp_path.glob(suffix):
        file.write_bytes(damage(file.read_bytes()))
    assert squares_correctly(KernelLibrary(tmp_path))
    refuse_to_compile()
    assert squares_correctly(KernelLibrary(tmp_path))


def test_one_changed_byte_of_object_code_is_noticed(tmp_path):
    KernelLibrary(tmp_path).addresses([SQUARE])
    (file,) = tmp_path.glob("*.o")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    assert squares_correctly(KernelLibrary(tmp_path))


def test_a_directory_that_cannot_be_written_costs_nothing_but_speed(tmp_path):
    occupied = tmp_path / "occupied"
    occupied.write_text("a file where the directory should be")
    assert squares_correctly(KernelLibrary(occupied))
    assert squares_correctly(KernelLibrary(occupied / "below"))


def test_another_compiler_or_source_finds_nothing(tmp_path, monkeypatch):
    KernelLibrary(tmp_path).addresses([SQUARE])
    built = []
    compile_ = KernelLibrary.compile
    monkeypatch.setattr(KernelLibrary, "compile", lambda self, symbols: (built.extend(symbols), compile_(self, symbols))[1])
    monkeypatch.setattr("tapediff.kernels.library.llvmlite.__version__", "another")
    KernelLibrary(tmp_path).addresses([SQUARE])
    assert built == [SQUARE]


def test_the_files_longest_unused_go_first(tmp_path):
    cache = ObjectCache(tmp_path, limit=4 * 4096)
    for age, key in enumerate(["oldest", "middle", "newest"]):
        cache.store({key: "symbol"}, key.encode() * 100)
        for file in [*tmp_path.glob("*.o"), *tmp_path.glob("*.k")]:
            if file.stat().st_mtime > 2000:
                os.utime(file, (1000 + age, 1000 + age))
    assert set(cache.find(["oldest", "middle", "newest"])) == {"middle", "newest"}


def test_using_an_object_renews_it(tmp_path):
    cache = ObjectCache(tmp_path)
    cache.store({"key": "symbol"}, b"code")
    (file,) = tmp_path.glob("*.o")
    os.utime(file, (1000, 1000))
    cache.find(["key"])
    assert file.stat().st_mtime > 1000


def test_no_temporary_files_are_left(tmp_path):
    KernelLibrary(tmp_path).addresses([SQUARE, *CUBE_PARTS])
    assert {file.suffix for file in tmp_path.iterdir()} == {".o", ".k"}


def test_threads_that_ask_at_once_build_once(monkeypatch):
    library = KernelLibrary(None)
    start = threading.Barrier(8)
    built = []
    compile_ = KernelLibrary.compile

    def compile_slowly(self, symbols):
        built.extend(symbols)
        time.sleep(0.05)
        return compile_(self, symbols)

    monkeypatch.setattr(KernelLibrary, "compile", compile_slowly)

    def ask(_):
        start.wait()
        return tuple(library.addresses([SQUARE, *CUBE_PARTS]))

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(ask, range(8)))) == 1
    assert built == [SQUARE, *CUBE_PARTS]


def test_the_directory_is_chosen_by_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("TAPEDIFF_CACHE_DIR", str(tmp_path))
    assert default_directory() == tmp_path
    monkeypatch.delenv("TAPEDIFF_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if sys.platform == "linux":
        assert default_directory() == tmp_path / "tapediff"


@pytest.mark.parametrize(
    ("modules", "heavy"),
    [
        (["ops/op", "ops/elementwise"], {"numpy", "scipy", "llvmlite", "numba"}),
        (
            ["kernels/library", "kernels/cache", "kernels/loop", "kernels/formula", "kernels/instructions", "kernels/functions"],
            {"scipy", "numba"},
        ),
    ],
)
def test_the_table_and_the_library_import_nothing_heavy(modules, heavy):
    package = Path(tapediff.kernels.library.__file__).parent.parent
    for module in modules:
        tree = ast.parse((package / module).with_suffix(".py").read_text())
        names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not heavy & {name.split(".")[0] for name in names}, module
