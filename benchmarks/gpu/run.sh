#!/bin/sh
# Everything that only a GPU can show, in one go of less than nine minutes: writes gpu.json and
# gpu.png, and says which goals were reached.
#
#   benchmarks/gpu/run.sh                      # CUDA, results in ./gpu-results
#   benchmarks/gpu/run.sh --device tensorrt
#   benchmarks/gpu/run.sh --device cpu --quick # proves that the script itself works
#
# PYTHON names the interpreter; otherwise it is .venv's, or the first python3 that has the packages.
set -eu

cd "$(dirname "$0")/../.."

device=cuda
out=gpu-results
previous=
for argument in "$@"; do
    case "$previous" in
        --device) device=$argument ;;
        --out) out=$argument ;;
    esac
    previous=$argument
done

missing() {
    "$1" - "$device" <<'PYTHON'
import importlib, sys

wants = {
    "av": "av", "click": "click", "cv2": "opencv-python", "matplotlib": "matplotlib",
    "mediapipe": "mediapipe", "numba": "numba", "numpy": "numpy", "onnx": "onnx",
    "onnxruntime": "onnxruntime-gpu", "rich": "rich",
}
absent = []
for module, package in wants.items():
    try:
        importlib.import_module(module)
    except Exception as error:
        absent.append(f"{package} ({type(error).__name__}: {str(error).splitlines()[0][:80]})")
if sys.version_info < (3, 11):
    absent.insert(0, f"Python 3.11 or later (this is {sys.version.split()[0]})")
print("; ".join(absent))
PYTHON
}

python=
report=
for candidate in ${PYTHON:-.venv/bin/python python3 python3.13 python3.12 python3.11 python}; do
    command -v "$candidate" >/dev/null 2>&1 || continue
    absent=$(missing "$candidate") || absent="it does not run"
    if [ -z "$absent" ]; then
        python=$candidate
        break
    fi
    report="$report
  $candidate: $absent"
done
if [ -z "$python" ]; then
    printf 'no Python here has what this needs:%s\n' "${report:-
  none of the names was found; set PYTHON to one}" >&2
    printf "mend it with: python3 -m venv .venv && .venv/bin/pip install -e '.[dev]'\n" >&2
    exit 2
fi

# Numba keeps machine code, TensorRT its engines: a checkout that cannot be written is fine.
: "${NUMBA_CACHE_DIR:=${TMPDIR:-/tmp}/facestream-numba}"
export NUMBA_CACHE_DIR

# What cannot be had is said before anything is measured, with the library that is missing.
"$python" - "$device" <<'PYTHON' || exit 2
import sys
from engine.errors import EngineError
from engine.models import model_path
from engine.session import Runtime, Session

device = sys.argv[1]
try:
    Session(model_path("maro"), device)
except EngineError as error:
    print(error, file=sys.stderr)
    if device in {"cuda", "tensorrt"}:
        from stream.doctor import gpu
        for finding in gpu.examine():
            print(f"  {finding.verdict}: {finding.subject}: {finding.says}", file=sys.stderr)
            if finding.fix:
                print(f"    {finding.fix}", file=sys.stderr)
        cuda = Runtime.installed().cuda or "13.0"
        print(f"  this ONNX Runtime wants CUDA {cuda} and cuDNN 9, as packages or on the loader's path", file=sys.stderr)
    sys.exit(1)
PYTHON

if [ "$device" != cpu ] && command -v nvidia-smi >/dev/null 2>&1; then
    nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader >&2
fi
case " $* " in
    *" --out "*) ;;
    *) set -- "$@" --out "$out" ;;
esac
exec "$python" -m benchmarks.gpu "$@"
