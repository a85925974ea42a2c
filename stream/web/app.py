"""The panel's HTTP interface."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

from fastapi import FastAPI, HTTPException, Query, Request, Response, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from engine.errors import EngineError
from stream.errors import ConfigError, StreamError
from stream.web import metrics, reference, uplink, viewers
from stream.web.bodies import (
    Alive,
    Description,
    Latency,
    Problem,
    Recording,
    RecordingName,
    SettingsChange,
)
from stream.web.broadcast import TooManyViewersError
from stream.web.control import Control
from stream.web.pages import INDEX, page_files
from stream.web.panel import Panel
from stream.web.rtc import NegotiationError

SNAPSHOT_TIMEOUT_S = 2.0

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": meaning}
    for status, meaning in {
        401: "Token missing or wrong",
        403: "Request of another page",
        409: "Not possible now",
        422: "A value that makes no sense; nothing was changed",
        503: "Not ready yet, or too many browsers",
    }.items()
}


def create_app(panel: Panel) -> FastAPI:
    """All routes; who may call them is judged by `stream.web.guard.Guard` before.

    Args:
        panel: what they work on. Its control may block: it is called on worker threads.
    """
    app = FastAPI(
        title="facestream panel",
        version="1",
        description=(
            "Watch and steer a running stream. All but /health needs the token, as the cookie of "
            "the panel's page or as `Authorization: Bearer`. Errors are one line."
        ),
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    _add_page(app)
    _add_state(app, panel)
    _add_steering(app, panel)
    _add_pictures(app, panel)
    _add_webrtc(app, panel)
    _add_errors(app)
    return app


def _add_page(app: FastAPI) -> None:
    files = page_files()

    def served(request: Request, name: str) -> Response:
        file = files.get(name)
        if file is None:
            raise HTTPException(404, "no such file")
        headers = {"etag": file.tag, "cache-control": "no-cache"}
        if request.headers.get("if-none-match") == file.tag:
            return Response(status_code=304, headers=headers)
        return Response(file.content, media_type=file.media_type, headers=headers)

    @app.get("/", include_in_schema=False)
    async def index(request: Request) -> Response:
        return served(request, INDEX)

    @app.get("/static/{name}", include_in_schema=False)
    async def static(request: Request, name: str) -> Response:
        return served(request, name)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return Response(reference.page(app.openapi()), media_type="text/html; charset=utf-8")

    @app.get("/docs.css", include_in_schema=False)
    async def docs_style() -> Response:
        return Response(reference.STYLE, media_type="text/css; charset=utf-8")


def _add_state(app: FastAPI, panel: Panel) -> None:
    @app.get("/health", summary="Whether new pictures come; needs no token")
    async def health(response: Response) -> Alive:
        alive = panel.broadcast.fresh
        response.status_code = 200 if alive else 503
        return Alive(ok=alive)

    @app.get("/api/status", summary="State, source, sinks and report", responses=_PROBLEMS)
    async def status() -> dict[str, Any]:
        return await asyncio.to_thread(panel.status)

    @app.get("/metrics", summary="The report for Prometheus", response_class=Response)
    async def prometheus() -> Response:
        text = await asyncio.to_thread(metrics.exposition, panel)
        return Response(text, media_type=metrics.MEDIA_TYPE)

    @app.post("/api/latency", summary="What a browser measured, for the status", status_code=204)
    async def latency(body: Latency) -> None:
        panel.latency = body


def _add_steering(app: FastAPI, panel: Panel) -> None:
    @app.get("/api/settings", summary="The live settings and what they may be", responses=_PROBLEMS)
    async def settings() -> dict[str, Any]:
        return await asyncio.to_thread(_control(panel).settings)

    @app.patch("/api/settings", summary="Change all of these or none", responses=_PROBLEMS)
    async def change(body: SettingsChange) -> dict[str, Any]:
        changes = body.model_dump(exclude_unset=True)
        if None in changes.values():
            raise HTTPException(422, "null is no value of a setting; leave out what stays")
        return await asyncio.to_thread(_control(panel).change, changes)

    @app.post("/api/recording", summary="Start or finish a recording", responses=_PROBLEMS)
    async def recording(body: Recording) -> RecordingName:
        control = _control(panel)
        work = control.start_recording if body.on else control.stop_recording
        name = await asyncio.to_thread(work)
        download = None
        if not body.on:
            number = [path.name for path in control.finished].index(name)
            download = f"/api/recordings/{number}"
        return RecordingName(name=name, folder=control.recordings, download=download)

    @app.get("/api/recordings/{number}", summary="A finished recording", responses=_PROBLEMS)
    async def recorded(number: int) -> FileResponse:
        # A number in the list of this run's own: no request can name a file.
        finished = _control(panel).finished
        path = finished[number] if 0 <= number < len(finished) else None
        if path is None or not path.is_file():
            raise HTTPException(404, "no such recording of this run, or it was moved")
        return FileResponse(path, media_type="video/mp4", filename=path.name)


def _add_pictures(app: FastAPI, panel: Panel) -> None:
    broadcast = panel.broadcast

    @app.get("/api/snapshot.jpg", summary="The newest picture", responses=_PROBLEMS)
    async def snapshot(which: Literal["swapped", "original"] = "swapped") -> Response:
        jpeg = await broadcast.snapshot(which, SNAPSHOT_TIMEOUT_S)
        if jpeg is None:
            raise HTTPException(503, "no such picture has come yet")
        return Response(jpeg, media_type="image/jpeg")

    @app.get("/stream.mjpeg", summary="All pictures as motion JPEG", responses=_PROBLEMS)
    async def mjpeg() -> StreamingResponse:
        parts = viewers.motion_jpeg(broadcast)
        broadcast.check_room()
        media_type = f"multipart/x-mixed-replace; boundary={viewers.BOUNDARY}"
        return StreamingResponse(parts, media_type=media_type)

    @app.websocket("/ws/view")
    async def view(socket: WebSocket, original: Annotated[bool, Query()] = False) -> None:  # noqa: FBT002 - a query
        await socket.accept()
        try:
            with broadcast.watching(original=original):
                await viewers.view(socket, broadcast, original=original)
        except TooManyViewersError as error:
            await viewers.close(socket, viewers.TRY_AGAIN, str(error))

    @app.websocket("/ws/camera")
    async def camera(socket: WebSocket) -> None:
        await socket.accept()
        if panel.camera is None:
            await viewers.close(socket, viewers.POLICY, _NOT_THE_CAMERA)
        else:
            await uplink.camera(socket, panel.camera)


def _add_webrtc(app: FastAPI, panel: Panel) -> None:
    @app.post("/api/webrtc/view", summary="Watch by WebRTC: an answer to an offer")
    async def view(body: Description) -> Description:
        return Description.model_validate(await panel.peers.view(body.sdp, panel.broadcast))

    @app.post("/api/webrtc/camera", summary="Be the camera by WebRTC", responses=_PROBLEMS)
    async def camera(body: Description) -> Description:
        if panel.camera is None:
            raise HTTPException(409, _NOT_THE_CAMERA)
        return Description.model_validate(await panel.peers.camera(body.sdp, panel.camera))


_NOT_THE_CAMERA = "the source is another one; start with the source 'browser'"


def _control(panel: Panel) -> Control:
    if panel.control is None:
        raise HTTPException(503, "nothing runs yet; the source has not given a picture")
    return panel.control


def _add_errors(app: FastAPI) -> None:
    def answering(
        status: int,
    ) -> Callable[[Request, Exception], Awaitable[Response]]:
        async def answer(_: Request, error: Exception) -> Response:
            return JSONResponse({"error": _one_line(str(error))}, status)

        return answer

    for kind, status in {
        ConfigError: 422,
        EngineError: 422,
        StreamError: 409,
        NegotiationError: 422,
        TooManyViewersError: 503,
    }.items():
        app.add_exception_handler(kind, answering(status))

    # Starlette raises it again afterwards, for `stream.web.guard.Guard` to log.
    @app.exception_handler(Exception)
    async def failed(_: Request, __: Exception) -> Response:
        return JSONResponse({"error": "failed; the server's log has the reason"}, 500)

    # Starlette's, which FastAPI's is one of.
    @app.exception_handler(StarletteHTTPException)
    async def refused(_: Request, error: Exception) -> Response:
        assert isinstance(error, StarletteHTTPException)
        return JSONResponse({"error": _one_line(str(error.detail))}, error.status_code)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return JSONResponse({"error": _one_line("; ".join(map(_said, error.errors())))}, 422)


def _said(problem: dict[str, Any]) -> str:
    """One of pydantic's findings: where and what, without the value that came."""
    where = ".".join(str(part) for part in problem["loc"] if part not in {"body", "query"})
    what = "unknown name" if problem["type"] == "extra_forbidden" else str(problem["msg"])
    return f"{where}: {what}" if where else what


def _one_line(text: str) -> str:
    return " ".join(text.split())[:500]
