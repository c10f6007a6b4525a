"""Where the columns of a schedule lie: the one agreement between the scheduler and the compiled executor."""

from __future__ import annotations

__all__: list[str] = []

# A step is a row of int32 words in the code: the number of its action, then pointers. A pointer is `offset << 2 | base`, the
# offset in units of 8 bytes.
NULL, WORKSPACE, UNIFORM = range(3)

# An action says everything about a step but where its values lie. One row of int64 in the table of actions.
A_CLASS = 0  # one of the classes below
A_WORDS = 1  # of a step in the code
A_KERNEL = 2  # address of the kernel
A_COUNT = 3  # elements, or the address of a structural kernel's parameters
A_REPEAT = 4  # how many times the kernel is called, with pointers that advance by
A_STRIDES = 5  # these strides in bytes, one for each pointer
A_ITEM = 13  # bytes of one element
A_BUFFER = 14  # number of the buffer that rows are loaded from or stored to; or another small number
A_EXPECTED = 15  # what a guard expects
A_FIELDS = 16

(FORWARD2, FORWARD3, REVERSE2, REVERSE3, FORWARD_REPEATED, REVERSE_REPEATED, CALL, HOST, LOAD, STORE, REDUCE, ZERO, FILL, COPY,
 WIDEN, TURN, CALL_ROWS,
 GUARD_TRUTH, GUARD_INTEGER, GUARD_VALUE) = range(20)

# words of a step of each class; a CALL has as many pointers as it needs
WORDS = (4, 5, 7, 9, 5, 9, 0, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 2, 2, 3)

BOOL, INT32, INT64, FLOAT32, FLOAT64 = range(5)

# what a kernel does with the memory behind a pointer
READS, WRITES = 1, 2

# The frame of a thread: the bases of pointers, then what the executor must know about the rows at hand.
# words 0 to 3: null, workspace, uniform values, nothing
F_ROW = 4  # the row in lane 0
F_ROWS = 5  # the number of rows
F_LANES = 6
F_FAILED = 7  # address of an int32 for each row: 0, or 1 + the number of the guard that failed first
F_PARTIAL = 8  # address of the partial sums of these rows
F_POINTERS = 9  # memory for the addresses that a CALL hands to its kernel
F_CODE = 10  # address of the steps
F_ACTIONS = 11  # address of the table of actions
F_STEPS = 12  # address of the interpreter's loop over steps, for a compiled tape
F_BUFFERS = 13  # triples (address, bytes from row to row, bytes from element to element)

GROUP_ROWS = 1024  # rows whose sum is one partial sum
SUM_LANES = 8  # a partial sum is this many sums, of every eighth row
