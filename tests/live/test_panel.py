"""The panel in a real browser, on a real run: what its user sees and does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.live.browser import DESK, PHONE, chromium, opened
from tests.live.needs import needs
from tests.live.panel_run import PanelRun, looped_demo

pytestmark = needs("chromium")

# Mean difference of the two canvases where the face is, in steps of 255.
DIFFERENCE = """() => {
    const pixels = (id) => {
        const { width, height } = document.getElementById(id);
        const copy = new OffscreenCanvas(width, height).getContext('2d');
        copy.drawImage(document.getElementById(id), 0, 0);
        return copy.getImageData(width * 0.4, height * 0.3, width * 0.2, height * 0.4).data;
    };
    const [result, original] = [pixels('result-canvas'), pixels('original-canvas')];
    return result.reduce((sum, value, at) => sum + Math.abs(value - original[at]), 0)
        / result.length;
}"""
LOOK = """() => {
    const canvas = document.getElementById('result-canvas');
    const small = new OffscreenCanvas(64, 36).getContext('2d');
    small.drawImage(canvas, 0, 0, 64, 36);
    return [...small.getImageData(0, 0, 64, 36).data].join();
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PanelRun]:
    folder = tmp_path_factory.mktemp("panel")
    looped_demo(folder / "clip.mp4", 40)
    # Without opacity nothing proves that a face was replaced; this run shows it all the same.
    with PanelRun(folder, "clip.mp4", "--on-miss", "pass") as run:
        yield run


@pytest.fixture
def page(browser: Browser, run: PanelRun) -> Iterator[Page]:
    with opened(browser, run.url, **DESK) as page:
        seen(page)
        expect(page.get_by_label("Opacity", exact=True)).to_be_visible()
        yield page


def seen(page: Page) -> None:
    """Wait for the picture."""
    expect(page.locator("#veil")).to_be_hidden(timeout=30_000)


def changes(page: Page) -> None:
    """Wait until the picture is another one than now."""
    page.wait_for_function(f"before => ({LOOK})() !== before", arg=page.evaluate(LOOK))


def test_the_picture_and_all_numbers_come(page: Page) -> None:
    changes(page)
    expect(page.locator("#link")).to_have_text(re.compile("Connected"))
    expect(page.locator("#run")).to_contain_text("1280 × 720")  # noqa: RUF001 - the sign for sizes
    expect(page.locator("#result .synthetic")).to_be_visible()
    for number in ("delay", "age", "rate", "drops"):
        expect(page.locator(f"#{number}")).to_have_text(re.compile(r"\d"))
    for stage in ("detect", "swap", "blend", "web"):
        expect(page.locator("#stages dt", has_text=stage)).to_have_count(1)
    expect(page.locator("#queues dt", has_text="swap")).to_have_count(1)
    expect(page.locator("#source li")).to_have_attribute("data-state", "running")
    expect(page.locator("#sinks")).to_contain_text("web")
    assert "token" not in page.url


def test_the_server_is_told_the_latency(page: Page, run: PanelRun) -> None:
    with page.expect_response("**/api/latency") as answer:
        pass
    assert answer.value.status == 204
    latency = run.status()["web"]["latency"]
    assert 0 < latency["p50"] <= latency["p95"] <= latency["p99"]
    assert latency["count"] > 0


def test_without_opacity_the_result_is_the_original(page: Page) -> None:
    page.wait_for_function(f"() => ({DIFFERENCE})() > 2")
    page.get_by_label("Opacity", exact=True).fill("0")
    page.wait_for_function(f"() => ({DIFFERENCE})() < 0.5")
    page.get_by_role("button", name="Undo changes").click()
    page.wait_for_function(f"() => ({DIFFERENCE})() > 2")
    expect(page.get_by_label("Opacity", exact=True)).to_have_value("1")


