"""Where the columns of the compiled tables lie: the one agreement between Python and the compiled sweeps."""

from __future__ import annotations

__all__: list[str] = []

# A kind says everything about an instruction but its operands: op, shapes, dtypes, which adjoints are wanted.
# One row of int64 in the kind table.
K_CLASS = 0  # one of the classes below
K_FORWARD = 1  # address of the forward kernel
K_REVERSE = 2  # address of the reverse kernel
K_COUNT = 3  # elements of the result, or the address of a structural kernel's parameters
K_BYTES = 4  # bytes of the result, a multiple of 8
K_ARITY = 5  # operands: two stand in the instruction, two more in each ARGUMENT instruction before it
K_WANTED = 6  # bit k: the adjoint of operand k is wanted
K_SCALARS = 7  # bit k: operand k is one element, broadcast over the others; VIEW: the result is a view of operand 0
K_SAVES = 8  # bit 0: the partials read the result; bit k + 1: they read operand k
K_ITEM_Y = 9  # bytes of one element of the result
K_ITEM_A = 10  # ... of the operands
K_ITEM_B = 11
K_ITEM_C = 12
K_LARGE = 13  # 1: the result lies in an array of its own
K_REVERSE_SAME = 14  # address of the reverse kernel for a and b being the same slot
K_SAME = 15  # 1: an instruction of this kind has been seen with a and b the same slot
K_DIVISOR = 16  # of a REDUCTION: what its sum is divided by
K_FIELDS = 17
VIEW = 1 << 8  # in K_SCALARS

# OVERWRITE is element-wise, and writes into the memory of a source. REDUCTION adds up all elements, block by block; its slot has
# three words: the result, which is the running sum at first, what that lost to rounding, and the sum of a block. REPLAYED is an
# op of any number of operands whose kernels take an array of addresses: of the result and the operands; of the result's adjoint,
# the result, the operands and their adjoints.
ELEMENTWISE, STRUCTURAL, HOST, ALIAS, ARGUMENT, OVERWRITE, REDUCTION, REPLAYED = range(8)
REDUCTION_BYTES = 24

# A source is a value that instructions read and do not compute: a leaf, or a slot of an earlier segment.
# One row of int64 in a chunk of the source table; rows never move.
S_ADDRESS = 0  # of the value
S_CELL = 1  # the value itself, where it is one element
S_BYTES = 2  # bytes of the value, a multiple of 8
S_WANTED = 3  # 1: its adjoint is wanted
S_PASS = 4  # the reverse pass that reached it last
S_ADJOINT = 5  # byte offset of its adjoint in that pass
S_CLOCK = 6  # the clock of the last in-place write
S_STATE = 7  # of the gradient, one of the states below
S_GRADIENT = 8  # the gradient itself, where the state is IN_CELL
S_ITEM = 9  # bytes of one element
S_FIELDS = 10

# PYTHON: the gradient, if any, is a Tensor held by the Source object.
EMPTY, IN_CELL, PYTHON = range(3)

# The frame of a reverse pass: addresses of a thread's tables, and what `plan` found.
FRAME_OFFSETS = 0  # byte offset of each instruction's adjoint
FRAME_TOUCHED = 1  # count, sources reached
FRAME_ADJOINTS = 2  # the adjoints
FRAME_LEFT = 3  # pairs (source, offset) that Python must handle
FRAME_USED = 4
FRAME_MISSED = 5
FRAME_LACKING = 6
FRAME_HOSTED = 7
FRAME_FIELDS = 8

CHUNK_SHIFT = 12
CHUNK_ROWS = 1 << CHUNK_SHIFT

BLOCK = 512  # elements of one block of a run of element-wise instructions
ONE_BLOCK = 1 << 62  # flag in an adjoint's offset: it is one block long and serves all blocks in turn
FIRST = 1 << 56  # FIRST << k, flag in an adjoint's offset: its instruction is the first to contribute to operand k, so it writes
FIRST_MASK = 7 * FIRST  # what is there, instead of adding to it
OFFSET = FIRST - 1  # the offset without flags
FIRST_BYTES = 512  # adjoints from this size on are not zeroed before they are written
LARGE_BYTES = 4096  # results from this size on lie in arrays of their own
SEGMENT_INSTRUCTIONS = 4096
