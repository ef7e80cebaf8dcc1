"""A clerk's photograph, or a drawn figure when there is none."""

import io

from kivy.core.image import Image as CoreImage
from kivy.properties import BooleanProperty, ObjectProperty
from kivy.uix.widget import Widget

MAX_BYTES = 49_152
"""The limit of wire.messages.Clerk.photo."""


class Portrait(Widget):
    """Draws `photo` (bytes of a JPEG or PNG; None or unreadable bytes give the drawn figure) covering a rounded frame."""

    photo = ObjectProperty(None, allownone=True)
    texture = ObjectProperty(None, allownone=True)
    private = BooleanProperty(True)

    def on_photo(self, _: object, photo: bytes | None) -> None:
        """Decode when a new photograph arrives; a picture that does not open leaves the figure."""
        self.texture = decode(photo) if photo else None


def decode(photo: bytes) -> object | None:
    """The texture of a JPEG or PNG, or None when the bytes are too many, of another type, or broken."""
    if len(photo) > MAX_BYTES:
        return None
    kind = {b"\xff\xd8": "jpg", b"\x89P": "png"}.get(photo[:2])
    if kind is None:
        return None
    try:
        return CoreImage(io.BytesIO(photo), ext=kind).texture
    except Exception:
        # Kivy's image providers raise whatever their libraries raise; a bad photograph must not take the screen down.
        return None
