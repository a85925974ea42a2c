from __future__ import annotations

from dataclasses import replace

from stream.doctor import packages
from stream.doctor.packages import Facts
from stream.findings import Finding

OPENCV = {"opencv-python": "5.0.0.93", "opencv-contrib-python": "5.0.0.93"}
GOOD = Facts(
    required=(
        "numpy<2.6,>=2.3",
        "onnxruntime-gpu<2,>=1.31.1",
        "opencv-contrib-python==5.0.0.93",
        "opencv-python==5.0.0.93",
    ),
    installed={"numpy": "2.4.6", "onnxruntime-gpu": "1.31.1", **OPENCV},
    opencv_loaded="5.0.0",
    opencv_problem="",
    opencv_built_with=("FFMPEG", "V4L2"),
    virtual_environment=True,
)


def installed(**changes: str | None) -> Facts:
    """`GOOD` with packages changed or, if None, taken away."""
    merged = {**GOOD.installed, **{name.replace("_", "-"): v for name, v in changes.items()}}
    return replace(GOOD, installed={name: value for name, value in merged.items() if value})


def line(facts: Facts, subject: str) -> Finding:
    (found,) = [finding for finding in packages.judge(facts) if finding.subject == subject]
    return found


def test_all_well() -> None:
    assert {finding.verdict for finding in packages.judge(GOOD)} == {"ok"}
    assert "numpy 2.4.6" in line(GOOD, "packages").says
    assert line(GOOD, "OpenCV").says == "5.0.0, video by FFMPEG, V4L2"


def test_missing_package() -> None:
    found = line(installed(numpy=None), "numpy")
    assert (found.verdict, found.fix) == ("fail", "pip install -e .")


def test_package_of_another_version() -> None:
    found = line(installed(numpy="2.1.0"), "numpy")
    assert found.verdict == "fail"
    assert found.fix == "pip install 'numpy<2.6,>=2.3'"


def test_both_flavors_of_onnx_runtime() -> None:
    found = line(installed(onnxruntime="1.31.1"), "ONNX Runtime")
    assert found.verdict == "warn"
    assert found.fix == (
        "pip uninstall -y onnxruntime onnxruntime-gpu && "
        "pip install --no-cache-dir onnxruntime-gpu==1.31.1"
    )
    assert all(finding.subject != "ONNX Runtime" for finding in packages.judge(GOOD))


def test_two_opencv_packages_of_different_versions() -> None:
    facts = installed(opencv_contrib_python="4.10.0.84")
    found = line(facts, "OpenCV")
    assert found.verdict == "warn"
    assert "opencv-contrib-python 4.10.0.84" in found.says
    assert found.fix == (
        "pip uninstall -y opencv-python opencv-contrib-python && pip install --no-cache-dir "
        "opencv-contrib-python==5.0.0.93 opencv-python==5.0.0.93"
    )


def test_headless_opencv_beside_the_other() -> None:
    found = line(installed(opencv_python_headless="5.0.0.93"), "OpenCV")
    assert found.verdict == "warn"
    assert "opencv-python-headless" in found.fix


def test_loaded_opencv_is_none_of_the_installed_ones() -> None:
    found = line(replace(GOOD, opencv_loaded="4.9.0"), "OpenCV")
    assert found.verdict == "fail"
    assert "half overwritten" in found.says


def test_opencv_that_cannot_be_imported() -> None:
    facts = replace(GOOD, opencv_loaded="", opencv_problem="libGL.so.1: cannot open")
    found = line(facts, "OpenCV")
    assert found.verdict == "fail"
    assert "libGL.so.1" in found.says


def test_opencv_that_pip_does_not_know() -> None:
    facts = installed(opencv_python=None, opencv_contrib_python=None)
    assert "not installed by pip" in line(replace(facts, required=()), "OpenCV").says


def test_project_that_is_not_installed() -> None:
    found = line(replace(GOOD, required=()), "facestream")
    assert (found.verdict, found.fix) == ("warn", "pip install -e .")


def test_python_of_the_system() -> None:
    assert line(replace(GOOD, virtual_environment=False), "environment").verdict == "note"


def test_this_environment_can_be_asked() -> None:
    facts = packages.facts()
    assert "numpy" in facts.installed
    assert facts.opencv_loaded
