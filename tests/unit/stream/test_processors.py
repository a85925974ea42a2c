from __future__ import annotations

import pytest

from stream.processors import Threads


@pytest.mark.parametrize("total", [1, 2, 3, 8, 64])
def test_thread_budget_is_split_and_nobody_goes_without(total: int) -> None:
    share = Threads.share(total)
    parts = (share.inference, share.decoder, share.encoder)
    assert min(parts) >= 1
    assert total < 4 or sum(parts) <= total
