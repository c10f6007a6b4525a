"""All workloads, in the order in which the table prints them. Importing them imports no library."""

from importlib import import_module

from benchmarks.peers.workload import Workload

FAMILIES = ("eager", "chain", "heston", "black_scholes", "per_sample", "matrices", "adbench", "fits")


def all_workloads() -> tuple[Workload, ...]:
    modules = (import_module(f"benchmarks.peers.workloads.{family}") for family in FAMILIES)
    return tuple(workload for module in modules for workload in module.WORKLOADS)


def workload_named(name: str) -> Workload:
    """Raises ValueError: there is none of that name."""
    names = {workload.name: workload for workload in all_workloads()}
    if name not in names:
        raise ValueError(f"there is no workload {name!r}; choose from {', '.join(names)}")
    return names[name]
