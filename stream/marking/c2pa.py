"""C2PA manifests: signing a finished file, and judging the signature of any file.

Needs the extra `sign` (c2pa-python). Nothing is fetched from the network, neither to sign (no
time stamping authority) nor to read (no remote manifest).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import c2pa
from cryptography import x509

from stream.errors import ConfigError, SinkError
from stream.marking.certificate import Identity
from stream.marking.synthetic import NOTHING_SWAPPED, SOURCE_TYPE, says_synthetic
from stream.version import version

State: TypeAlias = Literal["none", "valid", "trusted", "invalid"]

FORMATS: Mapping[str, str] = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
}
"""Names of files that can carry a manifest."""

_UNTRUSTED = "signingCredential.untrusted"


@dataclass(frozen=True, slots=True)
class Signature:
    """What a file's manifest says, and whether it holds.

    Attributes:
        state: `none`: there is no manifest; `valid`: the file is as it was signed, by somebody
            unknown; `trusted`: by somebody whose issuer was given; `invalid`: the file was
            changed after it was signed, or the signature is broken.
        signer: name in the signer's certificate, empty if unknown.
        tool: what made the file, as the signer claims.
        synthetic: whether the manifest says that parts were made by a trained model.
        ingredients: names of the files that it was made from.
        problems: C2PA's codes of what does not hold.
    """

    state: State
    signer: str = ""
    tool: str = ""
    synthetic: bool = False
    ingredients: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def sign(path: Path, source: Path | None, identity: Identity, model: str, *, swapped: bool) -> None:
    """Sign a finished file in its place.

    The signed copy is written beside it and takes its place when it is complete, so that whatever
    happens one of the two is there.

    Args:
        path: a file whose suffix is one of `FORMATS`.
        source: the file that it was made from, to be named with its hash; None for a live source.
        identity: who signs.
        model: name of the swap model, for the manifest.
        swapped: whether a swapped face may be seen in it; or it is not signed as synthetic.

    Raises:
        SinkError: it could not be signed; the unsigned file is as it was.
    """
    signed = path.with_name(f".{path.stem}.{secrets.token_hex(4)}{path.suffix}")
    info = c2pa.C2paSignerInfo(
        alg=identity.algorithm, sign_cert=identity.chain, private_key=identity.key, ta_url=None
    )
    try:
        mode = path.stat().st_mode
        with (
            c2pa.Signer.from_info(info) as signer,
            _context({}) as context,
            c2pa.Builder(_manifest(path, source, model, swapped=swapped), context) as builder,
        ):
            if source is not None:
                builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
                _add_source(builder, source)
            builder.sign_file(path, signed, signer)
        signed.chmod(mode & 0o7777)
        signed.replace(path)
    except (c2pa.C2paError, OSError) as error:
        raise SinkError(
            f"{path}: not signed ({_reason(error)}); the file itself is fine"
        ) from error
    finally:
        with suppress(OSError):
            signed.unlink(missing_ok=True)


def read(path: Path, trust: Path | None = None) -> Signature:
    """Judge a file's signature.

    Args:
        path: any file; of a kind that cannot carry a manifest none is found.
        trust: PEM file with certificates of issuers to be trusted; None for nobody.

    Raises:
        ConfigError: `trust` cannot be read.
    """
    if path.suffix.lower() not in FORMATS:
        return Signature("none")
    with _context({} if trust is None else {"user_anchors": _anchors(trust)}) as context:
        try:
            with path.open("rb") as file:
                reader = c2pa.Reader(FORMATS[path.suffix.lower()], file, context=context)
                with reader:
                    return _judge(json.loads(reader.json()))
        except c2pa.C2paError.ManifestNotFound:
            return Signature("none")
        except (c2pa.C2paError, OSError, ValueError) as error:
            return Signature("invalid", problems=(_reason(error),))


def _context(trust: Mapping[str, str]) -> c2pa.Context:
    """Settings of the library: a file may name a manifest elsewhere, and nobody is asked there."""
    verify = {"verify_trust": True, "remote_manifest_fetch": False}
    settings = {"verify": verify, **({"trust": trust} if trust else {})}
    return c2pa.Context(c2pa.Settings.from_dict(settings))


def _anchors(trust: Path) -> str:
    try:
        content = trust.read_bytes()
    except OSError as error:
        raise ConfigError(f"--trust {trust}: {error.strerror}") from error
    try:
        x509.load_pem_x509_certificates(content)
        return content.decode("ascii")
    except ValueError as error:
        raise ConfigError(f"--trust {trust}: not a PEM certificate") from error


def _manifest(path: Path, source: Path | None, model: str, *, swapped: bool) -> str:
    what = f"faces swapped by facestream with the model {model}"
    parameters = {"description": what if swapped else "processed by facestream: no face swapped"}
    action = {
        "action": "c2pa.created" if source is None else "c2pa.edited",
        "digitalSourceType": SOURCE_TYPE if swapped else NOTHING_SWAPPED,
        "parameters": parameters,
    }
    return json.dumps(
        {
            "claim_generator_info": [{"name": "facestream", "version": version()}],
            "title": path.name,
            "format": FORMATS[path.suffix.lower()],
            "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}],
        }
    )


def _add_source(builder: c2pa.Builder, source: Path) -> None:
    kind = FORMATS.get(source.suffix.lower(), "application/octet-stream")
    description = json.dumps({"title": source.name, "relationship": "parentOf"})
    with source.open("rb") as file:
        builder.add_ingredient(description, kind, file)


def _judge(store: Mapping[str, Any]) -> Signature:
    manifest = store.get("manifests", {}).get(store.get("active_manifest", ""), {})
    signature = manifest.get("signature_info") or {}
    tools = manifest.get("claim_generator_info") or [{}]
    results = store.get("validation_results", {}).get("activeManifest", {})
    failures = tuple(failure.get("code", "") for failure in results.get("failure", ()))
    verdict = str(store.get("validation_state", ""))
    states: Mapping[str, State] = {"Valid": "valid", "Trusted": "trusted"}
    return Signature(
        state=states.get(verdict, "invalid"),
        signer=str(signature.get("common_name") or signature.get("issuer") or ""),
        tool=" ".join(str(tools[0].get(key, "")) for key in ("name", "version")).strip(),
        synthetic=any(says_synthetic({"type": kind}) for kind in _kinds(manifest)),
        ingredients=tuple(
            str(ingredient.get("title", "")) for ingredient in manifest.get("ingredients", ())
        ),
        problems=tuple(code for code in failures if code != _UNTRUSTED),
    )


def _kinds(manifest: Mapping[str, Any]) -> Iterator[str]:
    for assertion in manifest.get("assertions", ()):
        if str(assertion.get("label", "")).startswith("c2pa.actions"):
            for action in assertion.get("data", {}).get("actions", ()):
                yield str(action.get("digitalSourceType", ""))


def _reason(error: Exception) -> str:
    words = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(words).split())[:200]
