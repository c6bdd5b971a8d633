"""Pictures that a program cut into strips or tiles when it flattened a page."""

from itertools import pairwise

from compliance.publishing.issues.clips import Rect

_TOUCH = 0.75
_FEWEST = 3
_MOST = 4000


def strips(boxes: list[Rect]) -> list[list[int]]:
    """Groups of three boxes or more that touch along a whole side, by their places in `boxes`."""
    if not _FEWEST <= len(boxes) <= _MOST:
        return []
    leader = list(range(len(boxes)))

    def root(place: int) -> int:
        while leader[place] != place:
            leader[place] = leader[leader[place]]
            place = leader[place]
        return place

    for across in (False, True):
        order = sorted(range(len(boxes)), key=lambda place: _key(boxes[place], across=across))
        for one, other in pairwise(order):
            if _touch(boxes[one], boxes[other], across=across):
                leader[root(one)] = root(other)
    groups: dict[int, list[int]] = {}
    for place in range(len(boxes)):
        groups.setdefault(root(place), []).append(place)
    return [group for group in groups.values() if len(group) >= _FEWEST]


def _key(box: Rect, *, across: bool) -> tuple[float, ...]:
    """By column and then upwards, or by row and then to the right."""
    left, bottom, right, top = (round(part) for part in box)
    return (bottom, top, left, right) if across else (left, right, bottom, top)


def _touch(one: Rect, other: Rect, *, across: bool) -> bool:
    """Do they share a whole side? `one` lies left of, or below, `other`."""
    side, end = (1, 3), 2
    if not across:
        side, end = (0, 2), 3
    aligned = all(abs(one[part] - other[part]) <= 2 * _TOUCH for part in side)
    return aligned and abs(one[end] - other[end - 2]) <= _TOUCH
