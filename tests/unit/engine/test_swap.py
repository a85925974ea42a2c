from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto

from engine import align
from engine.align import FULL_FACE
from engine.errors import DeviceError, ModelError
from engine.face import Face, Landmarks
from engine.models import model_path
from engine.session import Session
from engine.swap import Swapper
from tests.tiny_models import METADATA, write_model


def landmarks_at(x: float, y: float, side: float) -> Landmarks:
    """A face whose crop is the square of `side` pixels with its corner at x, y."""
    points = np.zeros((478, 2), np.float32)
    points[FULL_FACE.indices] = FULL_FACE.template * side - 0.5 + [x, y]
    return points


def smooth_picture(height: int = 200, width: int = 300) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    picture = [x * 255 / width, y * 255 / height, 128 + 60 * np.sin(x / 30)]
    return np.stack(picture, axis=2).astype(np.uint8)


@pytest.fixture(scope="module")
def swapper(tmp_path_factory: pytest.TempPathFactory) -> Swapper:
    return Swapper(write_model(tmp_path_factory.mktemp("model") / "tiny.onnx"), "cpu")


def test_picture_comes_back_where_the_face_was(swapper: Swapper) -> None:
    image = smooth_picture()
    before = image.copy()
    face = Face(landmarks_at(40, 30, 128), track=7)
    (swapped,) = swapper(image, (face,))
    assert swapped.swap is not None
    assert swapped.track == 7
    assert np.array_equal(image, before)
    # The output grid is the 128 px square itself.
    assert np.allclose(swapped.swap.frame_to_crop, [[1, 0, -40], [0, 1, -30]], atol=1e-3)
    difference = swapped.swap.image.astype(int) - image[30:158, 40:168]
    assert np.abs(difference).max() <= 4
    assert np.abs(difference.mean(axis=(0, 1))).max() < 0.6  # no shift between the grids
    assert swapped.swap.mask is None


def test_channels_reach_the_model_as_rgb(tmp_path: Path) -> None:
    red_only = Swapper(write_model(tmp_path / "red.onnx", gain=(1, 0, 0)), "cpu")
    image = smooth_picture()
    (face,) = red_only(image, (Face(landmarks_at(40, 30, 128), track=0),))
    assert face.swap is not None
    assert not face.swap.image[..., :2].any()
    assert face.swap.image[..., 2].mean() > 50


def test_all_faces_of_a_frame_in_order(swapper: Swapper) -> None:
    image = smooth_picture()
    faces = tuple(Face(landmarks_at(x, 10, 100), track=x) for x in (10, 60, 150))
    swapped = swapper(image, faces)
    assert [face.track for face in swapped] == [10, 60, 150]
    for face in swapped:
        assert face.swap is not None
        center = align.apply(align.invert(face.swap.frame_to_crop), np.array([[63.5, 63.5]]))
        assert center[0, 0] == pytest.approx(face.track + 49.5, abs=0.1)
        expected = image[60, face.track + 50]
        assert np.abs(face.swap.image[64, 64].astype(int) - expected).max() <= 4


