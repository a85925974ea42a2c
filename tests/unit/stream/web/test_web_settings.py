from __future__ import annotations

import pytest

from stream.config import load
from stream.errors import ConfigError
from stream.web.settings import WebSettings


def test_defaults_are_for_this_machine_only() -> None:
    settings = WebSettings()
    assert (settings.host, settings.token, settings.encrypted) == ("127.0.0.1", "", False)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"host": ""}, "host is empty"),
        ({"port": -1}, "port is -1"),
        ({"port": 65_536}, "port is 65536"),
        ({"token": "short"}, "token has 5 characters"),
        ({"token": "twelve chars; no"}, "letters, digits"),
        ({"tls_certificate": "a.pem"}, "belong together"),
        ({"jpeg_quality": 0}, "jpeg_quality is 0"),
        ({"max_clients": 0}, "max_clients is 0"),
    ],
)
def test_values_that_make_no_sense(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as refused:
        load(None, [], {f"web.{name}": value for name, value in wrong.items()})
    assert str(wrong.get("token", "secret")) not in str(refused.value)


def test_the_token_is_not_shown() -> None:
    by_hand = "chosen-by-hand"
    assert by_hand not in repr(WebSettings(token=by_hand))
