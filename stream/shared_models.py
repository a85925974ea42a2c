"""Models that several runs of one process share."""

from __future__ import annotations

import threading
from pathlib import Path

from engine.session import Device
from engine.swap import Swapper


class SharedModels:
    """Loads each model once, for all runs; any thread may call it.

    The runs' faces go through one session: weights and caches are there once, whatever the number
    of streams. On a GPU, faces of streams that wait for it at the same time are one batch
    (`engine.execution.gathering`); on the processor streams run beside each other.
    """

    def __init__(self) -> None:
        """Nothing is loaded yet."""
        self._loaded: dict[tuple[Path, Device, int], Swapper] = {}
        self._loading = threading.Lock()

    def __call__(self, path: Path, device: Device, threads: int) -> Swapper:
        """The model, as `Swapper` loads it.

        Raises:
            ModelError: as `Swapper`.
            DeviceError: as `Swapper`.
        """
        key = path.resolve(), device, threads
        with self._loading:
            if key not in self._loaded:
                # A CUDA graph belongs to one thread: with graphs each would load its own model,
                # and nothing could be gathered.
                self._loaded[key] = Swapper(path, device, threads, graphs=False)
            return self._loaded[key]

    @property
    def count(self) -> int:
        """How many models were loaded."""
        return len(self._loaded)
