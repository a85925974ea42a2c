"""A certificate for this machine, made once."""

from __future__ import annotations

import ipaddress
import os
import ssl
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from stream.errors import ConfigError
from stream.web.settings import WebSettings

_VALID = timedelta(days=397)  # browsers refuse longer ones
_RENEW = timedelta(days=30)


def certificate_files(settings: WebSettings, names: Iterable[str]) -> tuple[Path, Path]:
    """The certificate and key that the panel shows to browsers.

    Args:
        settings: files to use, or else a self-signed certificate in the user's configuration
            folder is made or used again.
        names: host names and addresses that the self-signed certificate has to cover.

    Returns:
        PEM files: certificate, key.

    Raises:
        ConfigError: they cannot be read, do not belong together, or cannot be written.
    """
    if settings.tls_certificate:
        certificate, key = Path(settings.tls_certificate), Path(settings.tls_key)
    else:
        folder = config_folder()
        certificate, key = folder / "certificate.pem", folder / "key.pem"
        wanted = frozenset(name for name in names if name.isascii())
        try:
            if not _usable(certificate, key, wanted):
                _make(certificate, key, wanted)
        except OSError as error:
            raise ConfigError(f"certificate {certificate}: {error.strerror}") from error
    try:
        # No password: without this, OpenSSL asks for one on the terminal.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key, password="")
    except OSError as error:  # of which ssl.SSLError is one
        reason = error.strerror or "cannot be read"
        if isinstance(error, ssl.SSLError):
            reason = "not a certificate in PEM format and its key, without a password"
        raise ConfigError(f"certificate {certificate} and key {key}: {reason}") from error
    return certificate, key


def config_folder() -> Path:
    """Where this user's programs keep their settings; may not exist."""
    if sys.platform == "win32":
        root = Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    elif sys.platform == "darwin":
        root = Path.home() / "Library" / "Application Support"
    else:
        root = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return root / "facestream"


def _usable(certificate: Path, key: Path, names: frozenset[str]) -> bool:
    """Whether an earlier certificate is still good for all of these names."""
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        covered = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (FileNotFoundError, ValueError, x509.ExtensionNotFound):
        return False
    have = {str(name.value) for name in covered}
    # A clock that was ahead makes certificates which are not valid yet.
    lasts = found.not_valid_before_utc <= _now() < found.not_valid_after_utc - _RENEW
    return names <= have and key.exists() and lasts


def _make(certificate: Path, key: Path, names: frozenset[str]) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "facestream panel")])
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_now() - timedelta(days=1))
        .not_valid_after(_now() + _VALID)
        .add_extension(
            x509.SubjectAlternativeName(map(_general_name, sorted(names))), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(private, hashes.SHA256())
    )
    certificate.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write(
        key,
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
    _write(certificate, built.public_bytes(serialization.Encoding.PEM))


def _write(path: Path, content: bytes) -> None:
    """Replaces a file at once, readable by its owner only from its first byte on."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _now() -> datetime:
    return datetime.now(UTC)
