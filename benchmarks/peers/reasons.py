"""Why another library is ahead of tapediff where it is: one table, of which the page prints what the figures call for.

By workload, and there by a library's way or by the library. A reason says what is done differently, not how much that makes:
figures change with every version.
"""

BUFFERS = "its call reads and fills buffers that were bound before; tapediff's checks its arguments and makes new results"
COLUMNS = "tapediff checks five columns and makes six new ones in every call, which counts with few rows"
FOLDED = (
    "a person keeps two numbers of each step and folds the adjoints of a parameter into one sum; the tape writes and reads every "
    "intermediate value"
)
SIDE_BY_SIDE = (
    "it is given columns, with the paths side by side as SIMD wants them; tapediff is given rows and turns them into lanes"
)
COLOURED = "it colours the Hessian, which has three diagonals, and so needs three directions; tapediff takes all of them"

REASONS: dict[str, dict[str, str]] = {
    "scalar-chain": {
        "xad, tape kept": "its tape is rewound and not made anew; both spend most of the time recording from Python",
    },
    "vector-chain": {
        "jax": "it has compiled this one function before; tapediff records and plans it again every time",
    },
    "mlp-step": {
        "torch": "it builds the graph in C++; tapediff records some thirty operations from Python in every step",
    },
    "chain-300": {
        "casadi": BUFFERS,
        "ddx": BUFFERS,
    },
    "straight-line": {
        "ddx, interpreted": "its loop does an instruction itself; tapediff's calls a kernel for it",
        "ddx, compiled": "its compiler keeps more of the values and adjoints in registers than tapediff's compiled tape does",
        "jax": "it runs machine code, as `tapediff, compiled` does",
        "casadi": BUFFERS,
    },
    "heston": {
        "numba": FOLDED,
        "ddx": SIDE_BY_SIDE,
    },
    "heston-10": {
        "numba": FOLDED,
        "ddx": SIDE_BY_SIDE,
    },
    "black-scholes": {
        "ddx": COLUMNS,
        "jax": COLUMNS,
        "numba": COLUMNS,
        "torch": COLUMNS,
    },
    "per-sample": {
        "jax": (
            "XLA fuses the products of one row with what makes and takes their operands; tapediff runs step after step "
            "over blocks of rows"
        ),
        "torch": "its compiled C++ fuses the products of one row with what makes and takes their operands",
        "numpy": "all rows are two products of matrices and two broadcast products",
    },
    "jacobian": {
        "numpy": "a person sees that it is the coupling with its rows scaled, and three diagonals",
        "casadi": "its symbolic Jacobian is the coupling with its rows scaled; no product of matrices is left for the call",
        "jax": "it compiles the products with all 200 directions and what surrounds them as one program",
        "torch": "it sends all 200 directions through one product of matrices",
    },
    "hessian": {
        "casadi": COLOURED,
        "ddx": COLOURED,
        "jax": (
            "it compiles the products with all directions as one program, in which the zeros of the 100 unit vectors are "
            "known"
        ),
    },
    "gmm": {
        "jax": (
            "it is one compiled program; tapediff goes back to Python and NumPy for the batched products, indexing and "
            "logsumexp"
        ),
        "torch": (
            "its batched products and logsumexp are kernels of its own; tapediff takes them from NumPy, a step through "
            "Python each"
        ),
    },
    "bundle": {
        "ddx": (
            "one sweep gives both rows of the Jacobian; tapediff runs a program for each residual, and turns rows into "
            "lanes first"
        ),
    },
    "ode-fit": {
        "ddx": BUFFERS,
        "casadi": BUFFERS,
    },
    "hmc": {
        "jax": "it compiles both gradients and the update between them as one program",
        "torch": "its matrix-vector products and softplus are fused kernels",
        "numpy": "a person needs no loss for its gradient, and nothing is checked or copied between the products",
    },
}
