"""Chunks of a job on the workers of a Dask scheduler: a few on their way at a time, sent again where a worker died."""

from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any

from tapediff.jobs.errors import JobError
from tapediff.jobs.recipe import PURPOSE, Recipe
from tapediff.jobs.result import ChunkResult
from tapediff.jobs.sources.optional import require_package

AHEAD = 2  # chunks for each thread of the workers: one is computed while another is on its way
MOST_ATTEMPTS = 6  # at one chunk: the function may be what ends the workers
PATIENCE = 1.0  # seconds after which the state of the cluster is looked at again
LONELY_SECONDS = 60.0  # without any worker, after which the job stops
CONNECT_SECONDS = 10.0

Inputs = dict[str, Any]


def connect(address: str) -> Any:
    """A client of the scheduler at an address, `tcp://host:8786`.

    Raises
        JobError: no scheduler answers there, or Dask is not installed.
    """
    distributed = require_package("distributed", PURPOSE)
    try:
        return distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        text = " ".join(str(error).split())
        raise JobError(f"no Dask scheduler answers at {address!r}: {text}") from error


class Workers:
    """The workers of a client, for one job.

    client  a `distributed.Client`
    recipe  what they evaluate chunks by
    """

    def __init__(self, client: Any, recipe: Recipe) -> None:
        self.distributed = require_package("distributed", PURPOSE)
        if not isinstance(client, self.distributed.Client) or client.asynchronous:
            raise JobError(f"client is a {type(client).__name__}; wanted a distributed.Client that is not asynchronous")
        self.config = require_package("dask", PURPOSE).config
        self.client = client
        self.recipe = recipe
        self.sent_recipe: Any = None
        self.flying: dict[Any, Any] = {}  # chunks by the futures of their results
        self.landed: SimpleQueue[Any] = SimpleQueue()
        self.attempts: dict[Any, int] = {}
        self.looked = self.seen = monotonic()
        self.room = AHEAD

    def run(self, chunks: Iterable[Any], read: Callable[[Any], tuple[Inputs, int]],
            accept: Callable[[Any, ChunkResult], None]) -> None:
        """Evaluate chunks, in any order: `read(chunk)` gives inputs and first row, `accept(chunk, result)` takes what comes.

        Raises
            JobError: the scheduler or all workers are gone for long, or a chunk ends every worker that it is given to.
        """
        waiting = iter(chunks)
        again: list[Any] = []
        try:
            self._look()
            while True:
                while len(self.flying) < self.room and (chunk := again.pop() if again else next(waiting, None)) is not None:
                    self._send(chunk, *read(chunk))
                if not self.flying:
                    return
                for future in self._land():
                    chunk = self.flying.pop(future)
                    result = self._result(chunk, future)
                    if result is None:
                        again.append(chunk)
                    else:
                        accept(chunk, result)
        except Exception as error:  # a client without a scheduler raises this and that
            if isinstance(error, JobError) or self.client.status == "running":
                raise
            raise JobError("the Dask scheduler is gone; what is finished is kept") from error
        finally:
            self._cancel()

    def _send(self, chunk: Any, inputs: Inputs, first: int) -> None:
        """Have a chunk evaluated somewhere."""
        # as arguments of tasks, not scattered: what is lost with a worker, the scheduler has computed again
        if self.sent_recipe is None:
            self.sent_recipe = self._submit(same, self.recipe)
        future = self._submit(evaluate, self.sent_recipe, inputs, first)
        self.flying[future] = chunk
        future.add_done_callback(self.landed.put)

    def _submit(self, *call: Any) -> Any:
        """A call as a task, without a warning that its arguments are large."""
        with self.config.set({"distributed.admin.large-graph-warning-threshold": "1TB"}):
            return self.client.submit(*call, pure=False)

    def _land(self) -> list[Any]:
        """Futures that are done, one at least unless it takes long."""
        found = []
        try:
            found.append(self.landed.get(timeout=PATIENCE))
            while True:
                found.append(self.landed.get_nowait())
        except Empty:
            pass
        if monotonic() - self.looked > PATIENCE:
            self._look()
            found += [future for future in self.flying if future.status not in ("pending", "finished")]
        return [future for future in dict.fromkeys(found) if future in self.flying]

    def _look(self) -> None:
        """See how many workers there are."""
        if self.client.status != "running":
            raise RuntimeError("the client has no scheduler")
        self.looked = monotonic()
        threads = sum(self.client.nthreads().values())
        if threads:
            self.seen = self.looked
            self.room = AHEAD * threads
        elif self.looked - self.seen > LONELY_SECONDS:
            raise JobError(f"the Dask scheduler has had no worker for {LONELY_SECONDS:.0f} seconds; what is finished is kept")

    def _result(self, chunk: Any, future: Any) -> ChunkResult | None:
        """The result of a future that is done; None if it was lost with a worker.

        Raises
            JobError: it raised an exception, or was lost too often.
        """
        try:
            if future.status == "cancelled" or future.status == "lost":
                raise self.distributed.client.FutureCancelledError(future.key, None)
            found: ChunkResult = future.result()
            return found
        except JobError:
            raise
        except self.distributed.scheduler.KilledWorker as error:
            raise JobError(f"chunk {chunk} was lost with every worker that had it; does the function end its process, or take "
                           "more memory than a worker has?") from error
        except (self.distributed.client.FutureCancelledError, self.distributed.comm.CommClosedError) as error:
            self.attempts[chunk] = self.attempts.get(chunk, 0) + 1
            if self.attempts[chunk] >= MOST_ATTEMPTS:
                raise JobError(f"chunk {chunk} was lost {MOST_ATTEMPTS} times: {error}; what is finished is kept") from error
            return None
        except Exception as error:
            text = f"{type(error).__name__}: {' '.join(str(error).split())}"
            raise JobError(f"a worker can't evaluate chunk {chunk}: {text}") from error

    def _cancel(self) -> None:
        """Have what is still flying dropped."""
        if self.flying and self.client.status == "running":
            self.client.cancel(list(self.flying), force=True)
        self.flying.clear()
        self.sent_recipe = None


def same(recipe: Recipe) -> Recipe:
    """The recipe, as the result of a task."""
    return recipe


def evaluate(recipe: Recipe, inputs: Inputs, first: int) -> ChunkResult:
    """The result of a chunk, on a worker."""
    return recipe.evaluate(inputs, first)
