from __future__ import annotations

import pytest

from stream.web.access import Access

ACCESS = Access("secret", "facestream-1", frozenset({"localhost", "studio"}))
BEARER = {"host": "localhost:1", "authorization": "Bearer secret"}
COOKIE = {"host": "localhost:1", "cookie": "other=1; facestream-1=secret"}


def status(method: str, headers: dict[str, str], *, websocket: bool = False) -> int:
    refusal = ACCESS.refusal(method, headers, websocket=websocket)
    return 200 if refusal is None else refusal.status


def test_a_random_token_is_new_each_time() -> None:
    tokens = {Access.of("", 1, ()).token for _ in range(10)}
    assert len(tokens) == 10
    assert all(len(token) >= 24 for token in tokens)
    assert Access.of("chosen-by-hand", 1, ()).accepts("chosen-by-hand")


@pytest.mark.parametrize("credentials", [BEARER, COOKIE], ids=["header", "cookie"])
def test_the_token_opens(credentials: dict[str, str]) -> None:
    assert status("GET", credentials) == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer"},
        {"authorization": "Bearer secre"},
        {"authorization": "Bearer secrets"},
        {"authorization": "Basic secret"},
        {"authorization": "secret"},
        {"cookie": "facestream-2=secret"},
        {"cookie": "facestream-1="},
        {"cookie": "facestream-1"},
        {"cookie": "=;;=\x00"},
    ],
)
def test_nothing_else_opens(headers: dict[str, str]) -> None:
    assert status("GET", {"host": "localhost:1"} | headers) == 401


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
def test_a_cookie_changes_things_only_from_the_panel_itself(method: str) -> None:
    assert status(method, COOKIE) == 403
    assert status(method, COOKIE | {"origin": "http://localhost:1"}) == 200
    # An encrypting proxy in front changes the scheme, not the host.
    assert status(method, COOKIE | {"origin": "https://LOCALHOST:1"}) == 200
    for origin in ("null", "", "http://localhost", "http://localhost:2", "http://localhost:1.x"):
        assert status(method, COOKIE | {"origin": origin}) == 403, origin
    assert status(method, BEARER) == 200


def test_a_socket_needs_the_panel_as_its_origin() -> None:
    assert status("GET", COOKIE, websocket=True) == 403
    assert status("GET", COOKIE | {"origin": "http://localhost:1"}, websocket=True) == 200
    assert status("GET", COOKIE | {"origin": "http://elsewhere"}, websocket=True) == 403
    assert status("GET", BEARER, websocket=True) == 200
    assert status("GET", BEARER | {"origin": "http://elsewhere"}, websocket=True) == 403


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", 200),
        ("LocalHost:8765", 200),
        ("studio:1", 200),
        ("127.0.0.1:1", 200),
        ("192.168.0.5", 200),
        ("[fe80::1]:1", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example:1", 421),
        ("user@localhost", 200),
        ("localhost@evil.example", 421),
        ("[::1", 421),
        ("", 421),
    ],
)
def test_only_names_that_nobody_else_can_own(host: str, expected: int) -> None:
    assert status("GET", BEARER | {"host": host}) == expected


def test_the_token_is_not_shown() -> None:
    assert "secret" not in repr(ACCESS)
