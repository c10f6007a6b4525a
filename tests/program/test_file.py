"""Program files: what is loaded computes the same bits; what is no program is refused, whatever its bytes say."""

import errno
import hashlib
import json
import os
import random
import subprocess
import sys
from collections import OrderedDict, namedtuple

import numpy as np
import pytest

import tapediff as td
from tapediff.errors import ProgramFileError, TapediffError
from tapediff.program import container
from tapediff.program.container import decoded_attribute, encoded_attribute, read, write

Point = namedtuple("Point", "x y")


def steps(x, w):
    y = (x @ w).tanh() * 3 + 0.1
    if y.sum() > 0:
        y = y * x.exp().sum()
    y = y[:, :1].clone() + y.max(0).values
    for _ in range(int(w[0, 0])):
        y = y / 2
    return {"total": y.sum(), "parts": (y, [x.argmax(1), y > 0])}


ARGUMENTS = (np.array([[1.0, -2.0], [0.5, 3.0], [0.25, -0.0]]), np.array([[2.0, 1.0], [-1.0, 0.5]]))


@pytest.fixture
def program():
    return td.record(steps, *ARGUMENTS)


@pytest.fixture
def path(program, tmp_path):
    program.save(tmp_path / "steps.td")
    return tmp_path / "steps.td"


def same_bits(first, second):
    from tapediff.nested import flatten
    (a, structure_a), (b, structure_b) = flatten(first), flatten(second)
    return structure_a == structure_b and [bits(x) for x in a] == [bits(y) for y in b]


def bits(value):
    array = np.asarray(value)
    return array.dtype, array.shape, array.tobytes()


# --- round trips ----------------------------------------------------------------------------------------------------------------

def test_a_loaded_program_gives_the_same_bits(program, path):
    loaded = td.load_program(path)
    assert same_bits(loaded(*ARGUMENTS), program(*ARGUMENTS))
    assert str(loaded) == str(program)
    assert loaded.inputs == program.inputs
    assert [str(guard) for guard in loaded.guards] == [str(guard) for guard in program.guards]
    rows = np.linspace(-1, 1, 60).reshape(10, 3, 2)
    batches = [some.batch(in_dims=(0, None))(rows, ARGUMENTS[1], mask=True) for some in (loaded, program)]
    assert same_bits(*batches)


def test_gradients_of_a_loaded_program_have_the_same_bits(tmp_path):
    program = td.record(lambda x, p: ((x * p["w"]).sin() + p["b"]).logsumexp(0), np.arange(5.0), {"w": np.arange(5.0), "b": 0.5})
    program.save(tmp_path / "f")
    loaded = td.Program.load(tmp_path / "f")
    arguments = (np.arange(5.0) / 3, {"w": np.arange(5.0), "b": 0.25})
    assert same_bits(loaded.value_and_grad(*arguments, argnums=(0, 1)), program.value_and_grad(*arguments, argnums=(0, 1)))


def test_a_loaded_program_is_saved_to_the_same_bytes(path, tmp_path):
    td.load_program(path).save(tmp_path / "again.td")
    assert (tmp_path / "again.td").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("value", [0.0, -0.0, np.inf, -np.inf, np.nan, 5e-324, 1 / 3, np.float32(1 / 3), True, 2**62,
                                   np.int32(-7)])
def test_constants_keep_their_bits(value, tmp_path):
    constant = td.tensor(np.array([value]))
    program = td.record(lambda x: (x, constant), 1.0)
    program.save(tmp_path / "f")
    assert same_bits(td.load_program(tmp_path / "f")(1.0), program(1.0))


@pytest.mark.parametrize("attribute", [
    0, 1, True, False, None, "mean", 0.0, -0.0, 1.0, float("inf"), float("-inf"), float("nan"), 5e-324, 1 / 3, -(2**70), (),
    ((),),    (1, (True, 1.0, None), "x"), np.float32(0.1), np.int64(3), "\u2028\"\\",
])
def test_attributes_keep_value_and_type(attribute):
    text = json.dumps(encoded_attribute(attribute), allow_nan=False)
    wished = attribute.item() if isinstance(attribute, np.generic) else attribute
    assert repr(decoded_attribute(json.loads(text))) == repr(wished)


