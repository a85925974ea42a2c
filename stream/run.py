"""One run: from settings to a pipeline that is ready to go."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import cv2

from engine import assets, blend, models
from engine.execution.loading import engine_can_be_built
from engine.session import Device
from engine.swap import Swapper
from engine.track import FaceTracker
from stream import stages
from stream.config import Config, shareable
from stream.consent import check_consent
from stream.control import Control
from stream.documented import Documents
from stream.engine_build import EngineBuild, command
from stream.errors import ConfigError
from stream.frame import SourceInfo
from stream.gate import Gate
from stream.live_settings import LiveSettings
from stream.marking.label import Label
from stream.marking.watermark import Watermark
from stream.outputs import BROWSER, PUBLISH, SIDE_BY_SIDE, WEB, check_outputs, default_outputs
from stream.pipeline import Pipeline
from stream.processors import Threads, available_threads
from stream.recording import Recorder
from stream.report import Report
from stream.session_log import facts
from stream.sinks import Sink, open_sink
from stream.sinks.publish import Publisher, is_receiver
from stream.sources import Source, open_source
from stream.sources.stamped import Stamped
from stream.worker import Stage

if TYPE_CHECKING:
    from stream.web.server import WebServer


BATCH_FRAMES = 8
"""More gain nothing: by then a processor computes at full speed, and reads each weight seldom."""


class Run:
    """Everything that a run needs, opened on entering and closed on leaving.

    Models are loaded and warmed up before the source is opened: loading holds the GIL, and
    a camera or server must not wait meanwhile.

    Attributes:
        config: with every choice that was left open resolved.
        info: of the source.
        source: opened; iterated by the pipeline.
        stages: the pipeline's, by name.
        pipeline: ready to run.
        device: what the model runs on.
    """

    config: Config
    info: SourceInfo
    source: Source
    stages: Mapping[str, Stage]
    pipeline: Pipeline
    device: str

    def __init__(
        self,
        config: Config,
        notify: Callable[[str], None] = lambda _: None,
        load_model: Callable[[Path, Device, int], Swapper] = Swapper,
    ) -> None:
        """Take the settings; nothing is opened yet.

        Args:
            config: what was asked for.
            notify: told at once what the user has to know before anything moves.
            load_model: called with file, device and threads; `SharedModels` for several runs.

        Raises:
            ConfigError: settings that do not fit together.
            SourceError: a kind of source that does not exist.
            ModelError: a model that does not exist.
        """
        threads = config.threads or available_threads()
        share = Threads.share(threads)
        if not config.source:
            raise ConfigError("source is empty; expected a file, a folder, a camera or a URL")
        out = config.out or default_outputs(config.source)
        check_outputs(out)
        # Receivers play what they get as it comes: a file for them takes its own time.
        publishes = any(is_receiver(url) for url in out)
        paced = config.input.paced or config.mode == "live" or publishes
        self.config = replace(
            config,
            threads=threads,
            out=out,
            input=replace(config.input, threads=config.input.threads or share.decoder, paced=paced),
            output=replace(config.output, threads=config.output.threads or share.encoder),
        )
        self._threads = share
        self._blender = blend.Blender(config.blend)
        models.model_path(config.model)
        self._notify = notify
        self._load_model = load_model
        self._web: WebServer | None = None
        if config.source == BROWSER or WEB in out:
            # Not before it is needed: a web framework takes a second to load.
            from stream.web.server import WebServer  # noqa: PLC0415

            self._web = WebServer(self.config.web)
        source = self._open_source()
        self.source = Stamped(source) if config.stamp else source
        self._opened = ExitStack()
        # The panel is there before the pipeline, and may change what that is made of.
        self._changing = threading.Lock()
        self._ready = False

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            cv2.setNumThreads(1)
            blend.warm_up(self.config.blend)
            watermark = Watermark() if self.config.marking.watermark else None
            self._swap = stages.Swap(self._swapper, self.config.model)
            opened.callback(self._swap.close)
            self.device = self._swap.swapper.device
            recorder = Recorder(Path(self.config.recordings), self.config.output)
            if self._web is not None:
                # A browser that is to be the source needs the page before the first picture.
                opened.enter_context(self._web)
                self._web.attach(Control(self, recorder))
                if self.config.source == BROWSER:
                    self._notify(f"panel: {self._web.url}")
            source = opened.enter_context(self.source)
            self.info = source.info
            mode = self.config.mode
            live = self.info.live if mode == "auto" else mode == "live"
            with self._changing:
                self.config = replace(self.config, mode="live" if live else "lossless")
                self.pipeline = self._assembled(source, opened, watermark, live=live)
                self._ready = True
            recorder.attach(self.pipeline, self._documents.around)
            if self._web is not None and self.config.source != BROWSER:
                # Not for a source that cannot be opened: its panel would be gone at once.
                self._notify(f"panel: {self._web.url}")
            if live and self.config.device == "auto" and self.device == "cuda":
                self._build_engine(opened)
            self._opened = opened.pop_all()
        return self

    def _assembled(
        self, source: Source, opened: ExitStack, watermark: Watermark | None, *, live: bool
    ) -> Pipeline:
        marking = self.config.marking
        self._swap.frames_at_once = self._batch_frames()
        size = (self.info.width, self.info.height)
        label = Label(marking.text) if marking.shows_label(live=live) else None
        gate = Gate(self.config.gate, live=live, size=size, label=label)
        self._detect = stages.Detect(self._tracker, self.config.track.max_faces, gate.bystanders)
        opened.callback(self._detect.close)
        self.stages = {
            "detect": self._detect,
            "swap": self._swap,
            "blend": stages.Blend(self._blender, self._wants_original, watermark),
        }
        self._documents = Documents(self.config, self.info, self._facts, live=live)
        if (log := self._documents.note_without_file()) is not None:
            self._notify(f"session log: {log}")
        return Pipeline(
            source, self.stages, self._sinks(), live=live, gate=gate, stamped=self.config.stamp
        )

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def _tracker(self, faces: int) -> FaceTracker:
        path = self.config.landmark_model
        return FaceTracker(
            assets.landmark_model(Path(path) if path else None),
            replace(self.config.track, max_faces=faces),
        )

    def _swapper(self, model: str) -> Swapper:
        path = models.model_path(model)
        swapper = self._load_model(path, self.config.device, self._threads.inference)
        check_consent(swapper.info, model, self.config.i_have_consent)
        return swapper

    def _batch_frames(self) -> int:
        if self.config.batch_frames:
            return self.config.batch_frames
        # What comes at its own pace waits for no other.
        return 1 if self.info.live or self.config.input.paced else BATCH_FRAMES

    def _build_engine(self, opened: ExitStack) -> None:
        """Let TensorRT take over from CUDA once its engine is built, if it is installed.

        Not in a lossless run: when that happens must not show in a file.
        """
        path = models.model_path(self.config.model)
        if engine_can_be_built(path):
            opened.enter_context(EngineBuild(command(path), self._use_engine))

    def _use_engine(self) -> None:
        self._swap.restart()
        self.device = self._swap.swapper.device

    def _open_source(self) -> Source:
        if self._web is not None and self.config.source == BROWSER:
            return self._web.camera(self.config.input)
        return open_source(self.config.source, self.config.input)

    def _sinks(self) -> dict[str, Sink]:
        receivers = [url for url in self.config.out if is_receiver(url)]
        others = [url for url in self.config.out if not is_receiver(url)]
        sinks = {url: self._sink(url) for url in others}
        if receivers:
            sinks[PUBLISH] = Publisher(receivers, self.info, self.config.publish)
        return sinks

    def _sink(self, url: str) -> Sink:
        if self._web is not None and url == WEB:
            paced = self.config.input.paced or self.info.live
            return self._web.sink(self.info.audio if paced else None)
        sink = open_sink(url, self.info, self.config.output)
        return self._documents.around_output(sink, url)

    def _wants_original(self) -> bool:
        if self._web is not None and self._web.wants_original:
            return True
        return any(url.startswith(SIDE_BY_SIDE) for url in self.config.out)

    @property
    def source_info(self) -> SourceInfo | None:
        """Of the source; None before the pipeline exists."""
        return self.info if self._ready else None

    @property
    def live_settings(self) -> LiveSettings:
        """What can be changed while frames flow, and what it is now."""
        config = self.config
        return LiveSettings(config.blend, config.track.max_faces, config.model)

    def apply(self, settings: LiveSettings) -> None:
        """Put other settings into force with the next frame.

        Any thread may call it. It returns when models are loaded and loops are compiled.

        Raises:
            EngineError: a model that cannot be used; nothing was changed.
        """
        with self._changing:
            config = self.config
            if settings.model != config.model:
                self._swap.use(settings.model)
                self.device = self._swap.swapper.device
            if settings.blend != config.blend:
                self._blender.update(settings.blend)
            if settings.faces != config.track.max_faces and self._ready:
                self._detect.follow(settings.faces)
            track = replace(config.track, max_faces=settings.faces)
            self.config = replace(config, blend=settings.blend, track=track, model=settings.model)

    def _facts(self) -> dict[str, Any]:
        model = models.model_path(self.config.model)
        return facts(self.config, self.info, model, self._swap.swapper.info)

    def report(self) -> Report | None:
        """Counters so far; None before the pipeline exists."""
        return self.pipeline.report() if self._ready else None

    def describe(self) -> dict[str, Any]:
        """Model, device and mode, as plain values."""
        return {
            "model": self.config.model,
            "device": self.device,
            "mode": self.config.mode,
        }

    @property
    def mask_fallbacks(self) -> int:
        """How many faces got the hull, because the mask that was asked for was not to be had."""
        return self._blender.mask_fallbacks

    @property
    def faces_unusable(self) -> int:
        """How many faces stayed as they are, because the model's answer was no picture."""
        return self._blender.faces_unusable

    def to_json(self, report: Report) -> dict[str, Any]:
        """The report with what it was measured on, as plain values without credentials."""
        return report.to_json() | {
            "device": self.device,
            "model": self.config.model,
            "mask_fallbacks": self.mask_fallbacks,
            "faces_unusable": self.faces_unusable,
            "settings": shareable(self.config),
        }
