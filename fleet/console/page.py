"""One open page: who looks at it, and deeds that check again who acts and tell what became of them."""

from collections.abc import Callable
from typing import Any

from fastapi.responses import Response
from nicegui import run, ui

from fleet.access.errors import Explained
from fleet.access.rules import Permission
from fleet.access.service import Actor
from fleet.broker import BrokerError
from fleet.console.visitor import Visitor
from fleet.registry.records import RegistryError
from fleet.services import Fleet
from pack.errors import PackError

REFUSALS = (Explained, RegistryError, BrokerError, PackError, ValueError, LookupError, OSError)
"""What a deed may end with and a person is told; everything else is a defect, and is logged."""


class Refused(Exception):
    """The page is not for this visitor; `response` is what they get instead."""

    def __init__(self, response: Response) -> None:
        super().__init__("page refused")
        self.response = response


class Page(Visitor):
    """One open page: the visitor, the services, and actions that check again who acts."""

    def __init__(self, fleet: Fleet, token: str, actor: Actor, **visitor: Any) -> None:
        super().__init__(actor, **visitor)
        self.fleet = fleet
        self._token = token
        self._people: dict[str, str] = {}

    def may(self, permission: Permission) -> bool:
        """Whether the visitor had the permission when the page was opened."""
        return self.actor.may(permission)

    def person(self, name: str) -> str:
        """Who a user name or an API key is: the person's name, the other system's title, or the name itself."""
        if name not in self._people:
            access = self.fleet.access
            self._people = {user.name: user.display for user in access.users()}
            self._people |= {f"key:{key.id}": key.title for key in access.api_keys()}
        return self._people.get(name, name)

    def act(self, permission: Permission, deed: Callable[[Actor], Any], *, done: str = "") -> bool:
        """Run a deed as the visitor, whose session and role are looked up again: a page may stand open for hours.

        Tells the visitor what became of it. False when it was refused or failed.
        """
        actor = self._actor_for(permission)
        if actor is None:
            return False
        try:
            deed(actor)
        except REFUSALS as error:
            return self._failed(error)
        if done:
            ui.notify(done, type="positive")
        return True

    async def act_slowly(self, permission: Permission, deed: Callable[[Actor], Any], *, doing: str, done: str) -> bool:
        """The same for a deed of some seconds: it runs beside the event loop, and the visitor sees that it goes on."""
        actor = self._actor_for(permission)
        if actor is None:
            return False
        progress = ui.notification(doing, spinner=True, timeout=None)
        try:
            await run.io_bound(deed, actor)
        except REFUSALS as error:
            return self._failed(error)
        finally:
            progress.dismiss()
        ui.notify(done, type="positive")
        return True

    def _actor_for(self, permission: Permission) -> Actor | None:
        actor = self.fleet.access.who(self._token, address=self.actor.address)
        if actor is None:
            ui.navigate.to("/login")
        elif not actor.may(permission):
            ui.notify(self.say("您的角色不能做这件事", "Your role may not do this"), type="negative")
            return None
        return actor

    def _failed(self, error: Exception) -> bool:
        said = error.words(self.language) if isinstance(error, Explained) else self.say("没有成功：", "Failed: ") + str(error)
        ui.notify(said, type="negative", timeout=8_000)
        return False
