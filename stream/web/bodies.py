"""What browsers may send as JSON, and what they get: names, types and limits."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

LARGEST_BODY = 256 * 1024
"""Bytes; session descriptions are the longest, at some 20 kB."""

Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w+.\- ]+$")]
ModelName = Annotated[str, Field(min_length=1, max_length=1024)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Milliseconds = Annotated[float, Field(ge=0, le=600_000, allow_inf_nan=False)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class SettingsChange(_Body):
    """Live settings to change; those that are left out stay as they are."""

    mask: Name | None = None
    color: Name | None = None
    blend: Name | None = None
    skin_rule: Name | None = None
    feather: Share | None = None
    erode: Share | None = None
    opacity: Share | None = None
    sharpen: Share | None = None
    grain: Share | None = None
    smooth_frames: Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)] | None = None
    faces: Annotated[int, Field(ge=1, le=64)] | None = None
    model: ModelName | None = None


class Recording(_Body):
    """Whether to record."""

    on: bool


class Description(_Body):
    """One side of a WebRTC session."""

    sdp: str = Field(max_length=LARGEST_BODY // 2)
    type: Literal["offer", "answer"]


class Latency(_Body):
    """Time from capture until the picture was seen in the browser, in milliseconds."""

    p50: Milliseconds
    p95: Milliseconds
    p99: Milliseconds
    count: Annotated[int, Field(ge=0, le=10**9)]


class RecordingName(BaseModel):
    """The recording that was started or finished.

    Attributes:
        name: of the file.
        folder: absolute path of its folder on the server.
        download: address of the finished file, None while it grows.
    """

    name: str
    folder: str
    download: str | None


class Problem(BaseModel):
    """Why a request was refused or failed, in one line."""

    error: str


class Alive(BaseModel):
    """Whether new pictures come."""

    ok: bool
