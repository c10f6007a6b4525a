"""The workloads of the comparison, a module for each family; each module has `WORKLOADS`."""
