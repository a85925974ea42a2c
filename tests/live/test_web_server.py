"""The panel's server as browsers and strangers meet it."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from stream.errors import ConfigError
from stream.web.server import WebServer
from stream.web.settings import WebSettings
from tests.steered_run import SteeredRun, address, bearer, decoded, frame

GRAY = np.full((48, 64, 3), 128, np.uint8)


@pytest.fixture
def run() -> SteeredRun:
    return SteeredRun()


@pytest.fixture
def server(run: SteeredRun) -> Iterator[WebServer]:
    with WebServer(WebSettings(port=0, max_clients=2)) as server:
        server.attach(run)
        yield server


@pytest.fixture
def client(server: WebServer) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=address(server, "", "http"), headers=bearer(server), timeout=10
    ) as client:
        yield client


@pytest.fixture
def browser(server: WebServer) -> Iterator[httpx.Client]:
    """Opened the address that was shown, and has the cookie now."""
    with httpx.Client(timeout=10, follow_redirects=True) as client:
        assert client.get(server.url).status_code == 200
        client.base_url = httpx.URL(address(server, "", "http"))
        yield client


def test_the_address_signs_a_browser_in_and_leaves_no_token_behind(server: WebServer) -> None:
    answer = httpx.get(server.url)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    answer = httpx.get(address(server, "/", "http"), headers={"cookie": cookie.split(";")[0]})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_nothing_without_the_token(server: WebServer) -> None:
    wrong: tuple[dict[str, str], ...] = (
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": "Bearer \u00e9"},
        {"cookie": f"facestream-{server.port}=wrong"},
    )
    with httpx.Client(base_url=address(server, "", "http")) as client:
        for path in ["/", "/?token=wrong", "/?token=", "/api/status", "/api/settings", "/metrics",
                     "/docs", "/openapi.json", "/stream.mjpeg", "/api/snapshot.jpg", "/nothing",
                     "/static/panel.js"]:  # fmt: skip
            for headers in wrong:
                raw = {key: value.encode("latin-1") for key, value in headers.items()}
                answer = client.get(path, headers=raw)
                assert answer.status_code == 401
                assert set(answer.json()) == {"error"}
                assert server.access.token not in answer.text


def test_no_socket_without_token_or_from_another_page(server: WebServer) -> None:
    token = f"facestream-{server.port}={server.access.token}"
    refusals: tuple[tuple[int, dict[str, str]], ...] = (
        (401, {}),
        (403, {"cookie": token}),
        (403, {"cookie": token, "origin": "http://elsewhere.example"}),
        (403, {"cookie": token, "origin": f"http://127.0.0.1:{server.port + 1}"}),
    )
    for path in ("/ws/view", "/ws/camera"):
        for status, headers in refusals:
            with pytest.raises(InvalidStatus) as refused:
                connect(address(server, path), additional_headers=headers, compression=None)
            assert refused.value.response.status_code == status


def test_changes_come_from_the_panel_itself(browser: httpx.Client, run: SteeredRun) -> None:
    change = {"opacity": 0.5}
    for origin in (None, "null", "http://elsewhere.example", "http://127.0.0.1:1"):
        headers = {} if origin is None else {"origin": origin}
        assert browser.patch("/api/settings", json=change, headers=headers).status_code == 403
    assert run.now["opacity"] == 1.0
    origin = str(browser.base_url).rstrip("/")
    assert (
        browser.patch("/api/settings", json=change, headers={"origin": origin}).status_code == 200
    )
    assert run.now["opacity"] == 0.5


def test_a_name_that_was_made_to_point_here_is_refused(client: httpx.Client) -> None:
    for host, status in (
        ("rebound.example", 421),
        ("localhost.rebound.example", 421),
        ("", 421),
        ("[", 421),
        (f"localhost:{client.base_url.port}", 200),
        (f"192.168.1.7:{client.base_url.port}", 200),
        ("[::1]", 200),
        (socket.gethostname(), 200),
    ):
        assert client.get("/api/status", headers={"host": host}).status_code == status, host
    assert client.get("/health", headers={"host": "rebound.example"}).status_code == 421


def test_settings_are_changed_all_or_none_with_one_clear_line(
    client: httpx.Client, run: SteeredRun
) -> None:
    assert client.get("/api/settings").json() == run.settings()
    assert client.patch("/api/settings", json={"opacity": 0.25, "mask": "skin"}).status_code == 200
    assert run.now == {"opacity": 0.25, "mask": "skin"}
    before = dict(run.now)
    for change, said in (
        ({"opacity": 2}, "opacity"),
        ({"opacity": "1"}, "opacity"),
        ({"opacity": True}, "opacity"),
        ({"opacity": None}, "null"),
        ({"mask": "star"}, "mask is 'star'; expected one of hull"),
        ({"mask": "x" * 1000}, "mask"),
        ({"mask": "../../etc/passwd"}, "mask"),
        ({"faces": 1.5}, "faces"),
        ({"recordings": "/etc"}, "recordings: unknown name"),
        ({"__class__": {}}, "unknown name"),
        ([], "dictionary"),
        ("opacity", "dictionary"),
    ):
        answer = client.patch("/api/settings", json=change)
        assert answer.status_code == 422, change
        assert said in answer.json()["error"]
        assert "\n" not in answer.json()["error"]
    assert run.now == before


def test_bodies_that_make_no_sense(client: httpx.Client, run: SteeredRun) -> None:
    for body, content_type in (
        (b"", "application/json"),
        (b"{", "application/json"),
        (b"\xff\xfe\x00", "application/json"),
        (b'{"opacity": NaN}', "application/json"),
        (b'{"opacity": 1e999}', "application/json"),
        (b"[" * 100_000, "application/json"),
        (b'{"opacity": ' + b"9" * 5000 + b"}", "application/json"),
        (b'{"opacity": 0.5}', "text/plain"),
        (b"{}]", "application/json"),
    ):
        headers = {"content-type": content_type}
        answer = client.patch("/api/settings", content=body, headers=headers)
        assert 400 <= answer.status_code < 500, body[:20]
        assert set(answer.json()) == {"error"}
        assert run.now["opacity"] == 1.0
    long = client.patch("/api/settings", content=iter([b" " * 100_000] * 3), headers=headers)
    assert (long.status_code, list(long.json())) == (413, ["error"])
    assert client.get("/api/status").status_code == 200


def test_paths_that_lead_nowhere(client: httpx.Client) -> None:
    for path in ["/nothing", "/static/", "/static/../settings.py", "/static/%2e%2e/settings.py",
                 "/static/..%2f..%2fsettings.py", "/static//etc/passwd",
                 "/static/index.html%00.js", "/api/snapshot.jpg?which=/etc/passwd", "/%ff",
                ]:  # fmt: skip
        answer = client.get(path)
        assert answer.status_code in {404, 422}, path
        assert set(answer.json()) == {"error"}


def test_bytes_that_are_no_request(client: httpx.Client, server: WebServer) -> None:
    for noise in (b"\x16\x03\x01\x02\x00\x01\x00", b"GET / HTTP/9\r\n\r\n", b"\r\n" * 50_000):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as stranger:
            try:
                stranger.sendall(noise)
                stranger.shutdown(socket.SHUT_WR)
                while stranger.recv(65536):
                    pass
            except ConnectionError:
                pass  # It may hang up before all is said.
    assert client.get("/api/status").status_code == 200


def test_a_failure_inside_is_told_without_a_traceback(
    client: httpx.Client, run: SteeredRun
) -> None:
    run.failure = RuntimeError("secret of the inside")
    answer = client.get("/api/status")
    assert answer.status_code == 500
    assert answer.json() == {"error": "failed; the server's log has the reason"}
    run.failure = None
    assert client.get("/api/status").status_code == 200


ONE = {"name": "one.mp4", "folder": "/films", "download": None}


def test_recordings(client: httpx.Client, run: SteeredRun) -> None:
    assert client.post("/api/recording", json={"on": True}).json() == ONE
    assert run.recording == "one.mp4"
    answer = client.post("/api/recording", json={"on": True})
    assert (answer.status_code, answer.json()) == (409, {"error": "a recording runs already"})
    finished = client.post("/api/recording", json={"on": False}).json()
    assert finished == ONE | {"download": "/api/recordings/0"}
    assert client.post("/api/recording", json={"on": 1}).status_code == 422


def test_only_what_this_run_recorded_is_handed_out(
    client: httpx.Client, run: SteeredRun, tmp_path: Path
) -> None:
    film, other = tmp_path / "one.mp4", tmp_path / "secret.mp4"
    film.write_bytes(b"a film")
    other.write_bytes(b"a secret")
    run.finished = (film, tmp_path / "gone.mp4")
    answer = client.get("/api/recordings/0")
    assert (answer.status_code, answer.content) == (200, b"a film")
    assert answer.headers["content-disposition"] == 'attachment; filename="one.mp4"'
    assert client.get("/api/recordings/0", headers={"range": "bytes=2-"}).content == b"film"
    for number in ("1", "2", "-1"):
        assert client.get(f"/api/recordings/{number}").status_code == 404
    for path in ("secret.mp4", "..%2fsecret.mp4", "../secret.mp4", "one.mp4"):
        assert client.get(f"/api/recordings/{path}").status_code in {404, 422}
    stranger = httpx.get(client.base_url.join("/api/recordings/0"), timeout=10)
    assert stranger.status_code == 401


def test_the_page_may_load_only_itself(client: httpx.Client) -> None:
    for path in ("/", "/api/status", "/nothing", "/docs"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers


def test_a_page_that_did_not_change_is_not_sent_again(client: httpx.Client) -> None:
    tag = client.get("/").headers["etag"]
    again = client.get("/", headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")


def test_snapshots(client: httpx.Client, server: WebServer) -> None:
    assert client.get("/api/snapshot.jpg").status_code == 503
    sink = server.sink()
    sink.write(frame(0, GRAY))
    picture = client.get("/api/snapshot.jpg")
    assert picture.headers["content-type"] == "image/jpeg"
    assert abs(int(decoded(picture.content).mean()) - 128) <= 2

    def blend() -> None:  # as the blend stage does it: the original is kept if one asks
        while not server.wants_original:
            time.sleep(0.01)
        sink.write(frame(1, GRAY, GRAY // 2))

    blending = threading.Thread(target=blend)
    blending.start()
    original = client.get("/api/snapshot.jpg?which=original")
    blending.join()
    assert abs(int(decoded(original.content).mean()) - 64) <= 2
    assert not server.wants_original


def test_health_tells_strangers_yes_or_no(server: WebServer) -> None:
    asked = address(server, "/health", "http")
    answer = httpx.get(asked)
    assert (answer.status_code, answer.json()) == (503, {"ok": False})
    server.sink().write(frame(0, GRAY, held=True))
    assert httpx.get(asked).status_code == 503
    server.sink().write(frame(1, GRAY))
    answer = httpx.get(asked)
    assert (answer.status_code, answer.json()) == (200, {"ok": True})


def test_status_before_anything_runs() -> None:
    with (
        WebServer(WebSettings(port=0)) as server,
        httpx.Client(base_url=address(server, "", "http"), headers=bearer(server)) as client,
    ):
        status = client.get("/api/status").json()
        assert status["state"] == "waiting"
        assert status["web"]["camera"] is None
        assert client.get("/api/settings").status_code == 503
        assert client.get("/metrics").status_code == 200


def test_latency_of_a_browser_is_shown(client: httpx.Client) -> None:
    measured = {"p50": 12.5, "p95": 20.0, "p99": 30.0, "count": 40}
    assert client.post("/api/latency", json=measured).status_code == 204
    assert client.get("/api/status").json()["web"]["latency"] == measured
    assert 'facestream_web_latency_seconds{quantile="0.5"} 0.0125' in client.get("/metrics").text
    assert client.post("/api/latency", json=measured | {"p50": -1}).status_code == 422


def test_the_interface_is_described(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    assert {"/api/status", "/api/settings", "/api/recording", "/metrics"} <= set(document["paths"])
    assert "PATCH /api/settings" in client.get("/docs").text
    assert json.dumps(document).count("/work") == 0


def test_a_port_that_is_taken_is_one_clear_line(server: WebServer) -> None:
    with (
        pytest.raises(ConfigError, match=f"port {server.port} on 127.0.0.1 is taken"),
        WebServer(WebSettings(port=server.port)),
    ):
        pass


def test_a_host_that_is_not_here() -> None:
    with (
        pytest.raises(ConfigError, match=r"203\.0\.113\.7"),
        WebServer(WebSettings(host="203.0.113.7")),
    ):
        pass


def test_encrypted_with_a_certificate_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with WebServer(WebSettings(port=0, tls=True)) as server:
        assert server.url.startswith("https://127.0.0.1:")
        trusted = ssl.create_default_context(cafile=str(tmp_path / "facestream/certificate.pem"))
        answer = httpx.get(server.url, verify=trusted)
        assert answer.status_code == 303
        assert "Secure" in answer.headers["set-cookie"]
    assert (tmp_path / "facestream/key.pem").stat().st_mode & 0o077 == 0
