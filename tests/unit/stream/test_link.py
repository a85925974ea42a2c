from __future__ import annotations

import threading

import pytest

from stream.link import Link


def filled(link: Link[int], count: int) -> Link[int]:
    for item in range(count):
        assert link.put(item)
    return link


def test_delivers_in_order_and_ends() -> None:
    link = filled(Link(3), 3)
    link.end()
    assert list(link) == [0, 1, 2]
    assert list(link) == []


def test_gives_several_at_a_time_and_fewer_only_at_the_end() -> None:
    link: Link[int] = Link(3)
    writer = threading.Thread(target=lambda: (filled(link, 8), link.end()))
    writer.start()
    assert list(link.several(3)) == [[0, 1, 2], [3, 4, 5], [6, 7]]
    writer.join()
    assert link.stats.passed == 8


def test_full_leaky_link_keeps_the_newest() -> None:
    link = filled(Link(2, leaky=True), 5)
    link.end()
    assert list(link) == [3, 4]
    assert link.stats.dropped == 3
    assert link.stats.passed == 2


@pytest.mark.parametrize("capacity", [1, 2, 3])
def test_what_a_dropped_item_hands_on_is_never_lost(capacity: int) -> None:
    link: Link[tuple[int, ...]] = Link(
        capacity, leaky=True, hand_on=lambda dropped, successor: dropped + successor
    )
    for item in range(7):
        link.put((item,))
    link.end()
    assert [number for item in link for number in item] == list(range(7))


@pytest.mark.usefixtures("switch_interval")
def test_writer_waits_for_room_and_nothing_is_lost() -> None:
    link: Link[int] = Link(2)
    writer = threading.Thread(target=lambda: (filled(link, 500), link.end()))
    writer.start()
    taken = list(link)
    writer.join()
    assert taken == list(range(500))
    assert link.stats.peak <= 2
    assert link.stats.dropped == 0


@pytest.mark.usefixtures("switch_interval")
def test_abort_releases_a_waiting_writer() -> None:
    link = filled(Link(1), 1)
    answers: list[bool] = []
    writer = threading.Thread(target=lambda: answers.append(link.put(1)))
    writer.start()
    link.abort()
    writer.join(timeout=5)
    assert answers == [False]


@pytest.mark.usefixtures("switch_interval")
def test_abort_releases_a_waiting_reader_and_empties() -> None:
    link: Link[int] = Link(1)
    taken: list[int] = []
    reader = threading.Thread(target=lambda: taken.extend(link))
    reader.start()
    link.abort()
    reader.join(timeout=5)
    assert not reader.is_alive()
    assert link.stats.waiting == 0
    assert link.put(1) is False


@pytest.mark.parametrize("leaky", [False, True])
def test_put_after_end_goes_nowhere_and_says_so(leaky: bool) -> None:
    link: Link[int] = Link(1, leaky=leaky)
    assert link.put(1)
    link.end()
    assert not link.put(2)
    assert list(link) == [1]
    assert link.stats.dropped == 0


def test_poll_gives_none_when_nothing_came_in_time() -> None:
    link: Link[int] = Link(2)
    link.put(1)
    waits = []

    def patience_s() -> float | None:
        waits.append(len(waits))
        if len(waits) == 3:
            link.put(2)
        if len(waits) == 4:
            link.end()
        return 0.0

    assert list(link.poll(patience_s)) == [1, None, 2]
    assert len(waits) == 4


def test_capacity_has_to_be_positive() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Link(0)


def test_statistics_can_be_read_from_a_signal_handler_that_interrupts_put() -> None:
    # The handler runs on the interrupted thread, inside the lock; a plain lock would hang.
    def hand_on(_dropped: int, successor: int) -> int:
        link.end()
        return successor + link.stats.dropped * 100

    link: Link[int] = Link(1, leaky=True, hand_on=hand_on)
    filled(link, 2)
    assert list(link) == [101]


@pytest.mark.usefixtures("switch_interval")
def test_writer_that_hands_over_begins_nothing_before_its_item_is_taken() -> None:
    link: Link[int] = Link(1, hand_over=True)
    begun: list[int] = []

    def write() -> None:
        for item in range(200):
            begun.append(item)
            assert link.put(item)
        link.end()

    writer = threading.Thread(target=write)
    writer.start()
    for taken in link:
        # It may already have begun the next one, but none after that.
        assert len(begun) - taken <= 2
    writer.join()
    assert begun == list(range(200))


@pytest.mark.parametrize("end", ["end", "abort"])
@pytest.mark.usefixtures("switch_interval")
def test_handing_over_to_nobody_is_over_when_the_link_is(end: str) -> None:
    link: Link[int] = Link(1, hand_over=True)
    answers: list[bool] = []
    writer = threading.Thread(target=lambda: answers.append(link.put(7)))
    writer.start()
    while not link.stats.waiting:
        pass
    getattr(link, end)()
    writer.join()
    # What waits at an end is still delivered; an abort throws it away.
    assert (answers, list(link)) == (([True], [7]) if end == "end" else ([False], []))


def test_a_leaky_link_does_not_hand_over() -> None:
    with pytest.raises(ValueError, match="waits for nobody"):
        Link(1, leaky=True, hand_over=True)


@pytest.mark.parametrize("end", ["end", "abort"])
def test_lingering_is_over_when_the_link_is(end: str) -> None:
    link: Link[int] = Link(1)
    reader = threading.Thread(target=link.linger, args=(60.0,))
    reader.start()
    getattr(link, end)()
    reader.join(timeout=5)
    assert not reader.is_alive()
