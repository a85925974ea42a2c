"""A short clip of a fictional woman who talks, turns her head and smiles."""

from __future__ import annotations

import subprocess
import tempfile
import wave
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.face import Image
from export.persona import textures
from export.persona.backdrop import room
from export.persona.bust import Bust
from export.persona.errors import PersonaError
from export.persona.expressions import Expression
from export.persona.light import studio
from export.persona.people import Look, Person, shape
from export.persona.render import Renderer
from export.persona.rig import Rig, head_rotation
from export.persona.scene import Texture, View
from export.persona.speech import Speech, say
from export.persona.talk import lip_track

TEXT = (
    "Hello! I am not a real person. I was rendered for face stream, "
    "to show how a face can talk, turn, and smile."
)
VOICE = "en-us+f3"
WIDTH, HEIGHT, RATE = 1280, 720, 25
LEAD_IN_S, LEAD_OUT_S = 0.7, 1.9

# Rendered larger and averaged down, which smooths edges.
_OVERSAMPLE = 1.25
_LOWEST = 2.6
_BLINKS_S = (0.35, 2.55, 4.9, 7.3, 9.3)
# seconds, yaw, pitch, roll in degrees
_HEAD = np.array(
    [
        (0.0, 4, -1, 0),
        (0.9, 0, 3, 1),
        (1.6, -4, -2, -1),
        (2.4, -8, 2, -2),
        (3.4, -24, 0, -3),
        (4.3, -22, 3, -2),
        (5.3, -2, -3, 1),
        (6.2, 20, 1, 3),
        (7.4, 24, 2, 3),
        (8.4, 8, 3, 2),
        (9.3, 1, -2, 3),
        (10.3, -1, 1, 4),
        (12.0, 0, 0, 3),
    ]
)
# seconds, smile, raised brows
_MOOD = np.array(
    [
        (0.0, 0.3, 0.1),
        (0.8, 0.35, 0.5),
        (1.3, 0.15, 0.1),
        (2.2, 0.1, 0.35),
        (3.0, 0.1, 0.0),
        (5.6, 0.15, 0.4),
        (6.6, 0.1, 0.1),
        (8.2, 0.3, 0.5),
        (9.2, 0.85, 0.3),
        (12.0, 0.8, 0.2),
    ]
)
_SHAPE = {
    "cheek/l-cheek-bones-incr": 0.4,
    "cheek/r-cheek-bones-incr": 0.4,
    "eyes/l-eye-scale-incr": 0.35,
    "eyes/r-eye-scale-incr": 0.35,
    "mouth/mouth-scale-horiz-incr": 0.35,
    "mouth/mouth-angles-up": 0.2,
    "head/head-oval": 0.4,
    "head/head-scale-horiz-incr": 0.2,
    "nose/nose-scale-horiz-decr": 0.15,
    "chin/chin-height-incr": 0.25,
    "eyebrows/eyebrows-trans-up": 0.35,
}
_SKINS = {
    "young_african_female__young_darkskinned_female_diffuse": 0.62,
    "young_asian_female__young_lightskinned_female_diffuse3": 0.38,
}


def speaker(rig: Rig) -> Person:
    """The woman in the clip: brown skin, long dark hair; she has no name and no model."""
    neutral = shape(rig, 0.05, 0.12, {"african": 0.6, "caucasian": 0.25, "asian": 0.15}, _SHAPE)
    gray = textures.read(rig.assets / "textures" / "eyes" / "grey_eye.png")
    iris = textures.recolor_iris(gray, (75, 45, 25), (50, 32, 20))
    look = Look(
        textures.opaque("speaker-skin", textures.blend_skins(rig.assets, _SKINS, 2048, 1.0)),
        Texture("speaker-eyes", iris),
        brows="eyebrow001",
        lashes="eyelashes02",
        hair="long01",
        hair_tint=(0.3, 0.24, 0.22),
        brow_tint=(0.3, 0.25, 0.2),
    )
    materials = look.materials(rig)
    materials["eyes"] = replace(materials["eyes"], tint=(1.12, 1.1, 1.1))
    materials["teeth"] = replace(materials["teeth"], tint=(1.95, 1.83, 1.62))
    brows = textures.thicken(rig.assets / "textures" / "eyebrows" / f"{look.brows}.png")
    materials["brows"] = replace(materials["brows"], texture=Texture("speaker-brows", brows))
    materials["hair"] = replace(materials["hair"], gloss=0.35)
    return Person(
        "speaker", neutral, materials, look.hair, look.brows, lashes=look.lashes, tongue_back=0.1
    )


