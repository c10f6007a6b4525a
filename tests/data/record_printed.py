"""Records in printed.json what PyTorch 2.13 prints for a few hundred tensors: run `python tests/data/record_printed.py`.

A case is the values (written out, or a pattern for `array_of` to expand), the dtype, the options of `set_printoptions`, and what
the tensor is besides its values; `text` is PyTorch's answer. Recording again gives the same file, byte for byte.
"""

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

RECORD = Path(__file__).with_name("printed.json")
Case = dict[str, Any]

VECTORS = [
    "0.0", "-0.0", "1.0", "-1.0", "1.5", "0.1", "nan", "inf", "-inf", "1e-07", "123456789.0", "1e+10", "16777217.0",
    "1e-45", "3e+38", "1.0 2.0", "-0.0 1.0", "0.0 0.0 0.0", "0.0 -2.5", "-1.0 10.0 -100.0", "0.25 -0.5 12.75", "1.0 nan -inf",
    "1.5 nan -inf", "nan inf", "0.0 nan -0.0", "nan 1000000.0", "nan -1e-06", "inf 1e+09 1.0",
    "0.1 100.0", "0.1 101.0", "1.0 1000.0", "1.0 1001.0", "0.5 500.0", "0.5 500.5", "0.5 500.00003",
    "100000000.0", "100000008.0", "1000000.0 100000000.0", "100000000.0 99999992.5", "1.5 100000000.0",
    "0.0001", "0.00010001", "0.00009", "0.0001 0.01", "1e-05 0.0 0.0", "0.99999", "0.99995", "0.00005 1.0", "9999.99999",
    "0.33333334 0.6666667", "3.1415927 -2.7182817", "0.1 0.2 0.30000001", "1e-38 1e-39",
    "1.17549435e-38 0.0", "3.4028235e+38 -3.4028235e+38",
    "1.0 2.0 3.0 4.0 5.0 6.0 7.0 8.0 9.0 10.0 11.0 12.0 13.0 14.0 15.0 16.0 17.0",
    "0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.0",
    "nan nan nan nan nan nan nan nan nan nan nan nan nan nan nan nan nan nan nan nan nan nan nan nan nan nan nan",
    "0.5 1.5 2.5 3.5 4.5 5.5 6.5 7.5 8.5 9.5 nan",
]  # fmt: skip
DOUBLE_VECTORS = [
    "1e+300 1e-300", "1e-320", "0.1 0.30000000000000004", "1e+15 1.0", "1e-05", "0.0001", "9.999999999e-05",
    "1.7976931348623157e+308",
]  # fmt: skip
SMALL_INTEGER_VECTORS = ["0", "-1", "7", "1 2 3", "-1 10 200", "2147483647 -2147483648"]
INTEGER_VECTORS = [*SMALL_INTEGER_VECTORS, "100000000000 1", "-9223372036854775808 9223372036854775807"]
SHAPES = [(2, 3), (1, 1), (3, 1), (1, 20), (2, 20), (5, 12), (2, 2, 3), (1, 3, 1), (2, 1, 1, 4), (2, 2, 2, 2), (1, 2, 1, 2, 1)]
EMPTY_SHAPES = [(0,), (0, 3), (3, 0), (2, 0, 3), (0, 0), (1, 1, 1, 0)]
LARGE_SHAPES = [(1001,), (2000,), (4, 1001), (1001, 2), (2, 3, 400), (20, 60), (9, 13, 11), (7, 7, 7, 7), (1, 1, 1, 1200)]
SCALES = [1.0, 0.5, -0.001, 1e-09, 12345.678]
OPTIONS: list[Case] = [
    {"precision": 0},
    {"precision": 2},
    {"precision": 10},
    {"threshold": 5},
    {"threshold": 7},
    {"threshold": 0, "edgeitems": 0},
    {"threshold": 5, "edgeitems": 1},
    {"threshold": 0, "edgeitems": 2},
    {"threshold": 5, "edgeitems": 0},
    {"edgeitems": 0},
    {"linewidth": 40},
    {"linewidth": 120},
    {"linewidth": 1},
    {"sci_mode": True},
    {"sci_mode": False},
    {"sci_mode": True, "precision": 1},
    {"profile": "short"},
    {"profile": "full"},
    {"profile": "default"},
    {"profile": "short", "precision": 6, "linewidth": 60},
]
FORMATS = ["", ".3f", ">12", "e", "+.1f", "d", "x", "s"]


