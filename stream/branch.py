"""A sink on its own link: it goes its own pace, and fails alone."""

from __future__ import annotations

import logging
import threading
import time
from types import TracebackType

from stream.call import timed
from stream.frame import Frame
from stream.health import Health, Monitored, State
from stream.link import Link
from stream.report import Samples, StageMeter
from stream.sinks import Sink
from stream.stamp_meter import StampMeter

_log = logging.getLogger(__name__)


class Branch:
    """One of the pipeline's outputs, from its link to its end.

    Opened and closed by whoever owns it; `run` is the body of its thread.

    Attributes:
        name: of the sink, for people.
        link: what it takes its frames from.
        meter: time spent in the sink.
        ages: from capture until the sink had written the frame.
        stamps: the same read from the pictures, None when they are not stamped.
        last_write_ns: on the monotonic clock, 0 before the first.
        failure: what ended it, None while all is well.
        ended: set when `run` is over.
    """

    def __init__(self, name: str, sink: Sink, link: Link[Frame], *, stamped: bool) -> None:
        self.name = name
        self.link = link
        self.meter = StageMeter()
        self.ages = Samples()
        self.stamps = StampMeter() if stamped else None
        self.last_write_ns = 0
        self.failure: Exception | None = None
        self.ended = threading.Event()
        self._sink = sink
        self._open = False

    def open(self) -> None:
        """Open the sink.

        Raises:
            SinkError: it cannot be opened.
        """
        self._sink.__enter__()
        self._open = True

    def run(self) -> None:
        """Write what comes over the link until it ends; a failure is kept, not raised."""
        try:
            for frame in self.link:
                with timed(self.name, (frame,), self.meter):
                    self._sink.write(frame)
                self.last_write_ns = time.monotonic_ns()
                if frame.held:
                    continue
                self.ages.add(self.last_write_ns - frame.captured_ns)
                if self.stamps is not None:
                    self.stamps.add(frame.image, self.last_write_ns)
        except Exception as error:  # noqa: BLE001 - raised at the end of the run
            self.failure = error
        finally:
            self.link.abort()
            if self.failure is not None:
                _log.debug("%s ended", self.name, exc_info=self.failure)
                self.close(self.failure)
            self.ended.set()

    def close(self, error: BaseException | None) -> None:
        """Finish the output, once.

        Args:
            error: what ended the stream, if it was one: a failure to finish is then added to
                it as a note.

        Raises:
            SinkError: the output could not be finished, and nothing else had gone wrong.
        """
        if not self._open:
            return
        self._open = False
        kind: type[BaseException] | None = None
        trace: TracebackType | None = None
        if error is not None:
            kind, trace = type(error), error.__traceback__
        try:
            self._sink.__exit__(kind, error, trace)
        except Exception as later:
            self.failure = self.failure or later
            if error is None:
                raise
            error.add_note(f"later also: {type(later).__name__}: {later}")

    def health(self) -> dict[str, Health]:
        """The sink's own answer, or what can be said of any sink."""
        healths = dict(self._sink.health()) if isinstance(self._sink, Monitored) else {}
        if self.failure is not None:
            healths[self.name] = Health("failed", str(self.failure), sent=self._sent)
        if healths:
            return healths
        state: State = "running" if self._open else "ended"
        return {self.name: Health(state, sent=self._sent, dropped=self.link.stats.dropped)}

    @property
    def _sent(self) -> int:
        return self.meter.busy.count
