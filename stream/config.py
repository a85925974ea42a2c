"""Settings of a run: frozen dataclasses, one TOML file, overrides; an unknown key is an error."""

from __future__ import annotations

import dataclasses
import difflib
import math
import tomllib
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar, Union, get_args, get_origin, get_type_hints

from engine.blend import BlendSettings
from engine.errors import EngineError
from engine.execution.tuning import MOST_ROWS
from engine.session import Device
from engine.track import TrackSettings
from stream import presets
from stream.errors import ConfigError
from stream.gate import GateSettings
from stream.marking.settings import MarkingSettings
from stream.presets import Preset
from stream.sinks import SinkSettings
from stream.sinks.publish import PublishSettings, shown
from stream.sources import SourceSettings
from stream.sources.failures import without_credentials
from stream.web.settings import WebSettings

T = TypeVar("T")

SessionLogPolicy: TypeAlias = Literal["auto", "on", "off"]
"""`auto`: in live runs. Where somebody vouches for a model's consent it is written in any case."""


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that a run can be told.

    Attributes:
        source: see `stream.sources.open_source`.
        out: sinks, see `stream.sinks.open_sink`; empty for the source's default.
        preset: what `load` starts from, see `stream.presets`.
        model: name of a bundled model, or a path to an ONNX file.
        mode: `live` drops late frames, `lossless` drops nothing, `auto` is live for cameras
            and networks.
        device: where the model runs.
        threads: processor threads to share among all stages, 0 for all processors.
        batch_frames: how many frames' faces go through the model at once in a lossless run, 0
            for a good number. They wait for each other, so that a result never depends on how
            busy the machine was.
        landmark_model: path of a face_landmarker.task file, empty to look for it.
        stamp: paint the time of capture into every picture, see `stream.stamp`, and report how old
            pictures are at each sink.
        recordings: folder of the files that are started while the stream runs.
        session_log: put down beside each file what was done; `auto` in live runs.
        i_have_consent: name of whoever has the consent of the person whom a model shows, for
            models that say nothing of it.
        input, track, blend, gate, marking, output, publish, web: settings of the parts.
    """

    source: str = "demo"
    out: tuple[str, ...] = ()
    preset: Preset = "best"
    model: str = "maro"
    mode: Literal["auto", "live", "lossless"] = "auto"
    device: Device = "auto"
    threads: int = 0
    batch_frames: int = 0
    landmark_model: str = ""
    stamp: bool = False
    recordings: str = "recordings"
    session_log: SessionLogPolicy = "auto"
    i_have_consent: str = ""
    input: SourceSettings = field(default_factory=SourceSettings)
    track: TrackSettings = field(default_factory=TrackSettings)
    blend: BlendSettings = field(default_factory=BlendSettings)
    gate: GateSettings = field(default_factory=GateSettings)
    marking: MarkingSettings = field(default_factory=MarkingSettings)
    output: SinkSettings = field(default_factory=SinkSettings)
    publish: PublishSettings = field(default_factory=PublishSettings)
    web: WebSettings = field(default_factory=WebSettings)

    def __post_init__(self) -> None:
        if self.threads < 0:
            raise ConfigError(
                f"threads is {self.threads}; expected 1 or more, or 0 for all processors"
            )
        if not 0 <= self.batch_frames <= MOST_ROWS:
            raise ConfigError(
                f"batch_frames is {self.batch_frames}; expected 1 to {MOST_ROWS}, or 0 for "
                "a good number"
            )


def load(file: Path | None, overrides: Iterable[str], options: Mapping[str, Any]) -> Config:
    """Combine a preset, a TOML file, `key=value` overrides and options; the later win.

    The preset is the one that file, overrides and options together name.

    Args:
        file: TOML file or None.
        overrides: texts such as 'blend.feather=0.2'; the value is TOML, or else plain text.
        options: dotted keys to values; None is "not given".

    Raises:
        ConfigError: an unreadable file, an unknown key, or a value of the wrong kind.
    """
    tree = _read(file) if file else {}
    for text in overrides:
        key, separator, value = text.partition("=")
        if not separator:
            raise ConfigError(
                f"--set {without_credentials(text)!r}: expected key=value, such as "
                "blend.feather=0.2"
            )
        _put(tree, key.strip(), _value(value.strip()))
    for key, value in options.items():
        if value is not None:
            _put(tree, key, value)
    preset = tree.get("preset")
    if preset in presets.PRESETS:  # What else it may be is reported with all other values.
        for key, value in presets.settings(preset).items():
            _put(tree, key, value, replace=False)
    return _build(Config, tree, "")


def shareable(config: Config) -> dict[str, Any]:
    """All settings as plain values, without credentials and secrets."""
    clean = dataclasses.replace(
        config,
        source=without_credentials(config.source),
        out=tuple(shown(url) for url in config.out),
        web=dataclasses.replace(config.web, token=""),
    )
    return dataclasses.asdict(clean)


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"config {file}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # no TOML, no text, or beyond all sense
        raise ConfigError(f"config {file}: not a TOML file ({error})") from error


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text


def _put(tree: dict[str, Any], key: str, value: Any, *, replace: bool = True) -> None:
    *parents, last = key.split(".")
    for parent in parents:
        tree = tree.setdefault(parent, {})
        if not isinstance(tree, dict):
            raise ConfigError(f"{key}: {parent} is a value, not a group of settings")
    if replace or last not in tree:
        tree[last] = value


def _build(kind: type[T], tree: Any, path: str) -> T:
    """Make a settings dataclass from a mapping, checking names and types all the way down."""
    if not isinstance(tree, Mapping):
        raise ConfigError(f"{path or 'config'} is {tree!r}, expected a group of settings")
    hints = get_type_hints(kind)
    fields = {item.name: item for item in dataclasses.fields(kind)}  # type: ignore[arg-type]
    names = list(fields)
    prefix = f"{path}." if path else ""
    values = {}
    for key, value in tree.items():
        dotted = prefix + key
        if key not in names:
            nearest = difflib.get_close_matches(key, names, n=1)
            known = f"known: {', '.join(names)}"
            advice = f"did you mean {prefix + nearest[0]!r}?" if nearest else known
            raise ConfigError(f"unknown setting {dotted!r}; {advice}")
        try:
            values[key] = _convert(hints[key], value, dotted)
        except ConfigError:
            if fields[key].repr:
                raise
            raise ConfigError(f"{dotted} is of the wrong kind, expected text") from None  # a secret
    try:
        return kind(**values)
    except (ConfigError, EngineError, ValueError) as error:
        raise ConfigError(f"{path}: {error}" if path else str(error)) from error


def _convert(hint: Any, value: Any, path: str) -> Any:
    """Check a value against an annotation, and turn it into its type."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {Union, types.UnionType}:
        if value == "none":
            return None
        return _convert(next(kind for kind in arguments if kind is not type(None)), value, path)
    if origin is tuple:
        items = value if isinstance(value, (list, tuple)) else [value]
        return tuple(_convert(arguments[0], item, path) for item in items)
    if dataclasses.is_dataclass(hint):
        return _build(hint, value, path)  # type: ignore[arg-type]
    if origin is Literal:
        if value not in arguments:
            raise ConfigError(
                f"{path} is {value!r}, expected one of {', '.join(map(str, arguments))}"
            )
        return value
    return _convert_scalar(hint, value, path)


def _convert_scalar(kind: type, value: Any, path: str) -> Any:
    if type(value) is float and not math.isfinite(value):
        raise ConfigError(f"{path} is {value}, expected a finite number")
    if type(value) is str and "\0" in value:
        raise ConfigError(f"{path} has a zero byte in it, expected text")
    if type(value) is kind:
        return value
    if kind is float and type(value) is int:
        return float(value)
    # On the command line 0 is the first camera, and a folder may be called 2024.
    if kind is str and type(value) in {int, float}:
        return str(value)
    raise ConfigError(f"{path} is {value!r}, expected {_KINDS[kind]}")


_KINDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
}
