"""Where the rows of a job come from: files of several formats and arrays, read piece by piece."""

from tapediff.jobs.sources.opening import Given, files_of, open_source, open_sources, read_shared
from tapediff.jobs.sources.source import Source, common_length

__all__ = ["Given", "Source", "common_length", "files_of", "open_source", "open_sources", "read_shared"]
