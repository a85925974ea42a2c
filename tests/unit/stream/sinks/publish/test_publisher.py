from __future__ import annotations

from stream.sinks.publish import Publisher, PublishSettings
from tests.contract import media


def test_receivers_that_look_alike_without_their_secrets_are_told_apart() -> None:
    urls = ["srt://host:9?streamid=a", "srt://host:9?streamid=b", "udp://host:9"]
    publisher = Publisher(urls, media.info_of(), PublishSettings())
    assert list(publisher._targets) == ["srt://host:9", "srt://host:9 (2)", "udp://host:9"]
    assert publisher.health() == {}, "nothing is opened yet"