def test_every_setting_has_a_control_that_changes_it(page: Page, run: PanelRun) -> None:
    settings = page.evaluate("fetch('/api/settings').then(answer => answer.json())")
    for name in settings:
        assert page.locator(f"[id='set-{name}'], [name='set-{name}'], .stepper").count(), name
    box = page.get_by_role("group", name="Mask", exact=True)
    box.get_by_label("Skin", exact=True).check()
    page.get_by_role("group", name="Color", exact=True).get_by_label("MKL").check()
    page.get_by_role("group", name="Blend", exact=True).get_by_label("Multiband").check()
    page.get_by_role("button", name="More faces").click()
    page.get_by_label("Skin rule").select_option("ycrcb")
    expected = {
        "mask": "hull+skin",
        "color": "mkl+light",
        "blend": "multiband",
        "faces": settings["faces"]["value"] + 1,
        "skin_rule": "ycrcb",
    }
    page.wait_for_function(
        """async expected => {
            const now = await (await fetch('/api/settings')).json();
            return Object.keys(expected).every(name => now[name].value === expected[name]);
        }""",
        arg=expected,
    )
    page.get_by_role("switch").uncheck()
    box.get_by_label("Hull", exact=True).uncheck()
    box.get_by_label("Skin", exact=True).click()
    expect(box.get_by_label("Skin", exact=True)).to_be_checked()  # one shape there has to be
    page.get_by_role("button", name="Undo changes").click()
    expect(box.get_by_label("Hull", exact=True)).to_be_checked()
    expect(page.get_by_role("button", name="Undo changes")).to_be_hidden()


def test_a_refused_value_is_explained_and_taken_back(page: Page) -> None:
    with page.expect_response("**/api/settings"):
        page.get_by_label("Feather, exactly").fill("0.9")
        page.keyboard.press("Tab")
    error = page.locator("#look-error")
    expect(error).to_contain_text("feather is 0.9; expected a number from 0 to 0.5")
    expect(page.get_by_label("Feather, exactly")).to_have_value("0.12")
    page.get_by_label("Feather, exactly").fill("0.2")
    page.keyboard.press("Tab")
    expect(error).to_be_hidden()
    page.get_by_role("button", name="Undo changes").click()


def test_the_border_between_original_and_result_is_dragged(page: Page) -> None:
    box = page.locator("#result").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2

    def on_top(share: float) -> str:
        """What is seen there, of the two."""
        spot = [box["x"] + share * box["width"], box["y"] + box["height"] / 4]
        return str(page.evaluate("([x, y]) => document.elementFromPoint(x, y).id", spot))

    assert (on_top(0.4), on_top(0.6)) == ("original-canvas", "result-canvas")
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.2, middle, steps=4)
    page.mouse.up()
    divider = page.get_by_role("slider", name="Border between")
    expect(divider).to_have_attribute("aria-valuenow", "20")
    assert (on_top(0.1), on_top(0.4)) == ("original-canvas", "result-canvas")
    divider.press("End")
    assert on_top(0.9) == "original-canvas"


def test_keys(page: Page) -> None:
    picture = page.locator("#picture")
    for view in ("side", "result"):
        page.keyboard.press("s")
        expect(picture).to_have_attribute("data-view", view)
    original = page.locator("#original")
    expect(original).to_be_hidden()
    page.keyboard.down("o")
    expect(original).to_be_visible()
    page.keyboard.up("o")
    expect(original).to_be_hidden()
    page.keyboard.press("s")
    page.keyboard.press("-")
    expect(page.get_by_label("Opacity", exact=True)).to_have_value("0.95")
    page.keyboard.press("+")
    expect(page.get_by_label("Opacity", exact=True)).to_have_value("1")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("f")
    page.wait_for_function("() => document.fullscreenElement !== null")
    page.keyboard.press("f")
    page.wait_for_function("() => document.fullscreenElement === null")


def test_a_frozen_picture_stays_and_is_saved_as_it_is(page: Page, tmp_path: Path) -> None:
    changes(page)
    page.keyboard.press(" ")
    expect(page.locator("#frozen")).to_be_visible()
    before = page.evaluate(LOOK)
    with page.expect_response("**/api/latency"):
        pass
    assert page.evaluate(LOOK) == before
    with page.expect_download() as download:
        page.get_by_role("button", name="Snapshot").click()
    download.value.save_as(tmp_path / "picture.png")
    saved = cv2.imread(str(tmp_path / "picture.png"))
    small = cv2.resize(saved, (64, 36), interpolation=cv2.INTER_AREA)[:, :, ::-1]
    shown = np.array(before.split(","), np.uint8).reshape(36, 64, 4)[:, :, :3]
    assert saved.shape == (720, 1280, 3)
    assert abs(small.astype(float) - shown).mean() < 8
    page.get_by_role("button", name="Freeze").click()
    changes(page)


def test_a_snapshot_is_saved(page: Page, tmp_path: Path) -> None:
    with page.expect_download() as download:
        page.get_by_role("button", name="Snapshot").click()
    assert download.value.suggested_filename.endswith(".jpg")
    download.value.save_as(tmp_path / "picture.jpg")
    assert cv2.imread(str(tmp_path / "picture.jpg")).shape == (720, 1280, 3)


