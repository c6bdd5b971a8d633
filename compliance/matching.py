"""Two stages: candidates by hash or local features, then a verdict by the pixels themselves.

Only what the second stage has verified is a match, and all matches are answered, not the best.
Thresholds are those of `agreement`; they were fixed before the rates in `bench/recall.py` were
measured.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from compliance import geometry
from compliance.agreement import Agreement, agreement, is_copy
from compliance.features import (
    QUERY_FEATURES,
    QUERY_SIDE,
    REFERENCE_FEATURES,
    REFERENCE_SIDE,
    Features,
    features,
    grey,
)
from compliance.geometry import Alignment
from compliance.hashes import PDQ_QUALITY, PDQ_RADIUS, distance, pdq_of
from compliance.pictures import HASH_SIDE, Picture, Pixels, decode, fitted
from compliance.views import View, views

CANDIDATE_RADIUS = 60
"""PDQ distance up to which a whole picture, a trimmed one or a panel is worth laying over."""
LEAST_FEATURES = 64
"""A picture with fewer, and with a hash of low quality, is passed over as featureless."""
SURE_INLIERS = 20
LEAST_WHOLE = 0.5
"""Of what a hash alone has named: it knows only the whole picture, so most of it must be there,
and not two rims with empty ground between them."""
_QUERY_SHORTEST = 1024
_REFINING_SIDE = 256
_SOFT = 3.0

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """A picture of the register, ready to be compared."""

    width: int
    height: int
    pdq: bytes
    quality: int
    grey: Pixels
    features: Features


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A picture somebody wants to publish, ready to be compared."""

    width: int
    height: int
    grey: Pixels
    features: Features
    views: tuple[View, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """A reference whose pixels are in the asked picture, and how they got there."""

    matrix: Matrix
    """2 × 3, from pixels of the reference as shown to pixels of the asked picture as shown."""
    corners: tuple[tuple[float, float], ...]
    """Of the reference on the asked picture, clockwise from the reference's top left; a corner
    that was cut off lies outside the asked picture."""
    is_mirrored: bool
    rotation: float
    """Degrees clockwise, after mirroring."""
    scale: float
    inliers: int
    """Local features that agree; 0 where the hash alone brought the candidate."""
    distance: int | None
    """PDQ distance of the nearest view, where it is small enough to mean anything."""
    cropped: float
    """Share of the reference that the asked picture does not show."""
    area: float
    """Share of the asked picture that the reference covers."""
    agreement: Agreement
    asked_size: tuple[int, int]
    """Width and height of the asked picture as shown."""

    @property
    def score(self) -> float:
        """0 to 1: how much of what can be compared agrees."""
        return self.agreement.agreeing


def known(picture: Picture) -> Known:
    """What a register keeps of a picture."""
    small = fitted(picture.rgb, HASH_SIDE)
    pdq, quality = pdq_of(small)
    flat = grey(picture.rgb, longest=REFERENCE_SIDE)
    return Known(
        width=picture.width, height=picture.height, pdq=pdq[0], quality=quality, grey=flat,
        features=features(flat, most=REFERENCE_FEATURES),
    )  # fmt: skip


def is_featureless(picture: Known) -> bool:
    """Is there too little in a picture to tell its copies from other pictures like it?"""
    return picture.quality < PDQ_QUALITY and len(picture.features) < LEAST_FEATURES


def asked(picture: Picture) -> Asked:
    """What is compared of the picture in question; decode it with `decode_asked`."""
    flat = grey(picture.rgb, longest=QUERY_SIDE)
    return Asked(
        width=picture.width, height=picture.height, grey=flat,
        features=features(flat, most=QUERY_FEATURES), views=views(picture.rgb),
    )  # fmt: skip


def decode_asked(data: bytes) -> Picture:
    """Decode for `asked`: larger than for hashing, as the copy may be a part of a screenshot."""
    return decode(data, shortest=_QUERY_SHORTEST)


def compare(query: Asked, reference: Known) -> Match | None:
    """The reference in the asked picture, verified by pixels; None when it is not there."""
    enlarged = max(query.grey.shape[1] / query.width, 1.0)
    near = _nearest(query, reference)
    local = geometry.aligned(query.features, reference.features, width=query.grey.shape[1])
    if local is not None:
        for laid in _closer(query, reference, local):
            found = agreement(query.grey, reference.grey, laid.matrix, enlarged=enlarged)
            if is_copy(found):
                return _match(query, reference, laid, found, near)
    is_sure = local is not None and local.inliers >= SURE_INLIERS
    if near is None or (is_sure and near.distance > PDQ_RADIUS):
        # Enough features said where it would lie, and there the pixels said no.
        return None
    # Few features of a blurred copy may still lay it a pixel off; its hash lays it whole. Where
    # features had their say, that is held to the full measure: views of one scene are no copies.
    laid = _laid(query, reference, near)
    soft = _SOFT if near.distance <= PDQ_RADIUS and not is_sure else 0.0
    found = agreement(query.grey, reference.grey, laid.matrix, enlarged=enlarged, soft=soft)
    if is_copy(found) and found.photographic > 0 and found.whole >= LEAST_WHOLE:
        return _match(query, reference, laid, found, near)
    return None


def _closer(query: Asked, reference: Known, local: Alignment) -> Iterator[Alignment]:
    """The alignment, then one that fits everywhere: features of one corner leave others off."""
    yield local
    yield replace(local, matrix=_refined(query.grey, reference.grey, local.matrix))


@dataclass(frozen=True, slots=True)
class _Near:
    view: View
    orientation: int
    distance: int


def _nearest(query: Asked, reference: Known) -> _Near | None:
    """The view of the query and the orientation whose hash is nearest, if near at all."""
    if reference.quality < PDQ_QUALITY:
        return None
    found = [
        _Near(view, orientation, distance(reference.pdq, turned))
        for view in query.views
        if view.quality >= PDQ_QUALITY
        for orientation, turned in enumerate(view.pdq)
    ]
    best = min(found, key=lambda one: one.distance, default=None)
    return best if best is not None and best.distance <= CANDIDATE_RADIUS else None


def _laid(query: Asked, reference: Known, near: _Near) -> Alignment:
    """The alignment a hash implies: the turned reference fills the view; then fitted closely."""
    height, width = reference.grey.shape
    left, top, right, bottom = (
        part * side for part, side in zip(near.view.box, query.grey.shape[::-1] * 2, strict=True)
    )
    unit = np.vstack([_TURNS[near.orientation], [0, 0, 1]])
    whole = (
        np.array([[right - left, 0, left - 0.5], [0, bottom - top, top - 0.5], [0, 0, 1]])
        @ unit
        @ np.array([[1 / width, 0, 0.5 / width], [0, 1 / height, 0.5 / height], [0, 0, 1]])
    )
    fine = _refined(query.grey, reference.grey, whole[:2])
    return Alignment(matrix=fine, inliers=0, points=np.zeros((0, 2), np.float32))


def _refined(query: Pixels, reference: Pixels, matrix: Matrix) -> Matrix:
    """Evangelidis and Psarakis 2008: the affine map nearby under which both correlate best."""
    zoom = _REFINING_SIDE / max(reference.shape)
    size = [max(16, round(side * zoom)) for side in reference.shape[::-1]]
    small = np.asarray(cv2.resize(reference, size, interpolation=cv2.INTER_AREA), np.uint8)
    there = np.diag([reference.shape[1] / size[0], reference.shape[0] / size[1], 1.0])
    flags = cv2.INTER_AREA | cv2.WARP_INVERSE_MAP
    coarse = (np.vstack([matrix, [0, 0, 1]]) @ there)[:2]
    here = np.asarray(cv2.warpAffine(query, coarse, size, flags=flags), np.uint8)
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 40, 1e-4)
    try:
        _, fine = cv2.findTransformECC(
            small, here, np.eye(2, 3, dtype=np.float32), cv2.MOTION_AFFINE, criteria
        )
    except cv2.error:
        return matrix
    closer = np.vstack([coarse, [0, 0, 1]]) @ np.vstack([fine, [0, 0, 1]]) @ np.linalg.inv(there)
    return np.asarray(closer[:2]) if geometry.is_plausible(closer[:2]) else matrix