def test_faces_of_several_frames_go_through_the_model_at_once(
    swapper: Swapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = [smooth_picture(), smooth_picture(260, 240), smooth_picture()[::-1].copy()]
    broken = Face(np.full((478, 2), np.nan, np.float32), 5)
    faces = [
        (Face(landmarks_at(40, 30, 128), 0), broken, Face(landmarks_at(90, 40, 64), 1)),
        (),
        (Face(landmarks_at(60, 20, 100), 2),),
    ]
    alone = [swapper(image, each) for image, each in zip(pictures, faces, strict=True)]
    rows: list[int] = []
    run = swapper._run

    def counted(batch: np.ndarray) -> list[np.ndarray]:
        rows.append(len(batch))
        return run(batch)

    monkeypatch.setattr(swapper, "_run", counted)
    together = swapper.many(list(zip(pictures, faces, strict=True)))
    assert rows == [3]
    for one, other in zip(sum(alone, ()), sum(together, ()), strict=True):
        assert one.track == other.track
        assert (one.swap is None) == (other.swap is None) == (one.track == 5)
        if one.swap and other.swap:
            assert np.array_equal(one.swap.image, other.swap.image)
            assert np.array_equal(one.swap.frame_to_crop, other.swap.frame_to_crop)
            assert one.swap.change == other.swap.change


def test_degenerate_landmarks_stay_unswapped(swapper: Swapper) -> None:
    image = smooth_picture()
    point = np.full((478, 2), 20, np.float32)
    broken = np.full((478, 2), np.nan, np.float32)
    good = landmarks_at(10, 10, 100)
    faces = tuple(Face(landmarks, track) for track, landmarks in enumerate((point, good, broken)))
    assert [face.swap is not None for face in swapper(image, faces)] == [False, True, False]
    assert swapper(image, ()) == ()


def test_large_face_is_averaged_not_skipped(swapper: Swapper) -> None:
    # Single-pixel stripes: bilinear sampling alone gives moiré, averaging gives gray.
    image = np.zeros((700, 700, 3), np.uint8)
    image[:, ::2] = 255
    (face,) = swapper(image, (Face(landmarks_at(20, 20, 640), track=0),))
    assert face.swap is not None
    assert np.abs(face.swap.image.astype(int) - 127).max() <= 12


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        ({"input_name": "x"}, "tensors are ['x'] -> ['swapped'], expected ['face']"),
        ({"output_name": "y"}, "tensors are ['face'] -> ['y']"),
        ({"size": 32}, "tensor face is (None, 3, 32, 32) of float32"),
        ({"scale": 1.0}, "tensor swapped is (None, 3, 64, 64) of float32"),
        ({"dtype": TensorProto.FLOAT16}, "of float16"),
        ({"batch": 1}, "tensor face is (1, 3, 64, 64) of float32"),
        ({"gain": (255, 255, 255)}, "values from 128 to 128 for a gray picture"),
        ({"gain": (np.nan, 1, 1)}, "values from nan"),
        ({"metadata": {}}, "metadata key facestream.contract is missing"),
        ({"metadata": METADATA | {"contract": "9"}}, "facestream.contract is '9', expected '1'"),
        ({"metadata": METADATA | {"alignment": "dfl"}}, "facestream.alignment is 'dfl'"),
        ({"metadata": METADATA | {"input_size": "big"}}, "facestream.input_size is 'big'"),
        ({"metadata": METADATA | {"output_size": "99999"}}, "expected 16 to 1024"),
        ({"metadata": METADATA | {"color_order": "BGR"}}, "color_order is 'BGR'"),
    ],
)
def test_broken_contracts_are_explained(
    tmp_path: Path, broken: dict[str, object], expected: str
) -> None:
    path = write_model(tmp_path / "broken.onnx", **broken)  # type: ignore[arg-type]
    with pytest.raises(ModelError) as caught:
        Swapper(path, "cpu")
    assert expected in str(caught.value)


def test_file_that_is_not_onnx(tmp_path: Path) -> None:
    path = tmp_path / "text.onnx"
    path.write_text("this is not a model")
    with pytest.raises(ModelError, match="not an ONNX file"):
        Swapper(path, "cpu")


def test_failure_inside_a_model_is_a_model_error(tmp_path: Path) -> None:
    session = Session(write_model(tmp_path / "tiny.onnx"), "cpu")
    with pytest.raises(ModelError, match=r"tiny\.onnx: failed while running on cpu \("):
        session.run(["swapped"], {"face": np.zeros((1, 3, 9, 9), np.float32)})


