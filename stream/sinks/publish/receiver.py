"""One receiver: its queue, its child process, and what is done when it fails."""

from __future__ import annotations

import asyncio
import base64
import logging
import random
from collections import deque
from collections.abc import Callable, Iterable
from fractions import Fraction

from stream.health import Health, State
from stream.sinks.aac import Rendition
from stream.sinks.encoder import TIME_BASE
from stream.sinks.publish.child import Child, LostError
from stream.sinks.publish.settings import PublishSettings
from stream.sinks.publish.target import Target
from stream.sinks.publish.worker import KEY_PICTURE, SOUND, Message, Setup

_log = logging.getLogger(__name__)

_WINDOW = 16  # Packets that the child may owe an answer for; all others wait where they can be left
_START_S = 30.0  # For a Python process on a busy machine.
_FIRST_PAUSE_S = 0.25
_WATCH_EVERY_S = 0.1


class Receiver:
    """Serves one target for as long as the stream lasts.

    Everything but `health` belongs to one event loop. Packets wait in a queue that holds
    `queue_s` seconds of pictures; a receiver that is slower loses all of them, and goes on with
    the next key frame. A receiver that fails is connected anew, at ever longer intervals.
    """

    def __init__(
        self,
        target: Target,
        settings: PublishSettings,
        sound: Rendition | None,
        metadata: dict[str, str],
        request_keyframe: Callable[[], None],
    ) -> None:
        """Takes what is needed; `serve` does the work.

        Args:
            target: where to.
            settings: patience and pauses.
            sound: what it is sent of the sound; None for pictures only.
            metadata: of the container, where it has a place for them.
            request_keyframe: called when a key frame is needed at once; from the loop's thread.
        """
        self.sound = sound
        self._target = target
        self._settings = settings
        self._metadata = metadata
        self._request_keyframe = request_keyframe
        self._queue: deque[Message] = deque()
        self._owed: deque[Message] = deque()
        self._arrived = asyncio.Event()
        self._opening = asyncio.Event()
        self._key_picture = b""
        self._taking = self._until_key = self._finishing = False
        self._answered_s = 0.0
        self._state: State = "connecting"
        self._detail = ""
        self._losses = self._sent = self._dropped = 0

    @property
    def health(self) -> Health:
        """How it is doing; any thread may ask. Only pictures are counted."""
        return Health(self._state, self._detail, self._losses, self._sent, self._dropped)

    def offer(self, messages: Iterable[Message]) -> None:
        """Queues packets, or leaves them out while they cannot be sent."""
        for message in messages:
            if message.kind == KEY_PICTURE:
                self._key_picture = message.data
                self._opening.set()
                self._until_key = False
            if self._taking and not self._until_key:
                self._queue.append(message)
            else:
                self._dropped += message.kind != SOUND
        if self._queued_s() > self._settings.queue_s:
            self._until_key = True
            self._leave_out(self._queue)
        self._arrived.set()

    def _queued_s(self) -> Fraction:
        times = [message.pts for message in self._queue if message.kind != SOUND]
        return (times[-1] - times[0]) * TIME_BASE if times else Fraction(0)

    def finish(self) -> bool:
        """Lets what is queued be sent, and no more.

        Returns:
            False if there is no connection, and so nothing to wait for.
        """
        self._finishing = True
        self._arrived.set()
        return self._taking

    async def serve(self) -> None:
        """Connects, sends, and connects again, until `finish` or cancellation."""
        pause_s = _FIRST_PAUSE_S
        try:
            while not self._finishing:
                sent = self._sent
                try:
                    await self._session()
                except LostError as loss:
                    if self._finishing:
                        self._detail = str(loss)
                        return
                    self._note(loss)
                if self._sent > sent:
                    pause_s = _FIRST_PAUSE_S
                # Many that lost the same server do not come back at the same moment.
                await asyncio.sleep(pause_s * random.uniform(0.75, 1.25))  # noqa: S311
                pause_s = min(2 * pause_s, self._settings.retry_max_s)
        except Exception as error:
            self._state, self._detail = "failed", f"{type(error).__name__}: {error}"
            raise
        finally:
            if self._state != "failed":
                self._state = "ended"

    def _note(self, loss: LostError) -> None:
        words = str(loss)
        if self._state == "running":
            self._state = "lost"
            self._losses += 1
            _log.warning("%s: receiver lost: %s; connecting again", self._target.name, words)
        elif words != self._detail:
            _log.warning("%s: not connected: %s; trying again", self._target.name, words)
        self._detail = words

    async def _session(self) -> None:
        """One connection, to its loss or its end.

        Raises:
            LostError: the child failed or made no progress.
        """
        async with Child(self._target) as child:
            await child.expect("ready", _START_S)
            await self._opening.wait()
            child.send(self._setup().packed())
            patience_s = None if self._target.waits else self._settings.stall_s
            await child.expect("connected", patience_s)
            if self._losses or self._detail:
                _log.warning("%s: connected", self._target.name)
            self._state, self._detail = "running", ""
            self._taking = self._until_key = True
            self._request_keyframe()
            try:
                await self._send(child)
            finally:
                self._taking = False
                self._leave_out(self._queue)
                self._leave_out(self._owed)

    async def _send(self, child: Child) -> None:
        tasks = [
            asyncio.ensure_future(work)
            for work in (self._feed(child), self._count(child), self._watch())
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _feed(self, child: Child) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            self._feed_some(child)
            if self._finishing and not self._queue:
                child.end()
                await asyncio.Event().wait()  # The child's last word ends the session.

    def _feed_some(self, child: Child) -> None:
        if not self._owed:
            self._answered_s = asyncio.get_running_loop().time()
        while self._queue and len(self._owed) < _WINDOW:
            message = self._queue.popleft()
            self._owed.append(message)
            child.send(message.packed())

    async def _count(self, child: Child) -> None:
        while await child.sent():
            self._answered_s = asyncio.get_running_loop().time()
            self._sent += self._owed.popleft().kind != SOUND
            if self._queue or self._finishing:
                self._arrived.set()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_WATCH_EVERY_S)
            silent_s = asyncio.get_running_loop().time() - self._answered_s
            if self._owed and silent_s > self._settings.stall_s:
                raise LostError(f"took nothing for {silent_s:.1f} s")

    def _leave_out(self, messages: deque[Message]) -> None:
        self._dropped += sum(message.kind != SOUND for message in messages)
        messages.clear()

    def _setup(self) -> Setup:
        sound = self.sound
        return Setup(
            url=self._target.url,
            container=self._target.container,
            options=dict(self._target.options),
            key_picture=base64.b64encode(self._key_picture).decode(),
            sound=base64.b64encode(sound.header).decode() if sound else "",
            picture_time_base=_ratio(TIME_BASE),
            sound_time_base=_ratio(sound.time_base if sound else TIME_BASE),
            metadata=self._metadata,
            command=self._target.relay(self._settings.ffmpeg),
        )


def _ratio(value: Fraction) -> tuple[int, int]:
    return value.numerator, value.denominator