def array_of(case: Case) -> np.ndarray:
    """Return the values of a case: those written out, or `(k * 7919 + start) % 10007 - shift`, times `scale`, for element k."""
    dtype = np.dtype(case["dtype"])
    if "values" in case:
        elements: Any = [(float if dtype.kind == "f" else int)(word) for word in case["values"].split()]
    else:
        pattern = case["pattern"]
        elements = (np.arange(np.prod(case["shape"])) * 7919 + pattern["start"]) % 10007 - pattern["shift"]
        elements = elements % 3 == 0 if dtype.kind == "b" else elements * pattern["scale"]
    return np.array(elements).astype(dtype).reshape(case["shape"])


def cases() -> Iterator[Case]:
    """Yield every case without its text; a key that is absent has the value that it has for a plain float32 tensor."""
    vectors = {
        "float32": VECTORS,
        "float64": VECTORS + DOUBLE_VECTORS,
        "int64": INTEGER_VECTORS,
        "int32": SMALL_INTEGER_VECTORS,
        "bool": ["0", "1", "0 0", "1 1", "1 0 1"],
    }
    for dtype, rows in vectors.items():
        for words in rows:
            size = len(words.split())
            yield {"dtype": dtype, "shape": [size], "values": words}
            if size == 1:
                yield {"dtype": dtype, "shape": [], "values": words}
    for start, (shape, scale) in enumerate(product(SHAPES, SCALES)):
        yield {"dtype": "float32", "shape": [*shape], "pattern": {"start": start, "shift": 5000, "scale": scale}}
    for shape, dtype in product(SHAPES, ["float64", "int64", "int32", "bool"]):
        yield {"dtype": dtype, "shape": [*shape], "pattern": {"start": 3, "shift": 90, "scale": 1}}
    for shape, dtype in product(LARGE_SHAPES, ["float32", "float64", "int64", "bool"]):
        scale = 0.5 if dtype == "float32" else 1
        yield {"dtype": dtype, "shape": [*shape], "pattern": {"start": 17, "shift": 700, "scale": scale}}
    for shape, dtype in product(EMPTY_SHAPES, ["float32", "float64", "int64", "int32", "bool"]):
        yield {"dtype": dtype, "shape": [*shape], "values": ""}
    yield from _cases_with_options()
    yield from _cases_with_suffixes()


def _cases_with_options() -> Iterator[Case]:
    examples: list[Case] = [
        {"dtype": "float32", "shape": [], "values": "0.33333"},
        {"dtype": "float32", "shape": [7], "values": "1.0 2.0 -3.0 4.0 5.0 6.0 7.0"},
        {"dtype": "float32", "shape": [6], "values": "0.5 -0.0 1e-06 nan inf 20.125"},
        {"dtype": "float64", "shape": [3, 8], "pattern": {"start": 0, "shift": 5000, "scale": 0.013}},
        {"dtype": "int64", "shape": [2, 7, 7], "pattern": {"start": 0, "shift": 5000, "scale": 1}},
        {"dtype": "float32", "shape": [1002], "pattern": {"start": 5, "shift": 100, "scale": 0.25}},
        {"dtype": "bool", "shape": [7], "values": "1 0 0 1 0 0 1"},
        {"dtype": "float32", "shape": [0, 2], "values": ""},
    ]
    for options, example in product(OPTIONS, examples):
        if options.get("profile") != "full" or example["shape"] != [1002]:
            yield {**example, "options": options}
    yield {"dtype": "bool", "shape": [1002], "pattern": {"start": 5, "shift": 100, "scale": 1}, "options": {"profile": "full"}}


