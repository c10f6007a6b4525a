"""What a job's folder says of the job, read without running or writing anything."""

import os

from tapediff.jobs.errors import JobError
from tapediff.jobs.folder import JobFolder
from tapediff.jobs.job_result import JobResult, result_of
from tapediff.jobs.journal import read_records
from tapediff.jobs.lock import holder, is_locked
from tapediff.jobs.settings import Settings, read_settings
from tapediff.jobs.tally import ChunkFacts, Tally, facts_of_program, natural


def info(out: str | os.PathLike[str]) -> JobResult:
    """What is known of the job in a folder, finished or not; nothing is run, written or waited for.

    Raises
        JobError: the folder holds no job, or a damaged one.
    """
    folder = JobFolder(out)
    folder.check()
    found = read_settings(folder)
    if found is None:
        raise JobError(f"{folder.path} holds no job that was begun; start it with `tapediff run`")
    settings = found[0]
    tally, is_finished = read_tally(folder, settings)
    result = result_of(folder, settings, tally, is_finished)
    lock = folder.work / "lock"
    result.summary["running"] = holder(lock) if is_locked(lock) else None  # who is at it
    return result


def read_tally(folder: JobFolder, settings: Settings) -> tuple[Tally, bool]:
    """What a journal says, as it stands, and whether the job is finished."""
    tally, done, is_finished = Tally(), set(), False
    for record in read_records(folder.journal, settings.job):
        try:
            if "chunk" in record and natural(record["chunk"]) not in done:
                tally.add(ChunkFacts.of_record(record))
                done.add(record["chunk"])
            elif "program" in record:
                name, facts = facts_of_program(record)
                tally.programs[name] = facts
            is_finished = is_finished or record == {"finished": True}
        except (ValueError, TypeError, KeyError):
            continue
    return tally, is_finished and tally.rows == settings.length
