"""A virtual machine with video devices: its parts from Debian packages, and how it is run."""

from __future__ import annotations

import hashlib
import lzma
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HEADERS = Path("/usr/src")
INIT = Path(__file__).with_name("init.sh")
PACKAGES = Path(__file__).with_name("packages.txt")

# Buses, disks and files of the host first, then what is tested.
_MODULES = (
    *("virtio_pci", "virtio_rng", "9pnet_virtio", "9p", "virtio_blk", "ext4"),
    *("videodev", "vivid"),
)
_LOOPBACK = "v4l2loopback"
_DEVICES = ("vivid", _LOOPBACK)
_MEMORY_MB = 2048
_DISK_MB = 32
_DISK_BYTES_PER_S = 50_000


class BuildError(Exception):
    """The machine cannot be built; says what is missing."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Parts that stay the same from run to run.

    Attributes:
        kernel: file that qemu boots.
        modules: folder of drivers that are loaded at boot, named in their order.
        devices: folder of the drivers that tests load as they want them.
    """

    kernel: Path
    modules: Path
    devices: Path


def machine(cache: Path, loopback: Path | None = None) -> Machine:
    """Take the machine from the cache, or build it.

    Args:
        cache: folder for everything that is built.
        loopback: source folder of another v4l2loopback than Debian's.

    Raises:
        BuildError: a package is missing or cannot be downloaded.
    """
    version = _kernel_version()
    parts = hashlib.sha256(" ".join(_MODULES).encode()).hexdigest()[:8]
    name = f"{version}-{parts}"
    folder = cache / (name if loopback is None else f"{name}-{loopback.resolve().name}")
    built = Machine(folder / "vmlinuz", folder / "modules", folder / "devices")
    if folder.is_dir():
        return built
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as temporary:
        work = Path(temporary)
        _download(f"linux-image-{version}", work)
        if loopback is None:
            _download(f"{_LOOPBACK}-dkms", work)
            (loopback,) = (work / f"{_LOOPBACK}-dkms" / "usr/src").iterdir()
        root = work / f"linux-image-{version}"
        done = work / "done"
        for kind in ("modules", "devices"):
            (done / kind).mkdir(parents=True)
        shutil.copy(root / "boot" / f"vmlinuz-{version}", done / "vmlinuz")
        files = [*_with_dependencies(root, version), _compiled(loopback, work, version)]
        for number, file in enumerate(files):
            driver = file.name.partition(".")[0]
            place = f"devices/{driver}" if driver in _DEVICES else f"modules/{number:02}-{driver}"
            _unpack(file, done / f"{place}.ko")
        done.rename(folder)
    return built


def list_plugins(registry: Path) -> Path:
    """Let GStreamer look through its plug-ins here: emulated, it takes longer than tests wait.

    Args:
        registry: file that is written, or brought up to date.

    Raises:
        BuildError: GStreamer or its binding for the system's Python is missing.
    """
    code = "import gi; gi.require_version('Gst', '1.0'); from gi.repository import Gst; Gst.init()"
    environment = os.environ | {"GST_REGISTRY": str(registry)}
    python = _program("python3", "/usr/bin")  # whose bindings Debian packages
    if subprocess.run([python, "-c", code], env=environment, check=False).returncode:
        raise BuildError(f"GStreamer's binding for Python is missing; {_advice()}")
    return registry


def initramfs(built: Machine, settings: dict[str, str], path: Path) -> None:
    """Pack what the kernel starts with.

    Args:
        built: gives the drivers.
        settings: variables of the init script.
        path: file that is written.
    """
    with tempfile.TemporaryDirectory(dir=path.parent) as name:
        root = Path(name)
        shutil.copytree(built.modules, root / "modules")
        shutil.copytree(built.devices, root / "devices")
        shutil.copy(_program("busybox"), root / "busybox")
        shutil.copy(INIT, root / "init")
        (root / "init").chmod(0o755)
        lines = (f"{variable}={shlex.quote(value)}\n" for variable, value in settings.items())
        (root / "settings").write_text("".join(lines), encoding="utf-8")
        names = sorted(str(file.relative_to(root)) for file in root.rglob("*"))
        packed = subprocess.run(
            [_program("cpio"), "--create", "--format=newc", "--quiet"],
            input="\n".join(names).encode(),
            stdout=subprocess.PIPE,
            cwd=root,
            check=True,
        )
    path.write_bytes(packed.stdout)