def _cases_with_suffixes() -> Iterator[Case]:
    for size, dtype in product([0, 1, 10, 12, 13, 17, 18, 25, 26], ["float32", "float64"]):
        ones: Case = {"dtype": dtype, "shape": [size], "values": " ".join(["1.0"] * size)}
        yield {**ones, "requires_grad": True}
        yield {**ones, "requires_grad": True, "default_dtype": "float64"}
        yield {**ones, "grad_fn": "MulBackward0"}
        yield {**ones, "parameter": True, "requires_grad": True}
    for length in [12, 23, 24, 25, 32, 33, 34, 35, 36, 41, 42, 43, 44, 45, 46, 80]:
        name = "A" * length + "Backward"
        yield {"dtype": "float32", "shape": [], "values": "1.0", "grad_fn": name}
        yield {"dtype": "float64", "shape": [1], "values": "1.5", "grad_fn": name}
        yield {"dtype": "float64", "shape": [2, 14], "values": " ".join(["0.25"] * 28), "grad_fn": name}
        yield {"dtype": "float64", "shape": [17], "values": " ".join(["1.0"] * 17), "grad_fn": name}
        yield {"dtype": "float64", "shape": [2, 0], "values": "", "grad_fn": name}
        yield {"dtype": "float64", "shape": [2], "values": "1.5 2.5", "grad_fn": name, "options": {"linewidth": 50}}
    yield {"dtype": "float32", "shape": [2, 2], "values": "1.0 2.0 3.0 4.0", "parameter": True}
    yield {"dtype": "float64", "shape": [0, 2], "values": "", "parameter": True, "requires_grad": True}
    for dtype, default_dtype in product(["float32", "float64", "int64", "int32", "bool"], ["float32", "float64"]):
        yield {"dtype": dtype, "shape": [2], "values": "1 0", "default_dtype": default_dtype}
        yield {"dtype": dtype, "shape": [0], "values": "", "default_dtype": default_dtype}
    for size in [3, 30]:
        yield {"dtype": "float32", "shape": [size], "values": " ".join(["0.5"] * size), "subclass": "Angle"}


def format_cases() -> Iterator[Case]:
    """Yield the arguments of `format(tensor, spec)`, for Tensor and Parameter."""
    examples: list[Case] = [
        {"dtype": "float32", "shape": [], "values": "0.1"},
        {"dtype": "float64", "shape": [], "values": "-1234.5"},
        {"dtype": "float32", "shape": [], "values": "nan"},
        {"dtype": "int64", "shape": [], "values": "42"},
        {"dtype": "bool", "shape": [], "values": "1"},
        {"dtype": "float32", "shape": [2], "values": "0.5 1.0"},
        {"dtype": "float32", "shape": [1], "values": "0.5"},
        {"dtype": "float32", "shape": [0], "values": ""},
        {"dtype": "float32", "shape": [], "values": "0.1", "parameter": True, "requires_grad": True},
    ]
    for example, spec in product(examples, FORMATS):
        yield {**example, "spec": spec}


def torch_tensor(case: Case) -> Any:
    """Return the tensor of a case; a `grad_fn` that ends in "Backward" belongs to a `Function` of that name."""
    import torch

    tensor = torch.from_numpy(array_of(case))
    if "grad_fn" in case:
        leaf = tensor.requires_grad_()
        name = case["grad_fn"]
        return leaf * 1 if name == "MulBackward0" else _identity_called(name.removesuffix("Backward")).apply(leaf)
    if "subclass" in case:
        return tensor.as_subclass(type(case["subclass"], (torch.Tensor,), {}))
    requires_grad = case.get("requires_grad", False)
    return torch.nn.Parameter(tensor, requires_grad) if case.get("parameter") else tensor.requires_grad_(requires_grad)


def _identity_called(name: str) -> Any:
    import torch

    def forward(context: Any, values: Any) -> Any:
        return values.clone()

    def backward(context: Any, adjoint: Any) -> Any:
        return adjoint

    return type(name, (torch.autograd.Function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)})


def torch_text(case: Case) -> str:
    """Return what PyTorch prints for a case, and leave its options at their defaults."""
    import torch

    default_dtype = torch.get_default_dtype()
    try:
        torch.set_printoptions(**case.get("options", {}))
        torch.set_default_dtype(getattr(torch, case.get("default_dtype", "float32")))
        return repr(torch_tensor(case))
    finally:
        torch.set_printoptions(profile="default")
        torch.set_default_dtype(default_dtype)


def torch_format(case: Case) -> Case:
    """Return the text that PyTorch formats, or the error that it raises."""
    try:
        return {"text": format(torch_tensor(case), case["spec"])}
    except (TypeError, ValueError) as error:
        return {"error": type(error).__name__, "message": str(error)}


def recorded() -> str:
    """Return the contents of printed.json, one case to a line."""
    import torch

    head = {"recorded_by": "python tests/data/record_printed.py", "torch": torch.__version__}
    lists = {
        "cases": [{**case, "text": torch_text(case)} for case in cases()],
        "formats": [{**case, **torch_format(case)} for case in format_cases()],
    }
    members = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in head.items()]
    members += [f"{json.dumps(name)}: [\n" + ",\n".join(map(json.dumps, rows)) + "\n]" for name, rows in lists.items()]
    return "{\n" + ",\n".join(members) + "\n}\n"


if __name__ == "__main__":
    RECORD.write_text(recorded())
