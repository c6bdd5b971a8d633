"""Pictures made here that behave like photographs: texture on every scale, no two alike."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from compliance.registers import licences, register
from compliance.registers.licences import Terms
from compliance.registers.register import PictureCard
from core.actor import Actor
from tests import people


def scene(seed: int, *, width: int = 900, height: int = 640) -> Image.Image:
    """A landscape of noise and shapes, the same for the same seed."""
    random = np.random.default_rng(seed)
    layers = np.zeros((height, width, 3))
    for cells in (4, 9, 20, 45, 100):
        small = random.integers(0, 255, (cells, cells, 3)).astype(np.uint8)
        large = Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)
        layers += np.asarray(large) / cells**0.6
    layers = (layers - layers.min()) / (layers.max() - layers.min()) * 255
    image = Image.fromarray(layers.astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for _ in range(25):
        x, y = int(random.integers(0, width)), int(random.integers(0, height))
        size = int(random.integers(20, 140))
        color = tuple(int(one) for one in random.integers(0, 255, 3))
        draw.ellipse((x, y, x + size, y + size // 2), fill=color)
    return image


def jpeg(image: Image.Image, *, quality: int = 90) -> bytes:
    """The picture as a JPEG file."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


def cropped(image: Image.Image, share: float = 0.25) -> Image.Image:
    """The picture without `share` of its area."""
    side = (1 - share) ** 0.5
    width, height = round(image.width * side), round(image.height * side)
    left, top = (image.width - width) // 3, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def page() -> bytes:
    """A snapshot of a source page."""
    return b"<!DOCTYPE html><html><head><title>Photo</title></head><body>CC BY 4.0</body></html>"


def scan() -> bytes:
    """A document as a picture."""
    return jpeg(Image.new("RGB", (600, 800), "white"))


@dataclass(frozen=True, slots=True)
class Office:
    """People of one organization who deal with pictures."""

    editor: Actor
    other: Actor
    lawyer: Actor


async def an_office(organization_id: object) -> Office:
    """Two editors and a lawyer, three different people."""
    return Office(
        editor=await somebody(organization_id, "editor"),
        other=await somebody(organization_id, "editor"),
        lawyer=await somebody(organization_id, "lawyer"),
    )


async def somebody(organization_id: object, *roles: str) -> Actor:
    """Another person each time."""
    from dataclasses import replace

    from core import clock, db

    actor = await people.clerk_of(organization_id, *roles)  # type: ignore[arg-type]  # reason: ids
    person_id = clock.new_id()
    await db.execute(
        "INSERT INTO person (id, last_name, created_at) VALUES ($1, 'Орлова', $2)",
        person_id, clock.now(),
    )  # fmt: skip
    await db.execute("UPDATE account SET person_id = $2 WHERE id = $1", actor.id, person_id)
    return replace(actor, person_id=person_id)


async def a_picture(office: Office, data: bytes, *, approved: bool = True, **card: str) -> object:
    """An entry with its source, approved by the second editor."""
    wanted = PictureCard(**({"title": "Мост", "author": "И. Петров"} | card))  # type: ignore[arg-type]  # reason: texts
    picture_id = await register.add(office.editor, data=data, card=wanted)
    if approved:
        await register.attach_snapshot(office.editor, picture_id, data=page())
        await register.approve(office.other, picture_id)
    return picture_id


async def a_licence(office: Office, picture_id: object, **terms: object) -> object:
    """A confirmed contract for the office's organization, or what `terms` say."""
    wanted = Terms(**({"kind": "contract", "holder": "ООО «Фото»"} | terms))  # type: ignore[arg-type]  # reason: as said
    licence_id = await licences.add(
        office.editor,
        picture_id,
        terms=wanted,
        document=scan(),  # type: ignore[arg-type]  # reason: id
    )
    await licences.confirm(office.other, licence_id, terms=wanted)
    return licence_id