def test_choices_say_what_the_command_line_calls_them(page: Page) -> None:
    box = page.get_by_role("group", name="Mask", exact=True)
    for label, option in {"Uncovered": "occlusion", "Box": "rect"}.items():
        expect(box.locator("label", has_text=label).locator("small")).to_have_text(option)
    expect(box.locator("label", has_text="Skin").locator("small")).to_have_count(0)


def test_a_recording_is_a_film(page: Page, run: PanelRun) -> None:
    page.keyboard.press("r")
    badge = page.locator("#recording")
    expect(badge).to_have_text("0:02")
    expect(page.locator("#sinks")).to_contain_text(".mp4")
    page.keyboard.press("r")
    expect(page.locator("#notice")).to_contain_text("Saved facestream-")
    folder = (run.folder / "recordings").resolve()
    expect(page.locator("#notice")).to_contain_text(f"in {folder} on the server")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    expect(badge).to_be_hidden()
    (path,) = (run.folder / "recordings").glob("*.mp4")
    assert Path(download.value.path()).read_bytes() == path.read_bytes()
    with av.open(str(path)) as film:
        frames = list(film.decode(video=0))
    assert len(frames) >= 2
    assert (frames[0].width, frames[0].height) == (1280, 720)


def test_webrtc_shows_the_result(page: Page) -> None:
    page.get_by_label("WebRTC").check()
    page.wait_for_function("() => document.getElementById('result-video').videoWidth === 1280")
    expect(page.get_by_label("Split", exact=True)).to_be_disabled()
    expect(page.get_by_role("button", name="Sound")).to_be_hidden()  # the clip has none
    expect(page.locator("#veil")).to_be_hidden()
    page.get_by_label("JPEG").check()
    expect(page.get_by_label("Split", exact=True)).to_be_enabled()
    changes(page)


def test_a_phone_needs_no_sideways_scrolling_and_no_small_fingers(
    browser: Browser, run: PanelRun
) -> None:
    with opened(browser, run.url, **PHONE) as page:
        seen(page)
        for tab, pane in {"Look": "#look", "Timing": "#timing", "In and out": "#places"}.items():
            page.get_by_role("tab", name=tab).tap()
            expect(page.locator(pane)).to_be_visible()
            assert page.locator(".pane:visible").count() == 1
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width == 390, tab
            targets = page.locator("button:visible, select:visible, label:has(input):visible")
            for target in targets.all():
                box = target.bounding_box()
                assert box is not None
                assert box["height"] >= 44, target.inner_text()
                assert box["width"] >= 44, target.inner_text()


def test_a_wrong_token_opens_nothing(browser: Browser, run: PanelRun) -> None:
    context = browser.new_context()
    page = context.new_page()
    answer = page.goto(run.url + "-wrong")
    assert answer is not None
    assert answer.status == 401
    assert page.locator("canvas").count() == 0
    context.close()


def test_a_token_that_is_no_longer_valid_is_explained(page: Page) -> None:
    page.context.clear_cookies()
    expect(page.locator("#link")).to_have_text("No access")
    expect(page.locator("#veil")).to_contain_text("open the address that the program printed")


def test_outputs_tell_how_they_are_doing_as_plain_text(page: Page) -> None:
    def with_lost_output(route: Route) -> None:
        status = route.fetch().json()
        status["sinks"]["rtsp://host/<b>live</b>"] = {
            "state": "lost",
            "detail": "refused, next try in 2 s",
            "losses": 3,
            "sent": 20,
            "dropped": 88,
        }
        route.fulfill(json=status)

    page.route("**/api/status", with_lost_output)
    output = page.locator("#sinks li", has_text="rtsp://host/<b>live</b>")
    expect(output).to_have_attribute("data-state", "lost")
    expect(output).to_contain_text("Lost")
    expect(output).to_contain_text("refused, next try in 2 s · lost 3 times · 88 dropped")
    page.unroute_all(behavior="wait")


def test_a_restart_of_the_server_is_survived(page: Page, run: PanelRun) -> None:
    run.stop()
    expect(page.locator("#link")).to_have_text("Connecting again")
    expect(page.locator("#veil")).to_contain_text("connection was lost")
    run.start()
    expect(page.locator("#notice")).to_have_text("Connected again", timeout=30_000)
    seen(page)
    changes(page)
