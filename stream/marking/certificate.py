"""Who signs: a certificate of the user's, or one made on this machine when first needed."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from stream.errors import ConfigError

_VALID = timedelta(days=3650)
_BEFORE = timedelta(days=7)
"""So long before it was made: this clock may be set back, and those of readers differ."""

_CHAIN, _KEY, _ROOT = "chain.pem", "key.pem", "root.pem"
_CURVES = {"secp256r1": b"es256", "secp384r1": b"es384", "secp521r1": b"es512"}


@dataclass(frozen=True, slots=True)
class Identity:
    """What a signature needs.

    Attributes:
        chain: PEM, the signer's certificate first.
        key: PEM, unencrypted PKCS 8; never shown.
        algorithm: C2PA's name, such as 'es256'.
    """

    chain: bytes
    key: bytes = field(repr=False)
    algorithm: bytes

    @property
    def name(self) -> str:
        """The common name of the signer's certificate."""
        subject = x509.load_pem_x509_certificates(self.chain)[0].subject
        names = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return str(names[0].value) if names else subject.rfc4514_string()


def load(certificate: Path, key: Path) -> Identity:
    """Read an identity from PEM files.

    Raises:
        ConfigError: a file is missing, is no PEM file, the two do not belong together, or no
            signature is possible today.
    """
    chain = _read(certificate, "certificate")
    try:
        first = x509.load_pem_x509_certificates(chain)[0]
    except ValueError as error:
        raise ConfigError(f"marking.certificate {certificate}: not a PEM certificate") from error
    try:
        private = serialization.load_pem_private_key(_read(key, "key"), password=None)
    except (ValueError, TypeError) as error:
        raise ConfigError(
            f"marking.key {key}: not an unencrypted PEM private key; write one with "
            "`openssl pkcs8 -topk8 -nocrypt`"
        ) from error
    if private.public_key() != first.public_key():
        raise ConfigError(f"marking.key {key}: is not the key of {certificate}")
    begins, ends, now = first.not_valid_before_utc, first.not_valid_after_utc, _now()
    if not begins <= now <= ends:
        raise ConfigError(
            f"marking.certificate {certificate}: is valid from {begins:%Y-%m-%d} to "
            f"{ends:%Y-%m-%d}, and it is {now:%Y-%m-%d} here; set the clock right, name another "
            "certificate, or delete this one if facestream has made it"
        )
    return Identity(chain, _pem(private), _algorithm(private, key))


def own(folder: Path | None = None) -> Identity:
    """This machine's own identity; made when it does not exist.

    Its certificate is issued by a root whose key is thrown away at once, so that nothing else is
    ever signed by it: who trusts `root.pem` trusts this one signer.

    Args:
        folder: where it is kept; None for the user's settings folder.

    Raises:
        ConfigError: it cannot be written or read.
    """
    folder = folder or settings_folder() / "signing"
    if not folder.is_dir():
        _make(folder)
    return load(folder / _CHAIN, folder / _KEY)


def settings_folder() -> Path:
    """Where the user's own settings of facestream are kept."""
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or Path.home()) / "facestream"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "facestream"


def _make(folder: Path) -> None:
    chain, key, root = _issue()
    # Complete before it appears: another run may be looking for it right now.
    unfinished = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    try:
        unfinished.mkdir(mode=0o700, parents=True)
        try:
            (unfinished / _CHAIN).write_bytes(chain)
            (unfinished / _ROOT).write_bytes(root)
            with os.fdopen(
                os.open(unfinished / _KEY, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb"
            ) as file:
                file.write(key)
            # Fails where another run was faster: then there is one, and that is used.
            with suppress(FileExistsError):
                unfinished.rename(folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    except OSError as error:
        if folder.is_dir():
            return
        raise ConfigError(
            f"{folder}: a certificate for --sign cannot be kept here ({error.strerror}); name one "
            "by --set marking.certificate=FILE.pem --set marking.key=FILE.pem"
        ) from error


def _issue() -> tuple[bytes, bytes, bytes]:
    """A new chain, its key, and its root, all PEM."""
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    mark = secrets.token_hex(4)
    root_name, name = _name(f"facestream local root {mark}"), _name(f"facestream local {mark}")
    usage = {
        "digital_signature": False,
        "content_commitment": False,
        "key_encipherment": False,
        "data_encipherment": False,
        "key_agreement": False,
        "key_cert_sign": False,
        "crl_sign": False,
        "encipher_only": False,
        "decipher_only": False,
    }
    root_usage = x509.KeyUsage(**usage | {"key_cert_sign": True, "crl_sign": True})
    leaf_usage = x509.KeyUsage(**usage | {"digital_signature": True})
    root = (
        _builder(root_name, root_name, root_key, root_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(root_usage, critical=True)
        .sign(root_key, hashes.SHA256())
    )
    leaf = (
        _builder(name, root_name, key, root_key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(leaf_usage, critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
        )
        .sign(root_key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    root_pem = root.public_bytes(encoding)
    return leaf.public_bytes(encoding) + root_pem, _pem(key), root_pem


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
) -> x509.CertificateBuilder:
    now = _now()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BEFORE)
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )


def _name(common: str) -> x509.Name:
    # C2PA shows the organization as the signer.
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "facestream (made on this machine)"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _pem(key: PrivateKeyTypes) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _algorithm(key: PrivateKeyTypes, path: Path) -> bytes:
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVES:
        return _CURVES[key.curve.name]
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return b"ed25519"
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= 2048:
        return b"ps256"
    raise ConfigError(
        f"marking.key {path}: C2PA does not sign with this kind of key; expected P-256, P-384, "
        "P-521, Ed25519, or RSA of 2048 bits or more"
    )


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"marking.{what} {path}: {error.strerror}") from error


def _now() -> datetime:
    return datetime.now(UTC)
