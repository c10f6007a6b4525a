"""The fixed partition of a job's rows: what is read, computed, written and, after a crash, done again at a time."""

from dataclasses import dataclass

CHUNK_BYTES = 8 << 20  # of the inputs and results of a chunk; some six chunks are in memory at once
MOST_ROWS = 1 << 16
GROUP_ROWS = 1024  # programs sum gradients over groups of so many rows


@dataclass(frozen=True)
class Partition:
    """Rows in chunks of `chunk_rows`, the last one shorter.

    >>> Partition(10, 4).bounds(2), Partition(10, 4).count
    ((8, 10), 3)
    """

    rows: int
    chunk_rows: int

    @property
    def count(self) -> int:
        """The number of chunks."""
        return -(-self.rows // self.chunk_rows)

    def bounds(self, chunk: int) -> tuple[int, int]:
        """The first row of a chunk, and the one behind its last."""
        return chunk * self.chunk_rows, min((chunk + 1) * self.chunk_rows, self.rows)


def choose_chunk_rows(row_bytes: int, summed_bytes: int = 0) -> int:
    """A power of two of rows.

    row_bytes     the inputs and results of one row
    summed_bytes  the gradients that are summed over rows: a program keeps eight partial sums for each group of 1,024 rows

    >>> choose_chunk_rows(8), choose_chunk_rows(100), choose_chunk_rows(1 << 30)
    (65536, 65536, 1)
    """
    bytes_of_a_row = max(1, row_bytes + 8 * summed_bytes // GROUP_ROWS)
    rows = max(1, min(MOST_ROWS, CHUNK_BYTES // bytes_of_a_row))
    return 1 << (rows.bit_length() - 1)
