"""Estimate the light in a photo of a face, so that a rendered face can stand in it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls
from scipy.spatial import Delaunay

from engine.face import Image
from export.persona.light import Light, direction, sphere
from export.persona.observe import Observation, region
from export.persona.shaders import AMBIENT_LIGHTS

_KEYS = np.array(
    [direction(a, e) for a, e in ((-65, 15), (-35, 35), (0, 20), (35, 35), (65, 15), (0, 65))]
)
_NOT_SKIN = region("LIPS", "LEFT_EYE", "RIGHT_EYE", "LEFT_EYEBROW", "RIGHT_EYEBROW", "FACE_OVAL")
_WRAP = 0.1
_PRIOR_WEIGHT = 0.4


def fit_light(image: Image, face: Observation, exposure: float, albedo: float) -> Light:
    """Fit a light of fixed directions and free strengths to the shading of a face.

    Args:
        image: (H, W, 3) uint8 BGR.
        face: what was seen in it.
        exposure: mean linear luminance, 0..1, that a face should have; the result lies
            half-way between it and the photo, so that a dark photo stays darker.
        albedo: mean linear luminance of the skin that will be lit.

    Returns:
        White light; strengths are not negative.

    Source:
        Own: Lambertian shading with normals of the landmark mesh, non-negative least
        squares with a pull towards even light, robust to beards and glasses by
        reweighting.
    """
    normals = mesh_normals(face)
    luminance = _luminance(image, face)
    skin = np.ones(len(luminance), bool)
    skin[_NOT_SKIN] = False
    skin &= normals[:, 2] > 0.15
    normals, luminance = normals[skin], luminance[skin]
    directions = np.concatenate([sphere(AMBIENT_LIGHTS), _KEYS])
    shading = np.clip((normals @ directions.T + _WRAP) / (1 + _WRAP), 0, 1)
    level = float(np.median(luminance)) + 1e-4
    even = level / shading.mean(axis=0).sum()
    pull = np.sqrt(_PRIOR_WEIGHT) * np.eye(len(directions))
    weights = np.ones(len(luminance))
    strengths = np.full(len(directions), even)
    for _ in range(3):
        rows = np.concatenate([shading * weights[:, None] / level, pull / even])
        goal = np.concatenate([luminance * weights / level, np.full(len(directions), pull[0, 0])])
        strengths, _ = nnls(rows, goal)
        error = np.abs(shading @ strengths - luminance) / level
        weights = 1 / np.sqrt(1 + (error / 0.2) ** 2)
    mean = float((shading @ strengths).mean())
    target = np.sqrt(max(mean, 0.02) * exposure)
    colors = np.outer(strengths * target / (mean * albedo), [1.0, 1.0, 1.0])
    return Light(
        directions[:AMBIENT_LIGHTS], colors[:AMBIENT_LIGHTS], _KEYS, colors[AMBIENT_LIGHTS:]
    )


def mesh_normals(face: Observation) -> NDArray[np.float64]:
    """(478, 3) outward unit normals at the landmarks: x right, y up, z to the camera."""
    points = np.column_stack([face.landmarks[:, 0], -face.landmarks[:, 1], -face.depth])
    points = points.astype(np.float64)
    # Seen from the front no part of a face hides another: triangulate there.
    frontal = (points - points.mean(axis=0)) @ face.turn
    triangles = Delaunay(frontal[:, :2]).simplices
    corners = frontal[triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals *= np.sign(normals[:, 2:3])
    sums = np.zeros_like(points)
    for corner in range(3):
        np.add.at(sums, triangles[:, corner], normals)
    sums /= np.linalg.norm(sums, axis=1, keepdims=True) + 1e-9
    return np.asarray(sums @ face.turn.T)


def _luminance(image: Image, face: Observation) -> NDArray[np.float64]:
    """(478,) linear luminance around each landmark."""
    size = float(np.ptp(face.landmarks[:, 1]))
    linear = (cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32) / 255) ** 2.2
    smooth = cv2.GaussianBlur(linear, (0, 0), max(size * 0.02, 0.5))
    places = np.rint(face.landmarks).astype(int)
    x = places[:, 0].clip(0, image.shape[1] - 1)
    y = places[:, 1].clip(0, image.shape[0] - 1)
    return np.asarray(smooth[y, x], np.float64)
