from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from stream.errors import ConfigError
from stream.web import tls
from stream.web.settings import WebSettings

NAMES = {"localhost", "127.0.0.1", "::1"}


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def test_a_certificate_is_made_once_and_covers_the_names() -> None:
    certificate, key = tls.certificate_files(WebSettings(tls=True), NAMES)
    made = certificate.read_bytes()
    names = x509.load_pem_x509_certificate(made).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert {str(name.value) for name in names.value} == NAMES
    assert key.stat().st_mode & 0o777 == 0o600
    assert {file.name for file in certificate.parent.iterdir()} == {certificate.name, key.name}
    tls.certificate_files(WebSettings(tls=True), {"localhost"})
    assert certificate.read_bytes() == made


def test_it_is_made_anew_for_another_name_or_when_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, _ = tls.certificate_files(WebSettings(tls=True), NAMES)
    made = certificate.read_bytes()
    tls.certificate_files(WebSettings(tls=True), {*NAMES, "192.168.0.7"})
    renewed = certificate.read_bytes()
    assert renewed != made
    later = tls._now() + timedelta(days=380)
    monkeypatch.setattr(tls, "_now", lambda: later)
    tls.certificate_files(WebSettings(tls=True), NAMES)
    assert certificate.read_bytes() != renewed


def test_it_is_made_anew_after_the_clock_had_been_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    now = tls._now()
    monkeypatch.setattr(tls, "_now", lambda: now + timedelta(days=30))
    certificate, _ = tls.certificate_files(WebSettings(tls=True), NAMES)
    made = certificate.read_bytes()
    monkeypatch.setattr(tls, "_now", lambda: now)
    tls.certificate_files(WebSettings(tls=True), NAMES)
    assert certificate.read_bytes() != made


def test_a_damaged_one_is_replaced() -> None:
    certificate, key = tls.certificate_files(WebSettings(tls=True), NAMES)
    certificate.write_text("no certificate")
    tls.certificate_files(WebSettings(tls=True), NAMES)
    key.unlink()
    tls.certificate_files(WebSettings(tls=True), NAMES)


def test_the_users_own_files(tmp_path: Path) -> None:
    certificate, key = tls.certificate_files(WebSettings(tls=True), NAMES)
    own = WebSettings(tls_certificate=str(certificate), tls_key=str(key))
    assert tls.certificate_files(own, {"anything"}) == (certificate, key)
    nothing = tmp_path / "nothing.pem"
    for pair in ((nothing, key), (certificate, nothing), (key, certificate)):
        wrong = WebSettings(tls_certificate=str(pair[0]), tls_key=str(pair[1]))
        with pytest.raises(ConfigError, match=str(pair[0])) as refused:
            tls.certificate_files(wrong, NAMES)
        assert "\n" not in str(refused.value)
