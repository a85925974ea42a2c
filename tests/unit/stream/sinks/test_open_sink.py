from __future__ import annotations

from pathlib import Path

import pytest

from stream.errors import SinkError
from stream.frame import SourceInfo
from stream.sinks import SinkSettings, open_sink
from stream.sinks.null import NullSink
from stream.sinks.picture_folder import FolderSink
from stream.sinks.pictures import StillSink
from stream.sinks.side_by_side import SideBySide
from stream.sinks.video import VideoFile

INFO = SourceInfo(url="clip.mp4", width=64, height=48)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("null", NullSink),
        ("out.mp4", VideoFile),
        ("out.MKV", VideoFile),
        ("shots/", FolderSink),
        ("v1.2/", FolderSink),
        ("frame_%06d.png", FolderSink),
        ("best.webp", StillSink),
        ("side-by-side:out.mov", SideBySide),
        ("side-by-side:out.png", StillSink),
    ],
)
def test_url_chooses_the_sink(url: str, kind: type) -> None:
    assert isinstance(open_sink(url, INFO, SinkSettings()), kind)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("out.wmv", r"unknown kind of output '\.wmv'; expected a video \(\.mp4, .*null"),
        ("foo.txt", "side-by-side: before .*ending in '/'.*m3u8.*rtmp://.*srt://.*web"),
        ("foo", "^foo: a name without an ending; expected a video .*a folder ending in '/'"),
        ("side-by-side:shots/", "a name without an ending"),
        ("side-by-side:null", "a name without an ending"),
        ("frame_%06d.gif", r"unknown kind of picture '\.gif'"),
        ("frame_%s_%d.png", "not a pattern"),
        ("100%.png", "not a pattern"),
        ("http://me:secret@host/x.mp4", "^http://host/x.mp4: unknown kind of receiver.*rtmp://"),
    ],
)
def test_unknown_outputs_are_refused_with_the_known_ones(url: str, message: str) -> None:
    with pytest.raises(SinkError, match=message):
        open_sink(url, INFO, SinkSettings())


def test_a_folder_is_meant_only_with_its_slash(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=f"is a folder; write {tmp_path}/ to put pictures into it"):
        open_sink(str(tmp_path), INFO, SinkSettings())
