"""Source, stages and sinks as concurrent threads linked by bounded queues."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from typing import TypeAlias

from stream.frame import AudioPacket, Frame
from stream.link import Link
from stream.report import Percentiles, Report, Samples, StageMeter, StageReport
from stream.sinks import Sink
from stream.threads import ThreadGroup

Stage: TypeAlias = Callable[[Frame], Frame | None]
"""Takes a frame, returns the changed frame, or None to drop it. Called by one thread only."""

LIVE_CAPACITY = 1
LOSSLESS_CAPACITY = 4
SINK_CAPACITY = 8


def hand_on_audio(dropped: Frame, successor: Frame) -> Frame:
    """Let the sound of a dropped picture travel with the next one."""
    if not dropped.audio:
        return successor
    return replace(successor, audio=dropped.audio + successor.audio)


class Pipeline:
    """Moves frames from a source through stages to sinks, one thread each.

    Frames leave in capture order. A *live* pipeline drops the oldest waiting frame at the
    first link when the stages are slower than the source; everything else waits, so a
    lossless pipeline drops nothing. A sink that calls itself `leaky` gets a leaky link.

    The stages end one after the other: whoever ends, closes its inlet for the writer before
    it and its outlets for the readers after it. A failure therefore stops what lies before
    it, while what lies behind it still writes every frame that it has received.
    """

    def __init__(
        self,
        source: Iterable[Frame],
        stages: Mapping[str, Stage],
        sinks: Mapping[str, Sink],
        *,
        live: bool,
    ) -> None:
        """Build the links; nothing runs yet.

        Args:
            source: opened, iterated by the capture thread.
            stages: by name, in order. The name is used for threads, reports and errors.
            sinks: by name; entered and left by `run`. They share each frame, and must not
                change it.
            live: drop late frames at the first link instead of making the source wait.
        """
        if not sinks:
            raise ValueError("a pipeline needs at least one sink")
        names = ["capture", *stages, *sinks]
        if len(set(names)) != len(names):
            raise ValueError(f"stages and sinks need different names, got {names}")
        self._source = source
        self._stages = dict(stages)
        self._sinks = dict(sinks)
        self._live = live
        # A plain flag: an event has a lock, and signal handlers interrupt each other.
        self._stopping = False
        self._group = ThreadGroup(cancel=self.stop)
        self._meters = {name: StageMeter() for name in names}
        self._ages = Samples()
        self._links: dict[str, Link[Frame]] = {}
        self._inlets: dict[str, Link[Frame]] = {}
        self._outlets: dict[str, list[Link[Frame]]] = {}
        self._connect()
        self._frames_in = self._left_out = 0
        self._faces_found = self._faces_swapped = self._frames_without_face = 0
        self._started_ns = self._last_write_ns = 0

    def _connect(self) -> None:
        capacity = LIVE_CAPACITY if self._live else LOSSLESS_CAPACITY
        previous = "capture"
        for index, name in enumerate(self._stages):
            self._add_link(previous, name, capacity, leaky=self._live and index == 0)
            previous = name
        for name, sink in self._sinks.items():
            leaky = sink.leaky or (self._live and not self._stages)
            self._add_link(previous, name, SINK_CAPACITY, leaky=leaky)

    def _add_link(self, writer: str, reader: str, capacity: int, *, leaky: bool) -> None:
        link: Link[Frame] = Link(capacity, leaky=leaky, hand_on=hand_on_audio)
        self._links[f"{writer} -> {reader}"] = link
        self._inlets[reader] = link
        self._outlets.setdefault(writer, []).append(link)

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
        with ExitStack() as opened:
            for sink in self._sinks.values():
                opened.enter_context(_open(sink))
            self._started_ns = time.monotonic_ns()
            with self._group:
                self._start_all()
                while not self._group.join(watch_every_s):
                    if watch is not None:
                        watch(self.report())
        return self.report()

    def _start_all(self) -> None:
        # From the end to the start: nothing is produced before it can be taken.
        try:
            for name, sink in self._sinks.items():
                self._start(name, partial(self._deliver, name, sink))
            for name, stage in reversed(self._stages.items()):
                self._start(name, partial(self._work, name, stage))
            self._start("capture", self._capture)
        except BaseException:
            self.abort()  # Those that run already wait for threads that never come.
            raise

    def _start(self, name: str, target: Callable[[], None]) -> None:
        self._group.start(f"facestream-{name}", target)

    def stop(self) -> None:
        """Capture no more; frames on their way are still written. Safe in signal handlers."""
        self._stopping = True

    def abort(self) -> None:
        """End as soon as possible and leave frames on their way out."""
        self._stopping = True
        for link in self._links.values():
            link.abort()

    def _capture(self) -> None:
        meter, outlets = self._meters["capture"], self._outlets["capture"]
        try:
            frames = iter(self._source)
            while not self._stopping:
                begin_ns, cpu_ns = time.monotonic_ns(), time.thread_time_ns()
                try:
                    frame = next(frames, None)
                except Exception as error:
                    if self._stopping:
                        return  # Nobody waits for it any more.
                    error.add_note(f"in 'capture', after {self._frames_in} frames")
                    raise
                if frame is None:
                    return
                meter.cpu_ns += time.thread_time_ns() - cpu_ns
                meter.busy.add(time.monotonic_ns() - begin_ns)
                self._frames_in += 1
                if not self._stages:
                    self._count_faces(frame)
                if not _put_all(outlets, frame):
                    return
        finally:
            for link in outlets:
                link.end()

    def _work(self, name: str, stage: Stage) -> None:
        meter, inlet, outlets = self._meters[name], self._inlets[name], self._outlets[name]
        is_last = name == next(reversed(self._stages))
        unheard: tuple[AudioPacket, ...] = ()
        try:
            for frame in inlet:
                result = _call(name, stage, frame, meter)
                if result is None:
                    self._left_out += 1
                    unheard += frame.audio
                    continue
                if unheard:
                    result, unheard = replace(result, audio=unheard + result.audio), ()
                if is_last:
                    self._count_faces(result)
                if not _put_all(outlets, result):
                    return
        finally:
            inlet.abort()
            for link in outlets:
                link.end()

    def _deliver(self, name: str, sink: Sink) -> None:
        meter, inlet = self._meters[name], self._inlets[name]
        is_first = name == next(iter(self._sinks))
        try:
            for frame in inlet:
                _call(name, sink.write, frame, meter)
                if is_first:
                    self._last_write_ns = time.monotonic_ns()
                    self._ages.add(self._last_write_ns - frame.captured_ns)
        finally:
            inlet.abort()

    def _count_faces(self, frame: Frame) -> None:
        self._faces_found += len(frame.faces)
        self._faces_swapped += sum(face.swap is not None for face in frame.faces)
        self._frames_without_face += not frame.faces

    def report(self) -> Report:
        """Counters so far; callable at any time from any thread."""
        # Before anything is written, time runs on: a rate of 0, not of infinity.
        end_ns = self._last_write_ns if self._ages.count else time.monotonic_ns()
        wall_ns = max(end_ns - self._started_ns, 1)
        links = {name: link.stats for name, link in self._links.items()}
        first_sink = next(iter(self._sinks))
        p50, p95, p99 = self._ages.percentiles_ms(50, 95, 99)
        return Report(
            frames_in=self._frames_in,
            frames_out=self._meters[first_sink].busy.count,
            dropped=sum(link.dropped for link in links.values()) + self._left_out,
            faces_found=self._faces_found,
            faces_swapped=self._faces_swapped,
            frames_without_face=self._frames_without_face,
            wall_s=wall_ns / 1e9,
            age_ms=Percentiles(p50, p95, p99),
            stages={name: _summary(meter, wall_ns) for name, meter in self._meters.items()},
            links=links,
            live=self._live,
        )


@contextmanager
def _open(sink: Sink) -> Iterator[None]:
    """Enter and leave a sink; what fails while leaving does not hide an earlier failure."""
    sink.__enter__()
    try:
        yield
    except BaseException as first:
        try:
            sink.__exit__(type(first), first, first.__traceback__)
        except Exception as later:  # noqa: BLE001 - attached to the first
            first.add_note(f"later also: {type(later).__name__}: {later}")
        raise
    else:
        sink.__exit__(None, None, None)


def _call(
    name: str, function: Callable[[Frame], Frame | None], frame: Frame, meter: StageMeter
) -> Frame | None:
    begin_ns, cpu_ns = time.monotonic_ns(), time.thread_time_ns()
    try:
        result = function(frame)
    except Exception as error:
        error.add_note(f"in '{name}', frame {frame.seq}, {frame.pts_ns / 1e9:.3f} s")
        raise
    meter.cpu_ns += time.thread_time_ns() - cpu_ns
    meter.busy.add(time.monotonic_ns() - begin_ns)
    return result


def _put_all(links: Sequence[Link[Frame]], frame: Frame) -> bool:
    """Put a frame on all links; False when no reader is left on any of them."""
    taken = [link.put(frame) for link in links]
    return any(taken)


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