@pytest.mark.parametrize("nest", [
    (1.0, 2.0), [1.0, [2.0]], {"b": 1.0, "a": 2.0}, {1: 1.0, (2, "x"): 2.0}, OrderedDict(z=1.0, y=2.0), Point(1.0, (2.0,)), (),
    3.0,
])
def test_nests_of_arguments_and_results(nest, tmp_path):
    program = td.record(lambda x: (x, 1.0), nest)
    program.save(tmp_path / "f")
    loaded = td.load_program(tmp_path / "f")
    assert str(loaded(nest)) == str(program(nest))


def test_results_that_have_names_keep_them(tmp_path):
    td.record(lambda x: x.max(0), np.array([1.0, 3.0])).save(tmp_path / "f")
    loaded = td.load_program(tmp_path / "f")(np.array([5.0, 2.0]))
    assert (loaded.values, loaded.indices) == (5.0, 0)


class Mine(dict):
    pass


def test_containers_of_ones_own_are_refused_when_saving(tmp_path):
    program = td.record(lambda x: x["a"] * 2, Mine(a=1.0))
    with pytest.raises(ProgramFileError, match="Mine"):
        program.save(tmp_path / "f")
    assert not list(tmp_path.iterdir())


def test_a_program_without_instructions_and_empty_arrays(tmp_path):
    td.record(lambda x: x, np.zeros((0, 3))).save(tmp_path / "f")
    assert td.load_program(tmp_path / "f")(np.zeros((0, 3))).shape == (0, 3)


def test_large_constants_lie_at_multiples_of_64_bytes(tmp_path):
    big = td.tensor(np.arange(1000.0))
    td.record(lambda x: x * big + 0.3, 1.0).save(tmp_path / "f")
    data = (tmp_path / "f").read_bytes()
    assert data.find(np.arange(1000.0).tobytes()) % 64 == 0


def test_a_file_loads_where_the_function_is_not(path):
    arguments = [array.tolist() for array in ARGUMENTS]
    code = ("import numpy as np, tapediff as td\n"
            f"print(td.load_program({str(path)!r})(*[np.array(argument) for argument in {arguments!r}])['total'])")
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == str(td.load_program(path)(*ARGUMENTS)["total"])


def test_the_same_program_gives_the_same_file(tmp_path):
    for name in "ab":
        td.record(steps, *ARGUMENTS).save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


# --- refusals -------------------------------------------------------------------------------------------------------------------

def test_the_error_is_a_value_error_of_ours(tmp_path):
    assert issubclass(ProgramFileError, ValueError)
    assert issubclass(ProgramFileError, TapediffError)


def test_every_flipped_byte_is_noticed(tmp_path):
    td.record(lambda x: x * 2 if x > 0 else x, 1.0).save(tmp_path / "f")
    good = (tmp_path / "f").read_bytes()
    for position in range(len(good)):
        bad = bytearray(good)
        bad[position] ^= 1 << position % 8
        (tmp_path / "f").write_bytes(bad)
        with pytest.raises(ProgramFileError):
            td.load_program(tmp_path / "f")


def test_every_truncation_is_noticed(tmp_path):
    td.record(lambda x: x * 2, 1.0).save(tmp_path / "f")
    good = (tmp_path / "f").read_bytes()
    for length in range(len(good)):
        (tmp_path / "f").write_bytes(good[:length])
        with pytest.raises(ProgramFileError):
            td.load_program(tmp_path / "f")
    (tmp_path / "f").write_bytes(good + b"\0")
    with pytest.raises(ProgramFileError, match="appended"):
        td.load_program(tmp_path / "f")


