"""Reports of libraries lead nowhere; what the user asked for goes the user's way."""

from __future__ import annotations

import os
import urllib.request

import pytest

from engine import reports_home


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports_home, "_proxies", None)
    for name in ("https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def test_https_leads_to_this_machine() -> None:
    reports_home.lead_nowhere()
    assert urllib.request.getproxies()["https"] == reports_home.NOWHERE
    assert os.environ["HTTPS_PROXY"] == reports_home.NOWHERE


def test_the_users_proxies_are_kept_for_downloads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    reports_home.lead_nowhere()
    reports_home.lead_nowhere()
    assert reports_home.users_proxies()["https"] == "http://proxy.example:3128"


@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
def test_no_exception_lets_the_reports_out(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "camera.lan, .googleapis.com,play.googleapis.com,*,10.0.0.1")
    reports_home.lead_nowhere()
    assert os.environ[name] == "camera.lan,10.0.0.1,localhost,127.0.0.1,::1"


def test_this_machines_own_servers_need_no_proxy() -> None:
    reports_home.lead_nowhere()
    assert urllib.request.proxy_bypass("127.0.0.1:8765")
    assert not urllib.request.proxy_bypass("play.googleapis.com")
