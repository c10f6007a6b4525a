"""The same conditions for every library: threads, cores, and the environment variables that are read at import."""

import os
import sys

VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "NPROC")


HOLD_BACK = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")  # OpenBLAS is to choose kernels for this processor, not for an older one


def environment(threads: int) -> dict[str, str]:
    """The environment of a process that measures."""
    mine = {name: value for name, value in os.environ.items() if name not in HOLD_BACK}
    return {**mine, **variables(threads)}


def variables(threads: int) -> dict[str, str]:
    """What a process needs in its environment before it imports a library; JAX gets float64 too, and no GPU and no cache."""
    eigen = "true" if threads > 1 else "false"
    return {
        **dict.fromkeys(VARIABLES, str(threads)),
        "XLA_FLAGS": f"--xla_cpu_multi_thread_eigen={eigen} intra_op_parallelism_threads={threads}",
        "JAX_PLATFORMS": "cpu",
        "JAX_ENABLE_X64": "1",
        "JAX_ENABLE_COMPILATION_CACHE": "0",
    }


def keep_to(threads: int) -> None:
    """Keep this process, and the threads that it will start, to as many cores; libraries without a setting obey as well."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores[-threads:])


def tell_loaded_libraries(threads: int) -> None:
    """PyTorch takes the number by a call."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)