@pytest.mark.parametrize(("content", "words"), [
    (b"", "is empty"), (b"PK\3\4 this is a zip file, " * 10, "not a program file"), (container.MAGIC, "cut off"),
    (container.MAGIC + (2).to_bytes(4, "little") + bytes(80), "newer tapediff"),
    (container.MAGIC + (1).to_bytes(4, "little") + bytes(4) + b"\xff" * 8 + (96).to_bytes(8, "little") + bytes(64), "damaged"),
])
def test_foreign_files_are_refused(content, words, tmp_path):
    (tmp_path / "f").write_bytes(content)
    with pytest.raises(ProgramFileError, match=words):
        td.load_program(tmp_path / "f")


def test_places_where_no_file_is(tmp_path):
    with pytest.raises(FileNotFoundError):
        td.load_program(tmp_path / "none")
    with pytest.raises(ProgramFileError, match="directory"):
        td.load_program(tmp_path)
    with pytest.raises(ProgramFileError, match="directory"):
        td.record(lambda x: x, 1.0).save(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ProgramFileError, match="device"):
        td.load_program(tmp_path / "pipe")


def test_a_file_that_may_not_be_read(path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")
    monkeypatch.setattr(container, "open", refuse, raising=False)  # root may read everything
    with pytest.raises(ProgramFileError, match="Permission denied"):
        td.load_program(path)


def rewritten(path, change):
    """The file with its content changed and its checksum right."""
    header, sections = read(path)
    sections = {name: array.copy() for name, array in sections.items()}
    change(header, sections)
    write(path, header, sections)
    return path


def set_entry(section, index, value):
    def change(header, sections):
        sections[section][index] = value
    return change


def set_header(value, *keys):
    def change(header, sections):
        place = header
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = value
    return change


@pytest.mark.parametrize(("change", "words"), [
    (set_header("no_such_op", "ops", 0, "op"), "no_such_op"),
    (set_header([[2, 2], "float64"], "specs", 0), "cannot be|shape"),
    (set_header([[2, -2], "float64"], "specs", 0), "no shape"),
    (set_header([[1 << 60], "float64"], "specs", 0), "array of shape"),
    (set_header([[2], "float16"], "specs", 0), "no shape and dtype"),
    (set_header("x", "outputs", 0), "no value"),
    (set_header(99, "outputs", 0), "no value"),
    (set_header(1 << 40, "ops", 0, "flows"), "gradients flow"),
    (set_header(["tuple", [], ["*"]], "inputs"), "inputs"),
    (set_header("*", "results"), "outputs are not"),
    (set_header(["set", [], []], "results"), "container called .set."),
    (set_header([], "examples"), "examples"),
    (set_header(None, "name"), "string"),
    (set_entry("operands", 0, 0), "no earlier value"),
    (set_entry("operands", 1, -9999), "no earlier value"),
    (set_entry("operands", 0, -2), "shape and dtype"),
    (set_entry("instructions", 0, 9999), "operation 9999"),
    (set_entry("instructions", 0, -1), "operation -1"),
    (set_entry("leaves", (0, 0), 7), "kind 7"),
    (set_entry("leaves", (0, 2), 5), "inputs"),
    (set_entry("guards", (0, 1), 9999), "guard"),
    (set_entry("guards", (0, 3), 9999), "guard"),
    (set_entry("value_offsets", 0, 1 << 62), "outside"),
    (set_entry("value_offsets", 0, -8), "outside"),
    (lambda header, sections: header.pop("ops"), "ops"),
    (lambda header, sections: sections.pop("leaves"), "leaves"),
])
def test_a_file_that_says_what_cannot_be_is_refused(change, words, path):
    with pytest.raises(ProgramFileError, match=words):
        td.load_program(rewritten(path, change))


@pytest.mark.parametrize(("function", "op", "attributes"), [
    (lambda x: x.t() * 2, "t", [[3, 2], [1, 3], 1]),
    (lambda x: x.t() * 2, "t", [[3, 2], [1, 1 << 40], 0]),
    (lambda x: x.t() * 2, "t", [[3, 2], [1, -3], 3]),
    (lambda x: x.t() * 2, "t", [[3, 2], [1], 0]),
    (lambda x: x.reshape(3, 2).sin(), "view", [[3, 2], [1, 3], 0]),
    (lambda x: x.sum(), "sum", [[0, 7], False]),
    (lambda x: x.softmax(1), "softmax", 5),
    (lambda x: x.softmax(1), "softmax", -1),
])
def test_attributes_that_reach_outside_of_memory_are_refused(function, op, attributes, tmp_path):
    def change(header, sections):
        (entry,) = [entry for entry in header["ops"] if entry["op"] == op]
        entry["attributes"] = attributes

    td.record(function, np.arange(6.0).reshape(2, 3)).save(tmp_path / "f")
    td.load_program(tmp_path / "f")
    with pytest.raises(ProgramFileError, match="cannot be"):
        td.load_program(rewritten(tmp_path / "f", change))


def test_factors_whose_inner_sizes_differ_are_refused(tmp_path):
    def change(header, sections):
        header["specs"][[entry[0] for entry in header["specs"]].index([3, 4])][0] = [2000, 4]
    td.record(lambda a, b: a @ b, np.ones((2, 3)), np.ones((3, 4))).save(tmp_path / "f")
    with pytest.raises(ProgramFileError):
        td.load_program(rewritten(tmp_path / "f", change))


def test_names_cannot_speak_to_a_terminal(path):
    loaded = td.load_program(rewritten(path, set_header("\x1b[2Jf", "name")))
    assert "\x1b" not in str(loaded)


def test_a_file_makes_us_read_no_other_file(path, tmp_path):
    (tmp_path / "secret.txt").write_text("secret\n")

    def change(header, sections):
        for place in header["places"]:
            place[:2] = [str(tmp_path / "secret.txt"), 1]

    loaded = td.load_program(rewritten(path, change))
    assert "secret\n" not in str(loaded)
    assert loaded.guards[0].text != "secret"


@pytest.mark.parametrize("seed", range(200))
def test_damage_under_a_right_checksum_is_refused_or_harmless(seed, path):
    generator = random.Random(seed)

    def change(header, sections):
        for _ in range(generator.randrange(1, 4)):
            if generator.random() < 0.5:
                section = sections[generator.choice([name for name, array in sections.items() if array.size])]
                flat = section.reshape(-1)
                sign = 1 if flat.dtype == np.uint8 else generator.choice([1, -1])
                flat[generator.randrange(flat.size)] = generator.choice([0, 1, 2, 5, 127]) * sign
            else:
                damage(header, generator)

    try:
        loaded = td.load_program(rewritten(path, change))
    except ProgramFileError:
        return
    try:
        loaded(*[np.ones(spec.shape, spec.dtype.numpy) for spec in loaded.specs])
    except (td.GuardError, TypeError, ValueError, RuntimeError, IndexError):
        return


def damage(thing, generator):
    """Change one entry somewhere inside lists and dicts."""
    while True:
        key = generator.choice(list(thing) if isinstance(thing, dict) else range(len(thing)))
        if not isinstance(thing[key], list | dict) or not thing[key] or generator.random() < 0.1:
            thing[key] = generator.choice([0, -1, 3, 1 << 70, None, "x", [], {}, True, 1.5, "sum", "exp", [1],
                                           [[2, 3], "float64"]])
            return
        thing = thing[key]


def test_a_header_nested_without_end_is_refused(tmp_path):
    text = b'{"sections":' + b"[" * 200_000
    content = container.MAGIC + (1).to_bytes(4, "little") + bytes(4) + len(text).to_bytes(8, "little")
    content += (64 + len(text)).to_bytes(8, "little")
    content += hashlib.blake2b(content + text, digest_size=32).digest() + text
    (tmp_path / "f").write_bytes(content)
    with pytest.raises(ProgramFileError):
        td.load_program(tmp_path / "f")


# --- writing --------------------------------------------------------------------------------------------------------------------

def test_a_full_disk_leaves_the_old_file(path, program, monkeypatch):
    before = path.read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        program.save(path)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_saving_again_replaces_the_file_and_keeps_its_permissions(path, program):
    path.chmod(0o600)
    td.record(lambda x: x, 1.0).save(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(td.load_program(path)) == 0


def test_a_link_stays_a_link(path, program, tmp_path):
    (tmp_path / "link").symlink_to(path)
    program.save(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    td.load_program(path)


def test_saving_where_no_folder_is(program, tmp_path):
    with pytest.raises(FileNotFoundError):
        program.save(tmp_path / "none" / "f")


def test_a_hundred_thousand_instructions_are_rows_of_arrays(tmp_path):
    def chain(x):
        for _ in range(50_000):
            x = x * 1.0001 + 1e-6
        return x

    program = td.record(chain, 1.0)
    program.save(tmp_path / "f")
    header, sections = read(tmp_path / "f")
    assert len(json.dumps(header)) < 3_000
    assert len(sections["instructions"]) == 100_000
    assert td.load_program(tmp_path / "f")(1.5) == program(1.5)


INDICES = np.array([[0, 2], [1, 0]])


@pytest.mark.parametrize("function", [
    lambda x, i, m: x.gather(1, i), lambda x, i, m: x.scatter(1, i, x[:, :2] * 2), lambda x, i, m: x.scatter_add(1, i, x[:, :2]),
    lambda x, i, m: x[i[0]], lambda x, i, m: x.index_select(0, i[0] * 0), lambda x, i, m: x.index_add(0, i[0] * 0, x),
    lambda x, i, m: x.take(i), lambda x, i, m: x.index_fill(0, i[1] * 0, 3.0), lambda x, i, m: x.max(1).values,
    lambda x, i, m: x.masked_fill(m, 0.5), lambda x, i, m: x.masked_scatter(m, x * 2), lambda x, i, m: x.sort(1).values,
    lambda x, i, m: x.cumsum(0) @ x.t(), lambda x, i, m: td.cat([x, x]).flip(0), lambda x, i, m: x.tril(),
    lambda x, i, m: td.baddbmm(x[None], x[None, :, :2], x[None]), lambda x, i, m: x.norm() + x.var() + x.logsumexp(0).sum(),
    lambda x, i, m: td.nn.functional.nll_loss(x.log_softmax(1), i[0]), lambda x, i, m: td.einsum("ij,kj->ik", x, x),
])
def test_programs_of_many_ops_pass_the_checks(function, tmp_path):
    arguments = (np.arange(6.0).reshape(2, 3), INDICES.clip(0, 1), np.array([[True, False, True], [False, False, True]]))
    program = td.record(function, *arguments)
    program.save(tmp_path / "f")
    assert same_bits(td.load_program(tmp_path / "f")(*arguments), program(*arguments))


@pytest.mark.parametrize(("function", "op", "attributes"), [
    (lambda x, i, m: x.gather(1, i), "gather", 5), (lambda x, i, m: x.gather(1, i), "gather", -1),
    (lambda x, i, m: x.gather(1, i), "gather", "x"), (lambda x, i, m: x.scatter_add(1, i, x[:, :2]), "scatter_add", [7, True]),
])
def test_places_outside_of_memory_are_refused(function, op, attributes, tmp_path):
    def change(header, sections):
        for entry in header["ops"]:
            if entry["op"] == op:
                entry["attributes"] = attributes
    td.record(function, np.arange(6.0).reshape(2, 3), INDICES, np.array([[True] * 3] * 2)).save(tmp_path / "f")
    with pytest.raises(ProgramFileError, match="cannot be"):
        td.load_program(rewritten(tmp_path / "f", change))


def test_a_mask_of_another_shape_is_refused(tmp_path):
    def change(header, sections):
        header["specs"][[entry[1] for entry in header["specs"]].index("bool")][0] = [1]
    td.record(lambda x, m: x.masked_fill(m, 0.5), np.ones((2, 3)), np.array([[True] * 3] * 2)).save(tmp_path / "f")
    with pytest.raises(ProgramFileError, match=r"mask|values"):
        td.load_program(rewritten(tmp_path / "f", change))
