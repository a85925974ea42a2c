"""Publishing to receivers on the network: RTSP, RTMP, SRT, MPEG-TS and HLS."""

from stream.sinks.publish.publisher import Publisher
from stream.sinks.publish.settings import PublishSettings
from stream.sinks.publish.target import SCHEMES, is_receiver, shown

__all__ = ["SCHEMES", "PublishSettings", "Publisher", "is_receiver", "shown"]
