from __future__ import annotations

import socket
import threading
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("c2pa")

from stream.errors import ConfigError, SinkError
from stream.marking import c2pa, certificate
from stream.marking.certificate import Identity
from stream.sinks.pictures import save


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("identity") / "signing"


@pytest.fixture(scope="module")
def me(folder: Path) -> Identity:
    return certificate.own(folder)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "out.png"
    save(path, np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8), 95)
    return path


def test_signed_says_who_how_and_from_what(
    tmp_path: Path, picture: Path, me: Identity, folder: Path
) -> None:
    source = tmp_path / "source.jpg"
    save(source, np.zeros((16, 16, 3), np.uint8), 95)
    c2pa.sign(picture, source, me, "maro", swapped=True)
    found = c2pa.read(picture)
    assert found.state == "valid"
    assert found.synthetic
    assert found.signer == me.name
    assert found.tool.startswith("facestream ")
    assert found.ingredients == ("source.jpg",)
    assert found.problems == ()
    assert c2pa.read(picture, folder / "root.pem").state == "trusted"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.png", "source.jpg"]


def test_a_stranger_is_not_trusted(tmp_path: Path, picture: Path, me: Identity) -> None:
    certificate.own(tmp_path / "other")
    c2pa.sign(picture, None, me, "maro", swapped=True)
    assert c2pa.read(picture, tmp_path / "other" / "root.pem").state == "valid"


def test_signed_changed_and_unsigned_are_told_apart(picture: Path, me: Identity) -> None:
    assert c2pa.read(picture).state == "none"
    unsigned = picture.read_bytes()
    c2pa.sign(picture, None, me, "maro", swapped=True)
    signed = bytearray(picture.read_bytes())
    assert c2pa.read(picture).state == "valid"
    signed[-20] ^= 1
    picture.write_bytes(signed)
    found = c2pa.read(picture)
    assert found.state == "invalid"
    assert found.problems
    picture.write_bytes(unsigned)
    assert c2pa.read(picture).state == "none"


def test_a_source_that_names_a_manifest_elsewhere_makes_nobody_ask_there(
    tmp_path: Path, picture: Path, me: Identity
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/m.c2pa"
        xmp = (
            '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
            'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
            f'xmlns:dcterms="http://purl.org/dc/terms/" dcterms:provenance="{url}"/>'
            "</rdf:RDF></x:xmpmeta>"
        )
        segment = b"http://ns.adobe.com/xap/1.0/\0" + xmp.encode()
        source = tmp_path / "source.jpg"
        save(source, np.zeros((16, 16, 3), np.uint8), 95)
        plain = source.read_bytes()
        length = (len(segment) + 2).to_bytes(2, "big")
        source.write_bytes(plain[:2] + b"\xff\xe1" + length + segment + plain[2:])
        asked: list[str] = []

        def answer() -> None:
            with suppress(OSError):  # Closed, and nobody had come.
                connection, _ = server.accept()
                asked.append(url)
                connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        c2pa.sign(picture, source, me, "maro", swapped=True)
        assert c2pa.read(picture).state == "valid"
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert not asked


@pytest.mark.parametrize("has_source", [True, False])
def test_a_file_without_a_swap_is_not_signed_as_synthetic(
    tmp_path: Path, picture: Path, me: Identity, has_source: bool
) -> None:
    source = tmp_path / "source.jpg" if has_source else None
    if source is not None:
        save(source, np.zeros((16, 16, 3), np.uint8), 95)
    c2pa.sign(picture, source, me, "maro", swapped=False)
    found = c2pa.read(picture)
    assert (found.state, found.problems) == ("valid", ())
    assert not found.synthetic


def test_what_cannot_be_signed_stays_as_it_was(tmp_path: Path, picture: Path, me: Identity) -> None:
    before = picture.read_bytes()
    broken = Identity(me.chain, b"no key", me.algorithm)
    for source, identity in ((tmp_path / "gone.mp4", me), (None, broken)):
        with pytest.raises(SinkError, match="the file itself is fine"):
            c2pa.sign(picture, source, identity, "maro", swapped=True)
        assert picture.read_bytes() == before
        assert [path.name for path in tmp_path.iterdir()] == ["out.png"]


def test_files_of_other_kinds_have_no_signature(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    path.write_bytes(b"anything")
    assert c2pa.read(path).state == "none"


def test_trust_has_to_be_a_certificate(tmp_path: Path, picture: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    for name in ("ca.pem", "gone.pem"):
        with pytest.raises(ConfigError, match="--trust"):
            c2pa.read(picture, tmp_path / name)
