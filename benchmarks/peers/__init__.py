"""tapediff beside other libraries: the same workloads in one interleaved run (`python -m benchmarks.peers`)."""
