"""Reports of libraries lead nowhere; what the user asked for goes the user's way."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request

import pytest

from engine import reports_home
from engine.reports_home import lead_nowhere, users_proxies

PROXY = "http://proxy.example:3128"
NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*NAMES, *map(str.upper, NAMES), "FACESTREAM_USERS_PROXIES"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def test_https_leads_to_this_machine() -> None:
    lead_nowhere()
    assert urllib.request.getproxies()["https"] == reports_home.NOWHERE
    assert os.environ["HTTPS_PROXY"] == reports_home.NOWHERE


def test_this_machines_own_servers_need_no_proxy() -> None:
    lead_nowhere()
    assert urllib.request.proxy_bypass("127.0.0.1:8765")
    assert not urllib.request.proxy_bypass("play.googleapis.com")


@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
@pytest.mark.parametrize(
    "excepted",
    [
        "camera.lan,.googleapis.com,play.googleapis.com,10.0.0.1",
        "camera.lan googleapis.com. 10.0.0.1",
        "camera.lan, com,\t*,10.0.0.1",
    ],
)
def test_no_exception_lets_the_reports_out(
    monkeypatch: pytest.MonkeyPatch, name: str, excepted: str
) -> None:
    monkeypatch.setenv(name, excepted)
    lead_nowhere()
    for each in ("no_proxy", "NO_PROXY"):
        assert os.environ[each] == "camera.lan,10.0.0.1,localhost,127.0.0.1,::1"


def test_who_wants_no_proxy_at_all_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("http_proxy", PROXY)
    lead_nowhere()
    assert "http" not in urllib.request.getproxies()


def test_downloads_take_the_users_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", PROXY)
    monkeypatch.setenv("no_proxy", "inside.example")
    assert users_proxies("storage.example") == {"https": PROXY, "no": "inside.example"}
    lead_nowhere()
    lead_nowhere()
    assert users_proxies("storage.example")["https"] == PROXY
    assert users_proxies("inside.example") == {}


def test_a_child_knows_the_users_proxy_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", PROXY)
    lead_nowhere()
    code = "from engine import reports_home as r; r.lead_nowhere(); print(r.users_proxies('a.b'))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert PROXY in done.stdout
    assert reports_home.NOWHERE not in done.stdout