def performance(speech: Speech) -> tuple[list[Expression], list[NDArray[np.float64]]]:
    """Expression and (3, 3) head rotation for each frame of the clip."""
    duration = LEAD_IN_S + speech.duration_s + LEAD_OUT_S
    times = np.arange(round(duration * RATE)) / RATE
    lips = lip_track(speech, times - LEAD_IN_S)
    moods = np.stack([_ease(times, _MOOD[:, 0], _MOOD[:, column]) for column in (1, 2)], axis=1)
    poses = np.stack([_ease(times, _HEAD[:, 0], _HEAD[:, column]) for column in (1, 2, 3)], axis=1)
    poses[:, 0] += 0.8 * np.sin(times * 1.9)
    poses[:, 1] += 0.7 * np.sin(times * 2.7 + 1)
    blinks = np.zeros_like(times)
    for moment in _BLINKS_S:
        blinks = np.maximum(blinks, np.clip(1.35 - np.abs(times - moment) / 0.085, 0, 1))
    expressions, turns = [], []
    for lip, (smile, brows), blink, pose in zip(lips, moods, blinks, poses, strict=True):
        units = {unit: 0.85 * weight for unit, weight in lip.items()}
        units["mouth-corner-puller"] = smile
        units["mouth-part-later"] = units["mouth-part-later"] + 0.6 * max(smile - 0.5, 0.0)
        for side in ("left", "right"):
            units[f"eyebrows-{side}-up"] = 0.7 * brows
            units[f"eyebrows-{side}-inner-up"] = 0.3
            units[f"eye-{side}-closure"] = blink
            units[f"eye-{side}-slit"] = 0.3 * smile * (1 - blink)
        # The eyes stay with the viewer while the head turns.
        gaze = (-0.75 * pose[0], -0.6 * pose[1])
        expressions.append(Expression(units, gaze))
        turns.append(head_rotation(*pose))
    return expressions, turns


def make_demo(assets: Path, out: Path) -> None:
    """Render the clip with sound into an MP4 file.

    Raises:
        PersonaError: speech synthesis or ffmpeg failed.
    """
    rig = Rig(assets, _LOWEST)
    speech = say(TEXT, VOICE, 145)
    expressions, turns = performance(speech)
    person = speaker(rig)
    bust = Bust(rig, person, (46, 84, 92))
    width, height = int(WIDTH * _OVERSAMPLE), int(HEIGHT * _OVERSAMPLE)
    renderer = Renderer(width, height, tile=512, reach=3.5)
    view = View(np.eye(3), person.pivot(rig), distance=14.0, height=3.8, shift=(0.0, 0.12))
    light = studio(0.92)
    backdrop = room(width, height)
    with tempfile.TemporaryDirectory() as folder:
        sound = Path(folder) / "speech.wav"
        _write_sound(sound, speech, len(turns) / RATE)
        with _encoder(sound, out) as encoder:
            assert encoder.stdin is not None
            for number, (expression, turn) in enumerate(zip(expressions, turns, strict=True)):
                parts = bust.turned(person.parts(rig, expression), turn)
                image = renderer.render(parts, view, light).over(backdrop)
                encoder.stdin.write(_reduced(image).data)
                if number % RATE == 0:
                    print(f"frame {number} of {len(turns)}", flush=True)
            encoder.stdin.close()
        if encoder.returncode != 0:
            raise PersonaError(f"ffmpeg ended with status {encoder.returncode}; see its messages")


def _reduced(image: Image) -> Image:
    reduced = cv2.resize(image, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(reduced, np.uint8)


def _ease(
    times: NDArray[np.float64], knots: NDArray[np.float64], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Interpolate so that each knot is reached at rest."""
    index = np.clip(np.searchsorted(knots, times, side="right") - 1, 0, len(knots) - 2)
    share = np.clip((times - knots[index]) / (knots[index + 1] - knots[index]), 0, 1)
    share = share * share * (3 - 2 * share)
    return np.asarray(values[index] + share * (values[index + 1] - values[index]))


def _write_sound(path: Path, speech: Speech, duration_s: float) -> None:
    samples = np.zeros(round(duration_s * speech.rate), np.int16)
    start = round(LEAD_IN_S * speech.rate)
    samples[start : start + len(speech.samples)] = speech.samples
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(speech.rate)
        file.writeframes(samples.tobytes())


def _encoder(sound: Path, out: Path) -> subprocess.Popen[bytes]:
    command = ["ffmpeg", "-y", "-loglevel", "error"]
    command += ["-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{WIDTH}x{HEIGHT}"]
    command += ["-r", f"{RATE}", "-i", "-", "-i", str(sound)]
    command += ["-c:v", "libx264", "-preset", "slow", "-crf", "21", "-pix_fmt", "yuv420p"]
    command += ["-vf", "scale=out_color_matrix=bt709:out_range=tv", "-colorspace", "bt709"]
    command += ["-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv"]
    command += ["-c:a", "aac", "-b:a", "96k", "-ar", "48000", "-movflags", "+faststart", str(out)]
    try:
        return subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603  # our own words
    except FileNotFoundError as error:
        raise PersonaError("ffmpeg was not found; install the system's package ffmpeg") from error
