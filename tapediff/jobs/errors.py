"""What a job raises when its user has something to put right."""


class JobError(ValueError):
    """A job could not start or go on; the message, one line, says what was given, what was wanted and what to do."""
