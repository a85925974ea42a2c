from __future__ import annotations

from stream.sinks.publish.receiver import Receiver
from stream.sinks.publish.settings import PublishSettings
from stream.sinks.publish.target import target_of
from stream.sinks.publish.worker import KEY_PICTURE, PICTURE, SOUND, Message

TICKS = 3600  # 25 pictures a second


def connected(queue_s: float = 1.0) -> Receiver:
    """A receiver whose child takes nothing."""
    target = target_of("udp://127.0.0.1:9", stall_s=1, keyframe_s=1)
    receiver = Receiver(target, PublishSettings(queue_s=queue_s), None, {}, lambda: None)
    receiver._taking = receiver._until_key = True
    return receiver


def picture(number: int, *, key: bool = False) -> Message:
    return Message(KEY_PICTURE if key else PICTURE, b"", number * TICKS, number * TICKS)


def queued(receiver: Receiver) -> list[int]:
    return [message.pts // TICKS for message in receiver._queue]


def test_it_begins_with_a_key_frame() -> None:
    receiver = connected()
    receiver.offer([Message(SOUND), picture(0), picture(1), picture(2, key=True), picture(3)])
    assert queued(receiver) == [2, 3]
    assert receiver.health.dropped == 2, "sound is not counted"


def test_one_that_falls_behind_loses_all_up_to_the_next_key_frame() -> None:
    receiver = connected(queue_s=1.0)
    for number in range(27):
        receiver.offer([picture(number, key=number == 0), Message(SOUND)])
    assert queued(receiver) == []
    assert receiver.health.dropped == 27
    receiver.offer([picture(27), Message(SOUND), picture(28, key=True), picture(29)])
    assert queued(receiver) == [28, 29]


def test_the_queue_is_bounded_however_long_nothing_is_taken() -> None:
    receiver = connected(queue_s=1.0)
    for number in range(1000):
        receiver.offer([picture(number, key=number % 10 == 0)])
        assert len(receiver._queue) <= 27
    assert receiver.health.dropped + len(receiver._queue) == 1000


def test_pictures_before_a_connection_are_counted_as_left_out() -> None:
    receiver = connected()
    receiver._taking = False
    receiver.offer([picture(0, key=True), picture(1)])
    assert receiver.health.state == "connecting"
    assert receiver.health.dropped == 2
