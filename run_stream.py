"""Swap faces in a file, a camera or a network stream: the command line.

Three words in place of a source do something else: `doctor` examines the machine, `inspect` a
model, `verify` a file for marks of synthetic media.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

if __name__ == "__main__":
    # Libraries take a second to load, in which nothing is begun that would have to be finished.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(130))

from engine.errors import EngineError, one_line
from engine.libraries import loading_native_code
from engine.reports_home import lead_nowhere

try:
    with loading_native_code():
        import click
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

        from engine.blend import BLENDS
        from engine.color import TRANSFERS
        from engine.masks import SHAPES
        from engine.session import DEVICES
        from stream import config
        from stream.devices import list_devices
        from stream.doctor.command import doctor
        from stream.errors import StreamError
        from stream.gate import ON_MISS
        from stream.inspection.command import inspect
        from stream.marking.command import verify
        from stream.pipeline import Pipeline
        from stream.presets import PRESETS
        from stream.report import Report, nothing_swapped, render
        from stream.run import Run
        from stream.sinks.publish import shown
        from stream.sources.failures import without_credentials
        from stream.version import version
except (EngineError, ImportError) as error:
    if sys.argv[1:2] == ["doctor"]:
        # What cannot be loaded is what it is asked about; it loads everything on its own.
        from stream.doctor.command import doctor

        lead_nowhere()
        sys.exit(doctor.main(sys.argv[2:], "run_stream.py doctor", standalone_mode=False))
    if isinstance(error, ImportError):
        raise
    sys.stderr.write(f"error: {error}\n")
    sys.exit(2)

FAILED, USAGE, INTERRUPTED = 1, 2, 130
SIGNALS = (signal.SIGINT, signal.SIGTERM)

SWITCH_INTERVAL_S = 0.0005
"""A thread that holds the GIL gives it up after this time, so that frames change hands fast."""

COMMANDS = {
    "doctor": doctor,
    "inspect": inspect,
    "verify": verify,
    "--list-devices": list_devices,
}
"""First words that are no source; a file of that name can be given as ./doctor."""

SETTINGS = {
    "mask": "blend.mask",
    "color": "blend.color",
    "blend": "blend.blend",
    "faces": "track.max_faces",
    "start": "input.start_s",
    "duration": "input.duration_s",
    "loop": "input.loop",
    "on_miss": "gate.on_miss",
    "label": "marking.label",
    "sign": "marking.sign",
    "host": "web.host",
    "port": "web.port",
    "tls": "web.tls",
}
"""Options that are not called like their setting."""

logger = logging.getLogger(__name__)


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.argument("source", required=False)
@click.option(
    "--out",
    "-o",
    multiple=True,
    metavar="SINK",
    help="FILE.mp4/.mov/.mkv, FOLDER/, PICTURE.png, side-by-side:FILE, virtual-camera, web (panel "
    "in the browser), rtsp:// rtmp:// srt:// udp:// or FOLDER/live.m3u8, or null; repeatable.",
)
@click.option("--model", "-m", metavar="NAME|PATH", help="Bundled persona or an ONNX file.")
@click.option("--live", "mode", flag_value="live", help="Newest picture wins; drop late frames.")
@click.option("--lossless", "mode", flag_value="lossless", help="Process every frame.")
@click.option(
    "--preset",
    type=click.Choice(PRESETS),
    help="Start from these settings; --config, --set and other options win. best: the default. "
    "classic-2018: the classic converter's mean color and blurred box (with --blend poisson: its "
    "seamless mode, with --mask hull: the face's outline). fast: least work.",
)
@click.option("--device", type=click.Choice(DEVICES), help="Where the model runs.")
@click.option("--mask", metavar="SHAPES", help=f"{', '.join(SHAPES)}, or several joined by +.")
@click.option("--color", metavar="TRANSFER", help=f"{', '.join(TRANSFERS)}, or lab+light ...")
@click.option("--blend", type=click.Choice(BLENDS), help="How the new face meets the frame.")
@click.option("--faces", type=click.IntRange(1, 16), help="Swap at most so many faces.")
@click.option("--start", type=click.FloatRange(0), metavar="S", help="Begin at second S.")
@click.option(
    "--duration",
    type=click.FloatRange(0, min_open=True),
    metavar="S",
    help="Take so many seconds; with --loop those again and again.",
)
@click.option("--loop", is_flag=True, default=None, help="Begin a file again when it has ended.")
@click.option("--threads", type=click.IntRange(0), help="Processor threads, 0 for all.")
@click.option(
    "--on-miss",
    type=click.Choice(ON_MISS),
    help="What leaves instead of a face that could not be swapped: the last good picture and then "
    "a slate (hold: live runs), the face covered (blur), a slate, or the frame (pass: files).",
)
@click.option(
    "--stamp",
    is_flag=True,
    default=None,
    help="Paint the time of capture; report how old pictures are.",
)
@click.option(
    "--no-label",
    "label",
    flag_value="off",
    help="Live pictures without the word 'synthetic' in a corner.",
)
@click.option("--sign", is_flag=True, default=None, help="Sign finished files (C2PA).")
@click.option(
    "--i-have-consent",
    metavar="NAME",
    help="You have the consent of whom a model shows that says nothing of it; your name is put "
    "down in the session log.",
)
@click.option("--host", metavar="ADDRESS", help="Where the panel listens; 127.0.0.1 by default.")
@click.option("--port", type=click.IntRange(0, 65_535), help="Of the panel; 0 for any free one.")
@click.option("--tls", is_flag=True, default=None, help="Serve the panel by HTTPS.")
@click.option("--report", type=click.Path(path_type=Path), help="Write the report as JSON.")
@click.option("--config", "file", type=click.Path(path_type=Path), help="Read settings (TOML).")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change a setting.")
@click.option("--quiet", "-q", is_flag=True, help="Print errors only.")
@click.option("--debug", is_flag=True, help="Show tracebacks and log messages.")
@click.version_option(version())
def stream(
    *,
    report: Path | None,
    file: Path | None,
    overrides: tuple[str, ...],
    quiet: bool,
    debug: bool,
    **settings: Any,
) -> int:
    """Swap the faces in SOURCE into a fictional persona.

    SOURCE is a video file, a picture, a folder of pictures, a camera (0, /dev/video0), a
    network URL (rtsp://, rtmp://, http://, ...), 'screen', 'browser' (the camera of whoever opens
    the panel), or 'demo', the clip that comes along.

    Three words in place of SOURCE do something else: 'doctor' says whether this machine can run it
    all, and how to mend what cannot; 'inspect MODEL' looks into a model file; 'verify FILE' says
    whether a file is marked as synthetic, and untouched since it was signed. '--list-devices'
    (with '--json' for programs) shows cameras, their formats, sizes and rates, and screens.
    """
    logging.basicConfig(
        level=logging.DEBUG if debug else logging.WARNING, format="%(levelname)s: %(message)s"
    )
    # The compiler describes every instruction at debug level.
    logging.getLogger("numba").setLevel(logging.WARNING)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    options = {
        SETTINGS.get(name, name): value
        for name, value in settings.items()
        if value not in {None, ()}
    }
    console = Console(stderr=True, quiet=quiet)
    try:
        run = Run(config.load(file, overrides, options), partial(say, console))
        if report is not None:
            check_report(report)
        with run:
            return execute(run, report, console)
    except (StreamError, EngineError) as error:
        return fail(error, USAGE)


def execute(run: Run, report: Path | None, console: Console) -> int:
    """Run the pipeline, show its progress, and report however it ends."""
    settings, info = run.config, run.info
    say(
        console,
        f"{info.url} {info.width}x{info.height} -> {', '.join(map(shown, settings.out))}: "
        f"{settings.model} on {run.device}, {settings.mode}",
    )
    code = 0
    failure: Exception | None = None
    with signals_end(run.pipeline) as interrupted:
        try:
            with progress(run, console) as watch:
                run.pipeline.run(watch)
            code = INTERRUPTED if interrupted else 0
        except (StreamError, EngineError) as error:
            # Nothing moved yet: what was asked for is wrong, not what happened on the way.
            code = FAILED if run.pipeline.report().frames_in else USAGE
            failure = error
        finally:
            result = run.pipeline.report()
            if result.frames_in:
                console.print(render(result))
            if run.faces_unusable:
                say(
                    console,
                    f"model {settings.model}: {run.faces_unusable} faces left as they were, "
                    "its answer was no picture (one value only, or no numbers)",
                )
            if run.mask_fallbacks:
                say(
                    console,
                    f"mask {settings.blend.mask}: {run.mask_fallbacks} faces got the hull instead, "
                    "where no skin was found or the model gave no mask",
                )
            if report is not None:
                written = write_report(report, run.to_json(result))
                code = code or written
            if warning := nothing_swapped(result):
                say(console, f"warning: {warning}")
            if interrupted:
                say(console, ended_by(interrupted))
            if failure is not None:
                # Last, where it does not scroll away.
                fail(failure, code)
    return code


def ended_by(signals: list[int]) -> str:
    """What to say of a run that signals have ended."""
    by = f"interrupted by {signal.Signals(signals[0]).name}"
    if len(signals) > 1:
        return f"{by}, twice: frames on their way were left out"
    return f"{by}: what had been captured was finished"


def say(console: Console, line: str) -> None:
    """Tell the user one line, as it is."""
    console.print(line, markup=False, soft_wrap=True, highlight=False)


@contextmanager
def progress(run: Run, console: Console) -> Iterator[Any]:
    """A line that shows rate, drops, frame age and the slowest stage while streaming."""
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        console=console,
        transient=True,
    ) as bars:
        task = bars.add_task("starting", total=run.info.frames)

        def watch(report: Report) -> None:
            bars.update(
                task,
                completed=report.frames_out,
                description=f"{report.fps:5.1f} fps, {report.dropped} dropped, "
                f"age {report.age_ms.p50:.0f} ms, slowest {report.bottleneck}",
            )

        yield watch


@contextmanager
def signals_end(pipeline: Pipeline) -> Iterator[list[int]]:
    """First Ctrl-C (or SIGTERM) drains the pipeline, the second aborts it.

    Yields:
        The signals that came.
    """
    received: list[int] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        if len(received) == 1:
            pipeline.stop()
        else:
            pipeline.abort()

    before = [signal.signal(number, handle) for number in SIGNALS]
    try:
        yield received
    finally:
        for number, handler in zip(SIGNALS, before, strict=True):
            signal.signal(number, handler)


def check_report(path: Path) -> None:
    """Fail now, not after the run, if the report cannot be written."""
    existed = path.exists()
    try:
        path.open("a", encoding="utf-8").close()
        if not existed:
            path.unlink()
    except OSError as error:
        raise StreamError(f"--report {path}: {error.strerror}; choose another place") from error


def write_report(path: Path, content: dict[str, Any]) -> int:
    """Write the report as JSON; returns the exit code of that."""
    try:
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        return complain(f"--report {path}: cannot be written: {error.strerror}", FAILED)
    return 0


def fail(error: Exception, code: int) -> int:
    """Print what went wrong, and where if that is known; pass the exit code on."""
    logger.debug("raised here:", exc_info=error)
    notes = "".join(f" ({note})" for note in getattr(error, "__notes__", ()))
    return complain(f"{error}{notes}", code)


def complain(message: str, code: int) -> int:
    """Print one line, pass the exit code on; whatever is in it, the terminal shows it as text."""
    click.echo(f"error: {one_line(without_credentials(message))}", err=True)
    return code


def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    """Let a command tidy up; whoever asks again does not wait for that."""
    for number in SIGNALS:
        signal.signal(number, leave)
    raise KeyboardInterrupt


def leave(_number: int, _frame: FrameType | None) -> NoReturn:
    """End at once: while nothing moves yet, there is nothing to finish.

    An exception raised here could be swallowed by native code, or leave a library's lock held for
    ever: llvmlite's, on which another thread then waits.
    """
    os._exit(INTERRUPTED)


def main() -> int:
    """Entry point of the program: parse, run, and turn every error into one line."""
    name, rest = "".join(sys.argv[1:2]), sys.argv[2:]
    for number in SIGNALS:
        signal.signal(number, interrupt if name in COMMANDS else leave)
    if name in COMMANDS and hasattr(signal, "SIGPIPE"):
        # `verify FILE | head` is no verdict: the pipe's end shows in the exit code as usual.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    lead_nowhere()
    try:
        if name in COMMANDS:
            command = COMMANDS[name]
            return int(command.main(rest, f"run_stream.py {name}", standalone_mode=False) or 0)
        return int(stream.main(standalone_mode=False) or 0)
    except click.ClickException as error:
        return complain(error.format_message(), error.exit_code)
    except click.Abort as error:  # click's word for KeyboardInterrupt, and for any EOFError
        cause = error.__cause__
        return last_resort(cause) if isinstance(cause, EOFError) else INTERRUPTED
    except Exception as error:  # noqa: BLE001 - whatever it is, the user gets one line
        return last_resort(error)


def last_resort(error: Exception) -> int:
    """Make one line, and the exit code, of what nobody else has handled."""
    logger.debug("raised here:", exc_info=error)
    if isinstance(error, (StreamError, EngineError, OSError)):  # a path beyond looking at
        return fail(error, USAGE)
    return complain(f"unexpected {type(error).__name__}: {error}; see --debug", FAILED)


if __name__ == "__main__":
    sys.exit(main())
