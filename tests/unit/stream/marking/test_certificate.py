from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path

import pytest

pytest.importorskip("cryptography")

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from stream.errors import ConfigError
from stream.marking import certificate


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, password: bytes = b"") -> bytes:
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password:
        encryption = serialization.BestAvailableEncryption(password)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )


def test_it_is_made_once_and_its_key_is_the_users_alone(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "signing"
    first = certificate.own(folder)
    assert certificate.own(folder) == first
    assert stat.S_IMODE((folder / "key.pem").stat().st_mode) == 0o600
    assert [path.name for path in folder.parent.iterdir()] == ["signing"]
    assert first.key not in repr(first).encode()
    assert first.name.startswith("facestream local ")


def test_the_key_of_its_root_is_kept_nowhere(tmp_path: Path) -> None:
    certificate.own(tmp_path / "signing")
    (root,) = x509.load_pem_x509_certificates((tmp_path / "signing" / "root.pem").read_bytes())
    keys = [
        serialization.load_pem_private_key(path.read_bytes(), None)
        for path in (tmp_path / "signing").iterdir()
        if b"PRIVATE" in path.read_bytes()
    ]
    assert len(keys) == 1
    assert keys[0].public_key() != root.public_key()


def test_another_run_that_was_faster_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "signing"
    made = certificate._issue()

    def slow() -> tuple[bytes, bytes, bytes]:
        monkeypatch.setattr(certificate, "_issue", lambda: made)
        certificate.own(folder)
        return certificate._issue()

    monkeypatch.setattr(certificate, "_issue", slow)
    assert certificate.own(folder).chain == made[0]
    assert [path.name for path in tmp_path.iterdir()] == ["signing"]


def test_a_folder_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"marking\.certificate=FILE"):
        certificate.own(tmp_path / "file" / "signing")


def test_files_that_make_no_identity_are_refused(tmp_path: Path) -> None:
    certificate.own(tmp_path / "signing")
    chain, key = tmp_path / "signing" / "chain.pem", tmp_path / "signing" / "key.pem"
    other = tmp_path / "other.pem"
    for content, expected in (
        (pem(ec.generate_private_key(ec.SECP256R1())), "is not the key of"),
        (pem(ec.generate_private_key(ec.SECP256R1()), b"secret"), "not an unencrypted PEM"),
        (b"no key", "not an unencrypted PEM"),
    ):
        other.write_bytes(content)
        with pytest.raises(ConfigError, match=expected):
            certificate.load(chain, other)
    with pytest.raises(ConfigError, match="not a PEM certificate"):
        certificate.load(other, key)
    with pytest.raises(ConfigError, match=r"marking\.key .*: No such file"):
        certificate.load(chain, tmp_path / "none.pem")


@pytest.mark.parametrize("days", [-30, 4000], ids=["not yet", "no longer"])
def test_one_that_is_not_valid_now_is_refused_before_anything_is_recorded(
    days: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate.own(tmp_path / "signing")
    then = certificate._now() + timedelta(days=days)
    monkeypatch.setattr(certificate, "_now", lambda: then)
    says = rf"chain\.pem: is valid from .* to .*, and it is {then:%Y-%m-%d} here; set the clock"
    with pytest.raises(ConfigError, match=says):
        certificate.own(tmp_path / "signing")


def test_a_clock_that_is_set_back_by_days_leaves_it_valid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = certificate.own(tmp_path / "signing")
    then = certificate._now() - timedelta(days=3)
    monkeypatch.setattr(certificate, "_now", lambda: then)
    assert certificate.own(tmp_path / "signing") == made
