"""Files that are signed when they are finished, and whose making is put down beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from stream.config import Config
from stream.errors import ConfigError
from stream.frame import Frame, SourceInfo
from stream.outputs import WEB, file_of
from stream.session_log import SessionLog, beside, in_state_folder, sha256, wanted
from stream.sinks import Sink

if TYPE_CHECKING:
    from stream.marking.certificate import Identity


class Sign(Protocol):
    """Signs a finished file in its place, as synthetic if a swapped face may be seen in it."""

    def __call__(self, path: Path, /, *, swapped: bool) -> None:
        """Raises SinkError if it cannot be signed; the unsigned file is as it was."""


class Documents:
    """What is done with the files of one run, as its settings ask."""

    def __init__(
        self,
        config: Config,
        info: SourceInfo,
        facts: Callable[[], Mapping[str, Any]],
        *,
        live: bool,
    ) -> None:
        """Prepare it; a certificate is made if there is none and one is needed.

        Args:
            config: with every choice resolved.
            info: of the source.
            facts: what is known of the run at the time of the call, see `session_log.facts`.
            live: frames come in real time.

        Raises:
            ConfigError: files cannot be signed as asked for.
        """
        self._facts = facts
        self._logged = wanted(config, live=live)
        self._identity = _identity(config) if config.marking.sign else None
        source = Path(info.url)
        self._source = source if "://" not in info.url and source.is_file() else None
        self._files = [path for url in config.out if (path := file_of(url)) is not None]
        self._vouched = bool(config.i_have_consent)

    def around(self, sink: Sink, path: Path) -> Sink:
        """The sink with what is to be done when its file is closed."""
        sign = None
        if self._identity is not None:
            from stream.marking import c2pa  # noqa: PLC0415 - an extra

            model = str(self._facts()["model"]["name"])
            sign = partial(c2pa.sign, source=self._source, identity=self._identity, model=model)
        if not self._logged and sign is None:
            return sink
        return Documented(sink, path, self._facts if self._logged else None, sign)

    def around_output(self, sink: Sink, url: str) -> Sink:
        """The same for an output; one that is no file stays as it is."""
        path = file_of(url)
        return sink if path is None else self.around(sink, path)

    def note_without_file(self) -> Path | None:
        """Put down who vouches for consent when no file is there to put it beside.

        Returns:
            Where, or None if there is nothing to put down.

        Raises:
            SinkError: it cannot be written.
        """
        if self._files or not self._logged or not self._vouched:
            return None
        path = in_state_folder()
        SessionLog(path).note("start", self._facts())
        return path


def _identity(config: Config) -> Identity:
    if find_spec("c2pa") is None or find_spec("cryptography") is None:
        raise ConfigError(
            "--sign: c2pa-python is not installed; install it with `pip install 'facestream[sign]'`"
        )
    from stream.marking import c2pa, certificate  # noqa: PLC0415 - an extra

    if WEB not in config.out and not any(map(file_of, config.out)):
        raise ConfigError(
            f"--sign: no file among the outputs ({', '.join(config.out)}); add one, such as "
            "-o FILE.mp4, or leave --sign out"
        )
    for url in config.out:
        path = file_of(url)
        if path is not None and path.suffix.lower() not in c2pa.FORMATS:
            raise ConfigError(
                f"--sign {url}: C2PA knows no signature for this kind of output; write one of "
                f"{', '.join(c2pa.FORMATS)}, or leave --sign out"
            )
    chosen = config.marking
    if chosen.certificate:
        return certificate.load(Path(chosen.certificate), Path(chosen.key))
    return certificate.own()


class Documented:
    """Passes frames on, and sees to the file once it is closed."""

    def __init__(
        self,
        sink: Sink,
        path: Path,
        facts: Callable[[], Mapping[str, Any]] | None,
        sign: Sign | None,
    ) -> None:
        """Wrap a sink; nothing is opened.

        Args:
            sink: writes the file.
            path: of the file, or of a folder of pictures.
            facts: what is known of the run, for the log; None for no log.
            sign: signs the finished file; None for no signature.
        """
        self._sink = sink
        self._path = path
        self._facts = facts
        self._sign = sign
        self._frames = self._with_swap = 0
        self._start: Mapping[str, Any] | None = None
        self._log: SessionLog | None = None
        self.leaky = sink.leaky

    def __enter__(self) -> Self:
        if self._facts is not None:
            self._start = {"file": self._path.name, **self._facts()}
        self._sink.__enter__()
        return self

    def write(self, frame: Frame) -> None:
        """Writes one frame; raises what the sink raises, and SinkError if there is no log."""
        if self._start is not None and self._log is None:
            # Not before: until a frame comes, the last run's file and log stay together.
            self._log = SessionLog(beside(self._path))
            self._log.note("start", self._start)
        self._sink.write(frame)
        self._frames += 1
        # What is repeated shows what was swapped before, or a slate: none of it the source's.
        self._with_swap += frame.held or any(face.swap is not None for face in frame.faces)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        failure = error
        try:
            self._sink.__exit__(kind, error, trace)
            if self._sign is not None and self._written():
                self._sign(self._path, swapped=self._with_swap > 0)
        except BaseException as later:
            failure = failure or later
            raise
        finally:
            if self._log is not None:
                self._log.note("end", self._result(failure))

    def _written(self) -> bool:
        # Without a frame it is what another run has left there.
        return self._frames > 0 and self._path.is_file()

    def _result(self, failure: BaseException | None) -> dict[str, Any]:
        written = self._written()
        return {
            # It may have been changed on the way.
            "model": self._facts()["model"] if self._facts is not None else None,
            "frames": self._frames,
            "frames_with_swap": self._with_swap,
            "file": self._path.name,
            "bytes": self._path.stat().st_size if written else None,
            "sha256": sha256(self._path) if written else None,
            "signed": written and self._sign is not None and failure is None,
            "error": str(failure) if failure is not None else None,
        }
