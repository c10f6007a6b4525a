"""asv suites: one module for each thing whose speed or memory matters; `benchmarks.peers` compares with other libraries."""
