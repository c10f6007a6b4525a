"""Columns, kinds, sources and segments of the tape; no arithmetic."""