def make_disk(path: Path) -> Path:
    """Make an empty disk with a file system.

    Args:
        path: file that is written.
    """
    path.touch()
    os.truncate(path, _DISK_MB << 20)
    subprocess.run([_program("mke2fs"), "-q", "-t", "ext2", path], check=True)
    return path


def boot(built: Machine, start: Path, disk: Path, console: Path) -> subprocess.Popen[bytes]:
    """Start the machine; its second serial port, where the tests report, is our pipe.

    Args:
        built: to boot.
        start: the initramfs.
        disk: takes 50 KB a second, and gives them as fast as it can.
        console: file for what the kernel says.
    """
    throttle = f"throttling.bps-write={_DISK_BYTES_PER_S}"
    command = [
        # Ends with this program, however that ends.
        *(_program("setpriv"), "--pdeathsig", "KILL", _program("qemu-system-x86_64")),
        *("-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", str(_MEMORY_MB)),
        *("-nodefaults", "-no-reboot", "-display", "none", "-nic", "none"),
        *("-serial", f"file:{console}", "-serial", "stdio"),
        *("-kernel", str(built.kernel), "-initrd", str(start)),
        *("-append", "console=ttyS0 panic=-1 quiet mitigations=off"),
        *("-fsdev", "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap"),
        *("-device", "virtio-9p-pci,fsdev=host,mount_tag=host", "-device", "virtio-rng-pci"),
        *("-drive", f"file={disk},if=virtio,format=raw,cache=unsafe,{throttle}"),
    ]
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def _kernel_version() -> str:
    found = sorted(path.name for path in HEADERS.glob("linux-headers-*-amd64"))
    if not found:
        raise BuildError(f"linux-headers-amd64 is missing; {_advice()}")
    return found[-1].removeprefix("linux-headers-")


def _program(name: str, folders: str = f"{os.environ['PATH']}:/usr/sbin:/sbin") -> str:
    path = shutil.which(name, path=folders)
    if path is None:
        raise BuildError(f"{name} is missing; {_advice()}")
    return path


def _advice() -> str:
    lines = PACKAGES.read_text(encoding="utf-8").splitlines()
    names = " ".join(line for line in lines if not line.startswith("#"))
    return f"apt-get install --no-install-recommends {names}"


def _download(package: str, work: Path) -> None:
    done = subprocess.run(
        [_program("apt-get"), "download", "-qq", "-o", "APT::Sandbox::User=root", package],
        cwd=work,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BuildError(f"{package} cannot be downloaded: {done.stderr.strip()}")
    (file,) = work.glob(f"{package}_*.deb")
    subprocess.run([_program("dpkg-deb"), "--extract", file, work / package], check=True)


def _with_dependencies(root: Path, version: str) -> list[Path]:
    subprocess.run([_program("depmod"), "--basedir", root, version], check=True)
    return list(dict.fromkeys(_needed(root, version)))


def _needed(root: Path, version: str) -> Iterator[Path]:
    query = ("--dirname", root, "--set-version", version, "--show-depends")
    for module in _MODULES:
        listing = subprocess.run(
            [_program("modprobe"), *query, module], capture_output=True, text=True, check=True
        ).stdout
        for line in listing.splitlines():
            kind, _, path = line.partition(" ")
            if kind == "insmod":  # anything else is a part of the kernel itself
                yield Path(path.split()[0])


def _compiled(source: Path, work: Path, version: str) -> Path:
    copy = work / "build"
    shutil.copytree(source, copy)
    done = subprocess.run(
        [_program("make"), "-C", HEADERS / f"linux-headers-{version}", f"M={copy}", "modules"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BuildError(f"{_LOOPBACK} cannot be compiled:\n{done.stderr}")
    return copy / f"{_LOOPBACK}.ko"


def _unpack(file: Path, target: Path) -> None:
    if file.suffix == ".xz":
        target.write_bytes(lzma.decompress(file.read_bytes()))
    else:
        shutil.copy(file, target)
