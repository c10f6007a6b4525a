"""What a job raises when its user has something to put right."""


class JobError(ValueError):
    """A job could not start or go on; the message, one line, says what was given, what was wanted and what to do."""


class ChangedError(JobError):
    """A folder holds a job with other inputs, another function or other settings."""


class LockedError(JobError):
    """Another process runs a job in this folder."""


class StrictError(JobError):
    """A row went wrong in a job that was told to stop there; the folder can be resumed."""


class StorageError(JobError):
    """Results could not be written: the disk is full, say; the folder can be resumed."""