def test_auto_takes_the_cpu_when_the_gpu_fails_to_load_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = onnxruntime.InferenceSession

    def out_of_memory(
        path: str, options: object, providers: list[tuple[str, object]], **other: object
    ) -> object:
        if providers[0][0] == "CUDAExecutionProvider":
            raise RuntimeError("CUDA out of memory")
        return real(path, options, providers=providers, **other)

    monkeypatch.setattr(onnxruntime, "InferenceSession", out_of_memory)
    monkeypatch.setattr(
        onnxruntime,
        "get_available_providers",
        lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"],
    )
    monkeypatch.setattr("engine.execution.devices.missing_gpu", lambda: None)
    path = write_model(tmp_path / "tiny.onnx")
    assert Swapper(path, "auto").device == "cpu"
    assert "CUDA out of memory" in caplog.text
    with pytest.raises(ModelError, match="CUDA out of memory"):
        Swapper(path, "cuda")


def test_gpu_that_is_there_but_not_used_is_said_loudly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = onnxruntime.InferenceSession

    def without_libraries(
        path: str, options: object, providers: list[tuple[str, object]], **other: object
    ) -> object:
        return real(path, options, providers=providers[-1:], **other)

    monkeypatch.setattr(onnxruntime, "InferenceSession", without_libraries)
    monkeypatch.setattr(
        onnxruntime,
        "get_available_providers",
        lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"],
    )
    path = write_model(tmp_path / "tiny.onnx")
    monkeypatch.setattr("engine.execution.devices.missing_gpu", lambda: "no NVIDIA GPU")
    assert Swapper(path, "auto").device == "cpu"
    assert not caplog.records
    monkeypatch.setattr("engine.execution.devices.missing_gpu", lambda: None)
    assert Swapper(path, "auto").device == "cpu"
    assert "not running on cuda: ONNX Runtime" in caplog.text
    with pytest.raises(DeviceError, match="its CUDA 13 or cuDNN 9 libraries were not found"):
        Swapper(path, "cuda")


def test_missing_model_names_the_nearest() -> None:
    with pytest.raises(ModelError, match="no such file"):
        Swapper(Path("nothing.onnx"), "cpu")
    with pytest.raises(ModelError, match="did you mean 'maro'"):
        model_path("mara")


@pytest.mark.parametrize("device", ["cuda", "tensorrt"])
def test_device_that_is_not_there_is_an_error_unless_auto(tmp_path: Path, device: str) -> None:
    path = write_model(tmp_path / "tiny.onnx")
    if Path("/dev/nvidiactl").exists():
        Swapper(path, device)  # type: ignore[arg-type]
        return
    with pytest.raises(DeviceError, match=f"device {device} is not available"):
        Swapper(path, device)  # type: ignore[arg-type]
    assert Swapper(path, "auto").device == "cpu"


def test_a_model_with_somebody_elses_operator_is_never_handed_to_the_runtime(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_model(tmp_path / "m.onnx")
    model = onnx.load(path)
    model.graph.node[0].domain = "odd"
    model.opset_import.add(domain="odd", version=1)
    onnx.save(model, path)

    def never(*_: object) -> None:
        pytest.fail("loaded")

    monkeypatch.setattr("engine.session.onnxruntime.InferenceSession", never)
    with pytest.raises(ModelError, match=r"not run: needs operators .*odd:Resize"):
        Swapper(path, "cpu")


def test_what_a_model_answers_has_to_be_what_it_declares(tmp_path: Path) -> None:
    path = write_model(tmp_path / "odd.onnx")
    model = onnx.load(path)
    scales = next(each for each in model.graph.initializer if each.name == "scales")
    scales.CopyFrom(onnx.numpy_helper.from_array(np.array([1, 1, 3, 3], np.float32), "scales"))
    # ONNX Runtime believes what the file says of the size in between, and only warns.
    onnx.save(model, path)
    with pytest.raises(ModelError, match=r"swapped is \(1, 3, 192, 192\) for one picture"):
        Swapper(path, "cpu")
