"""Decoding on an NVIDIA GPU by NVDEC, and how it is known that this is what happened."""

from __future__ import annotations

from functools import cache

import av
from av.codec.hwaccel import HWAccel, HWDeviceType
from av.video.stream import VideoStream

from stream.errors import SourceError
from stream.sources.failures import reason

_LARGE_PIXELS = 2560 * 1440
"""Half as many, 1080p, take one thread of a processor some 6 ms. Below, that is hardly worth
NVDEC's own costs: a CUDA context, and each picture's way back into memory."""
_PICTURES = "cuda"  # FFmpeg's pixel format of pictures in the GPU's memory


def accelerator() -> HWAccel:
    """What makes PyAV decode by NVDEC; its pictures come back into the processor's memory.

    Where NVDEC cannot, FFmpeg decodes by itself and says nothing: `check_decoded` does.
    Forbidding it that would leave nothing but an error about invalid data. Every video stream
    that is opened so gets a CUDA context of its own: FFmpeg refuses to share that of ONNX
    Runtime, which was made with other flags.
    """
    return HWAccel("cuda", allow_software_fallback=True)


@cache
def obstacle() -> str:
    """Why there is no CUDA device to decode on, empty if there is one.

    Found out by opening it, once in a process; without NVIDIA's driver that takes a fraction
    of a millisecond.
    """
    try:
        accelerator().create(av.codec.Codec("h264", "r"))
    except PermissionError:  # FFmpeg's word for a library that it did not find
        return "NVIDIA's driver library cannot be loaded"
    except NotImplementedError:
        return "this FFmpeg was built without NVDEC"
    except (av.error.FFmpegError, OSError) as error:
        return reason(error)
    return ""


def check_device(name: str) -> None:
    """To be called before an input is opened for NVDEC.

    Args:
        name: of the input, for the message.

    Raises:
        SourceError: there is no CUDA device to decode on.
    """
    why = obstacle()
    if why:
        raise SourceError(
            f"{name}: NVDEC cannot decode it: {why}; it needs an NVIDIA graphics card and its "
            "driver; set input.decoder to auto or cpu"
        )


def check_decoded(video: VideoStream, name: str) -> None:
    """To be called when a picture has come out of a stream that was opened for NVDEC.

    Args:
        video: the stream.
        name: of the input, for the message.

    Raises:
        SourceError: it was the processor that decoded it.
    """
    context = video.codec_context
    if context.is_hwaccel and context.pix_fmt == _PICTURES:
        return
    profile = f" {context.profile}" if context.profile else ""
    raise SourceError(
        f"{name}: NVDEC cannot decode it: {context.name}{profile}, {context.pix_fmt}, "
        f"{context.width}x{context.height} is beyond this graphics card or PyAV, or a container "
        "was started without NVIDIA_DRIVER_CAPABILITIES=all; set input.decoder to auto or cpu"
    )


def check_unwanted(name: str, decoder: str) -> None:
    """To be called for a source that does not decode by FFmpeg.

    Args:
        name: of the input, for the message.
        decoder: as set.

    Raises:
        SourceError: NVDEC is asked for.
    """
    if decoder == "nvdec":
        raise SourceError(
            f"{name}: NVDEC cannot decode it: that is for video files, streams from servers and "
            "cameras of Linux; set input.decoder to auto or cpu"
        )


def pays(video: VideoStream) -> bool:
    """Whether NVDEC is there, may know the codec, and spares more than it costs.

    Args:
        video: opened without it; nothing has been decoded yet.
    """
    if video.width * video.height < _LARGE_PIXELS:
        return False
    kinds = [kind.device_type for kind in video.codec_context.codec.hardware_configs]
    return HWDeviceType.cuda in kinds and not obstacle()
