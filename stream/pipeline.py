"""Source, stages and sinks as concurrent threads linked by bounded queues."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial

from stream.frame import MOST_PACKETS, Frame
from stream.gate import Gate
from stream.health import Monitored
from stream.late_start import LateStart
from stream.link import Link
from stream.report import Percentiles, Report, StageMeter, StageReport
from stream.sinks import Sink
from stream.tee import Tee
from stream.threads import ThreadGroup
from stream.worker import Batching, Stage, Worker

LIVE_CAPACITY = 1
LOSSLESS_CAPACITY = 4
SINK_CAPACITY = 8
LIVE_SINK_CAPACITY = 24
LEAKY_SINK_CAPACITY = 2

HANG_S = 10.0
"""No call of a stage takes so long on any machine that could run live."""

GATE = "gate"


def hand_on_audio(dropped: Frame, successor: Frame) -> Frame:
    """Let the sound of a dropped picture travel with the next one.

    A sink that takes nothing for minutes loses the oldest sound too: no link grows without end.
    """
    if not dropped.audio:
        return successor
    return replace(successor, audio=(dropped.audio + successor.audio)[-MOST_PACKETS:])


class Pipeline:
    """Moves frames from a source through stages to sinks, one thread each.

    Frames leave in capture order. A *live* pipeline drops the oldest waiting frame at the
    first link when the stages are slower than the source, and at the link of a sink that is
    too slow, so that no sink holds up another. Everything else waits: a lossless pipeline drops
    nothing, but for sinks that call themselves `leaky`.

    With a gate, a stage that raises costs the frame and not the run: the stage is restarted, and
    the gate shows something else meanwhile.

    The stages end one after the other: whoever ends, closes its inlet for the writer before
    it and its outlets for the readers after it. A failure therefore stops what lies before
    it, while what lies behind it still writes every frame that it has received. A sink that
    fails ends alone: the others go on, and its failure is raised at the end.
    """

    def __init__(  # noqa: PLR0913 - what a pipeline is made of
        self,
        source: Iterable[Frame],
        stages: Mapping[str, Stage],
        sinks: Mapping[str, Sink],
        *,
        live: bool,
        gate: Gate | None = None,
        stamped: bool = False,
    ) -> None:
        """Build the links; nothing runs yet.

        Args:
            source: opened, iterated by the capture thread. If it has a `stop` method, that is
                called when the run is to end.
            stages: by name, in order. The name is used for threads, reports and errors.
            sinks: by name; entered and left by `run`. They share each frame, and must not
                change it.
            live: drop late frames at the first link instead of making the source wait.
            gate: the only way from the last stage to the sinks. In a live pipeline the stages
                may then fail.
            stamped: the source paints stamps, to be read at every sink.
        """
        if not sinks:
            raise ValueError("a pipeline needs at least one sink")
        names = ["capture", *stages, *([GATE] if gate else []), *sinks]
        if len(set(names)) != len(names):
            raise ValueError(f"stages and sinks need different names, got {names}")
        self._source = source
        self._gate = gate
        self._live = live
        # A plain flag: an event has a lock, and signal handlers interrupt each other.
        self._stopping = False
        self._group = ThreadGroup(cancel=self.stop)
        self._line = names[: -len(sinks)]
        self._next = dict(itertools.pairwise(self._line))
        self._links: dict[str, Link[Frame]] = {}
        capacity = LIVE_CAPACITY if live else LOSSLESS_CAPACITY
        at_once = {name: 1 if live else _frames_at_once(stage) for name, stage in stages.items()}
        for index, reader in enumerate(self._next.values()):
            newest = live and index == 0
            self._links[reader] = Link(
                max(capacity, at_once.get(reader, 1)),
                leaky=newest,
                hand_over=live and not newest,
                hand_on=hand_on_audio,
            )
        self._tee = Tee(
            sinks, self._link_to, self._start, when_all_failed=self.stop, stamped=stamped
        )
        self._workers = {
            name: self._worker(name, stage, at_once[name], counts=name == list(stages)[-1])
            for name, stage in stages.items()
        }
        self._threads: dict[str, threading.Thread] = {}
        self._captured, self._gated = StageMeter(), StageMeter()
        self._faces_found = self._faces_swapped = self._frames_without_face = 0
        self._started_ns = 0

    def _link_to(self, sink: Sink) -> Link[Frame]:
        if not self._live:
            return Link(SINK_CAPACITY, leaky=sink.leaky, hand_on=hand_on_audio)
        capacity = LEAKY_SINK_CAPACITY if sink.leaky else LIVE_SINK_CAPACITY
        return Link(capacity, leaky=True, hand_on=hand_on_audio)

    def _worker(self, name: str, stage: Stage, at_once: int, *, counts: bool) -> Worker:
        def put(frame: Frame) -> bool:
            if counts:
                self._count_faces(frame)
            return self._put(name, frame)

        return Worker(
            name,
            stage,
            self._links[name],
            put,
            partial(self._end, name),
            tolerant=self._live and self._gate is not None,
            late=LateStart() if self._live else None,
            at_once=at_once,
        )

    def run(
        self, watch: Callable[[Report], None] | None = None, watch_every_s: float = 0.25
    ) -> Report:
        """Stream until the source ends, `stop` or `abort` is called, or something fails.

        Args:
            watch: called on this thread with a report every `watch_every_s` seconds.
            watch_every_s: seconds.

        Returns:
            The final report.

        Raises:
            Exception: the first failure of the source, a stage or a sink, with a note that
                says where. The sinks are closed by then.
        """
        try:
            self._tee.open()
            self._started_ns = time.monotonic_ns()
            with self._group:
                self._start_all()
                while not self._group.join(watch_every_s):
                    self._replace_hung_threads()
                    if watch is not None:
                        watch(self.report())
        except BaseException as error:
            self._tee.close(error)
            raise
        still_failing = (worker.failure for worker in self._workers.values())
        failure = self._tee.close(next(filter(None, still_failing), None))
        if failure is not None:
            raise failure
        return self.report()

    def _start_all(self) -> None:
        # From the end to the start: nothing is produced before it can be taken.
        try:
            self._tee.start()
            if self._gate is not None:
                self._start(GATE, partial(self._pass, self._gate))
            for name, worker in reversed(self._workers.items()):
                self._threads[name] = self._start(name, worker.run)
            self._start("capture", self._capture)
        except BaseException:
            self.abort()  # Those that run already wait for threads that never come.
            raise

    def _start(self, name: str, target: Callable[[], None]) -> threading.Thread:
        return self._group.start(f"facestream-{name}", target)

    def _replace_hung_threads(self) -> None:
        for name, worker in self._workers.items():
            if worker.tolerant and worker.give_up_if_hung(HANG_S):
                self._group.abandon(self._threads[name])
                self._threads[name] = self._start(name, worker.run)

    @property
    def sinks(self) -> tuple[str, ...]:
        """Names of the sinks that are there now."""
        return tuple(branch.name for branch in self._tee.branches)

    def add_sink(self, name: str, sink: Sink) -> None:
        """Open a sink and send it every frame from now on; any thread may do it.

        Args:
            name: one that no stage or sink has.
            sink: is closed by `remove_sink`, or at the end of the run.

        Raises:
            SinkError: it cannot be opened; the others go on.
            ValueError: the name is taken.
            RuntimeError: the run has ended, or has not begun.
        """
        if name in self._line:
            raise ValueError(f"sink {name!r}: a stage has this name")
        self._tee.add(name, sink)

    def remove_sink(self, name: str) -> None:
        """Let a sink write what it has received, and close it; any other thread may do it.

        Raises:
            KeyError: there is none of this name.
            SinkError: it had failed, or could not be finished.
        """
        self._tee.remove(name)

    def stop(self) -> None:
        """Capture no more; frames on their way are still written. Safe in signal handlers."""
        self._stopping = True
        stop = getattr(self._source, "stop", None)
        if stop is not None:
            stop()

    def abort(self) -> None:
        """End as soon as possible and leave frames on their way out."""
        self.stop()
        for link in self._links.values():
            link.abort()
        self._tee.abort()

    def _capture(self) -> None:
        meter = self._captured
        try:
            frames = iter(self._source)
            while not self._stopping:
                begin_ns, cpu_ns = time.monotonic_ns(), time.thread_time_ns()
                try:
                    frame = next(frames, None)
                except Exception as error:
                    if self._stopping:
                        return  # Nobody waits for it any more.
                    error.add_note(f"in 'capture', after {meter.busy.count} frames")
                    raise
                if frame is None:
                    return
                meter.cpu_ns += time.thread_time_ns() - cpu_ns
                meter.busy.add(time.monotonic_ns() - begin_ns)
                if not self._workers:
                    self._count_faces(frame)
                if not self._put("capture", frame):
                    return
        finally:
            self._end("capture")

    def _pass(self, gate: Gate) -> None:
        meter, inlet = self._gated, self._links[GATE]
        try:
            for frame in inlet.poll(gate.patience_s):
                begin_ns = time.monotonic_ns()
                result = gate(frame)
                meter.busy.add(time.monotonic_ns() - begin_ns)
                if not self._put(GATE, result):
                    return
        finally:
            inlet.abort()
            self._end(GATE)

    def _put(self, writer: str, frame: Frame) -> bool:
        """Put a frame on all outlets of a writer; False when no reader is left on any."""
        reader = self._next.get(writer)
        return self._tee.put(frame) if reader is None else self._links[reader].put(frame)

    def _end(self, writer: str) -> None:
        reader = self._next.get(writer)
        if reader is None:
            self._tee.end()
        else:
            self._links[reader].end()

    def _count_faces(self, frame: Frame) -> None:
        self._faces_found += len(frame.faces)
        self._faces_swapped += sum(face.swap is not None for face in frame.faces)
        self._frames_without_face += not frame.faces

    def report(self) -> Report:
        """Counters so far; callable at any time from any thread."""
        branches = self._tee.branches
        first = branches[0]
        # Before anything is written, time runs on: a rate of 0, not of infinity.
        end_ns = first.last_write_ns or time.monotonic_ns()
        wall_ns = max(end_ns - self._started_ns, 1)
        line = {
            f"{writer} -> {reader}": self._links[reader].stats
            for writer, reader in self._next.items()
        }
        outlets = {f"{self._line[-1]} -> {branch.name}": branch.link.stats for branch in branches}
        on_the_way = [*line.values(), first.link.stats]
        workers = self._workers.values()
        meters = {"capture": self._captured}
        meters |= {worker.name: worker.meter for worker in workers}
        meters |= {} if self._gate is None else {GATE: self._gated}
        meters |= {branch.name: branch.meter for branch in branches}
        p50, p95, p99 = first.ages.percentiles_ms(50, 95, 99)
        return Report(
            frames_in=self._captured.busy.count,
            frames_out=first.meter.busy.count,
            dropped=sum(link.dropped for link in on_the_way)
            + sum(worker.left_out for worker in workers),
            failed=sum(worker.failed for worker in workers),
            held=0 if self._gate is None else self._gate.held,
            withheld=0 if self._gate is None else self._gate.withheld,
            unproven=0 if self._gate is None else self._gate.unproven,
            faces_found=self._faces_found,
            faces_swapped=self._faces_swapped,
            frames_without_face=self._frames_without_face,
            wall_s=wall_ns / 1e9,
            age_ms=Percentiles(p50, p95, p99),
            stages={name: _summary(meter, wall_ns) for name, meter in meters.items()},
            links=line | outlets,
            source=dict(self._source.health()) if isinstance(self._source, Monitored) else {},
            sinks=self._tee.health(),
            live=self._live,
            stamps={branch.name: branch.stamps.report() for branch in branches if branch.stamps},
        )


def _frames_at_once(stage: Stage) -> int:
    return stage.frames_at_once if isinstance(stage, Batching) else 1


def _summary(meter: StageMeter, wall_ns: int) -> StageReport:
    p50, p95 = meter.busy.percentiles_ms(50, 95)
    frames = meter.busy.count
    return StageReport(
        frames=frames,
        busy_ms_p50=p50,
        busy_ms_p95=p95,
        utilization=min(meter.busy.total_ns / wall_ns, 1.0),
        cpu_ms_mean=meter.cpu_ns / max(frames, 1) / 1e6,
    )
