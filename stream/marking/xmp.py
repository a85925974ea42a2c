"""Metadata of pictures: an XMP packet that says they are synthetic."""

from __future__ import annotations

import cv2
import numpy as np

from engine.face import Image
from stream.marking.synthetic import COMMENT, SOURCE_TYPE, TITLE

_PACKET = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{TITLE}</rdf:li></rdf:Alt></dc:title>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{COMMENT}</rdf:li></rdf:Alt></dc:description>
</rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>"""
_BYTES = np.frombuffer(_PACKET.encode(), np.uint8)


def encode(suffix: str, image: Image, parameters: list[int]) -> tuple[bool, Image]:
    """`cv2.imencode` with the packet in the file.

    Args:
        suffix: '.png', '.jpg', '.jpeg' or '.webp'.
        image: (H, W, 3) uint8 BGR, not changed.
        parameters: as OpenCV takes them.

    Returns:
        Whether it worked, and the file's bytes as (N,) uint8.

    Raises:
        cv2.error: the format cannot hold such a picture.
    """
    return cv2.imencodeWithMetadata(suffix, image, [cv2.IMAGE_METADATA_XMP], [_BYTES], parameters)


def read(data: bytes) -> str:
    """A picture's XMP packet, empty if it has none.

    Found as the XMP specification has it for files of any kind: by the packet's own marks.
    """
    begin = data.find(b"<?xpacket begin=")
    end = data.find(b"<?xpacket end=", begin)
    return data[begin:end].decode("utf-8", "replace") if 0 <= begin < end else ""