def _match(
    query: Asked, reference: Known, laid: Alignment, found: Agreement, near: _Near | None
) -> Match:
    """Say the alignment in pixels of both files as shown; edges lie at whole numbers."""
    into = np.diag([query.width / query.grey.shape[1], query.height / query.grey.shape[0], 1.0])
    out_of = np.diag(
        [reference.grey.shape[1] / reference.width, reference.grey.shape[0] / reference.height, 1.0]
    )
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    matrix = (into @ half @ np.vstack([laid.matrix, [0, 0, 1]]) @ np.linalg.inv(half) @ out_of)[:2]
    whole = Alignment(matrix=matrix, inliers=laid.inliers, points=laid.points)
    corners = geometry.corners_of(matrix, width=reference.width, height=reference.height)
    share = found.covered * abs(float(np.linalg.det(matrix[:, :2])))
    return Match(
        matrix=matrix,
        corners=tuple((float(x), float(y)) for x, y in corners),
        is_mirrored=whole.is_mirrored,
        rotation=whole.rotation,
        scale=whole.scale,
        inliers=laid.inliers,
        distance=near.distance if near else None,
        cropped=max(0.0, 1.0 - found.covered),
        area=min(1.0, share * reference.width * reference.height / (query.width * query.height)),
        agreement=found,
        asked_size=(query.width, query.height),
    )


_TURNS = (
    np.array([[1, 0, 0], [0, 1, 0]]),
    np.array([[0, -1, 1], [1, 0, 0]]),
    np.array([[-1, 0, 1], [0, -1, 1]]),
    np.array([[0, 1, 0], [-1, 0, 1]]),
    np.array([[1, 0, 0], [0, -1, 1]]),
    np.array([[-1, 0, 1], [0, 1, 0]]),
    np.array([[0, 1, 0], [1, 0, 0]]),
    np.array([[0, -1, 1], [-1, 0, 1]]),
)
"""Where a point of the reference's unit square lies in a view that, turned so, looks like it."""
