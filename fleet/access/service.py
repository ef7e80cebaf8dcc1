"""Access: adding people and keys, logging in, knowing who asks. Every change is in the audit log."""

import hashlib
import re
import secrets
import time
from collections.abc import Callable

from msgspec import Struct
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from fleet.access import audit
from fleet.access.errors import Explained
from fleet.access.rules import PERSON_ROLES, Permission, lock_ms, may, password_problem
from fleet.access.tables import api_keys, sessions, users
from fleet.store import Store

IDLE_MS = 8 * 3_600_000
"""A session that nobody uses ends after a working day."""
LONGEST_MS = 7 * 86_400_000
_USED_EVERY_MS = 60_000
ACTIVE_MS = 15 * 60_000
"""Who has done something within this is at work, even if no page is open."""
WATCHING_MS = 60_000
"""A page that has not looked for this long is closed."""
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,31}")
_KEY = re.compile(r"nw_([0-9a-f]{8})_([0-9A-Za-z_-]{43})")


class AccessError(Explained):
    """A change that cannot be made; it says why and what to do."""


class LoginRefused(Exception):
    """Wrong name or password, or a locked name. `wait_ms` is how long it stays locked, 0 when it is not."""

    def __init__(self, message: str, *, wait_ms: int = 0) -> None:
        super().__init__(message)
        self.wait_ms = wait_ms


class Actor(Struct, frozen=True, kw_only=True):
    """Who does something: a person, or an API key (name `key:<id>`, role integrator)."""

    name: str
    display: str
    role: str
    address: str = ""

    def may(self, permission: Permission) -> bool:
        """Whether this actor has a permission."""
        return may(self.role, permission)


class User(Struct, frozen=True, kw_only=True):
    """A person as the users page shows them."""

    name: str
    display: str
    role: str
    made_ms: int
    disabled: bool
    failures: int
    locked_until_ms: int


class ApiKey(Struct, frozen=True, kw_only=True):
    """A key of another system; its secret is shown once, when it is made."""

    id: str
    title: str
    made_ms: int
    made_by: str
    used_ms: int | None
    revoked_ms: int | None


class Access:
    """People, sessions and keys. `hasher` is Argon2id with its library's parameters unless a test brings a cheaper one."""

    def __init__(
        self,
        store: Store,
        *,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        hasher: PasswordHash | None = None,
    ) -> None:
        self._store = store
        self._clock_ms = clock_ms
        self._hasher = hasher or PasswordHash((Argon2Hasher(),))
        self._decoy = self._hasher.hash(secrets.token_urlsafe(16))
        self._watching: dict[str, int] = {}

    def add_user(self, name: str, *, display: str, role: str, password: str, by: str) -> None:
        """Add a person. Raises AccessError for a bad name, role or password, or a name that exists."""
        if not _NAME.fullmatch(name):
            raise AccessError(
                f"用户名“{name[:40]}”不可用：请用 2–32 个小写字母、数字、点或连字符",
                f"the name is {name[:40]!r}; use 2–32 lower-case letters, digits, dots and hyphens",
            )
        if role not in PERSON_ROLES:
            raise _no_role(role)
        if problem := password_problem(password, name=name):
            raise AccessError(*problem)
        row = {
            "name": name,
            "display": display or name,
            "role": role,
            "password": self._hasher.hash(password),
            "made_ms": self._clock_ms(),
        }
        try:
            with self._store.write() as connection:
                connection.execute(insert(users).values(**row))
                self._note(connection, by, "user.add", name, role)
        except IntegrityError as error:
            raise AccessError(
                f"已有用户“{name}”，请换一个名字", f"there is a user {name!r} already; choose another name"
            ) from error

    def change_user(
        self, name: str, *, by: str, role: str | None = None, password: str | None = None, disabled: bool | None = None
    ) -> None:
        """Change a person's role, password or standing; ends their sessions. Raises AccessError when the last admin would go."""
        values: dict[str, object] = {}
        if role is not None:
            if role not in PERSON_ROLES:
                raise _no_role(role)
            values["role"] = role
        if password is not None:
            if problem := password_problem(password, name=name):
                raise AccessError(*problem)
            values |= {"password": self._hasher.hash(password), "failures": 0, "locked_until_ms": 0}
        if disabled is not None:
            values["disabled"] = disabled
        with self._store.write() as connection:
            if connection.execute(update(users).where(users.c.name == name).values(**values)).rowcount == 0:
                raise AccessError(f"没有用户“{name}”", f"there is no user {name!r}")
            admins = select(func.count()).select_from(users).where(users.c.role == "admin", users.c.disabled.is_(False))
            if not connection.execute(admins).scalar_one():
                raise AccessError(
                    f"“{name}”是最后一位管理员；请先让另一人担任管理员",
                    f"{name!r} is the last admin; give another person the role first",
                )
            connection.execute(delete(sessions).where(sessions.c.user == name))
            said = ", ".join(
                f"{key}={value}" if key in ("role", "disabled") else key for key, value in values.items() if key != "failures"
            )
            self._note(connection, by, "user.change", name, said)

    def users(self) -> list[User]:
        """All people, by name."""
        columns = [users.c[field] for field in User.__struct_fields__]
        with self._store.read() as connection:
            return [User(**row) for row in connection.execute(select(*columns).order_by(users.c.name)).mappings()]

    def log_in(self, name: str, password: str, *, address: str = "") -> str:
        """Open a session; gives the cookie's value. Raises LoginRefused, in the same words for a wrong name and a wrong password.

        Each further wrong password after the fourth locks the name, 30 s doubling to an hour; a right one starts anew.
        """
        now = self._clock_ms()
        with self._store.read() as connection:
            row = connection.execute(select(users).where(users.c.name == name)).mappings().first()
        if row is not None and row["locked_until_ms"] > now:
            raise LoginRefused("locked", wait_ms=row["locked_until_ms"] - now)
        # An unknown name costs the same time as a known one, so that names cannot be found out by the clock.
        right = self._hasher.verify(password[:1_000], row["password"] if row is not None else self._decoy)
        if row is None or not right or row["disabled"]:
            wait = self._fail(name, now, address, known=row is not None)
            raise LoginRefused("wrong", wait_ms=wait)
        token = secrets.token_urlsafe(32)
        with self._store.write() as connection:
            connection.execute(update(users).where(users.c.name == name).values(failures=0, locked_until_ms=0))
            connection.execute(delete(sessions).where(sessions.c.used_ms < now - IDLE_MS))
            connection.execute(insert(sessions).values(token=_digest(token), user=name, opened_ms=now, used_ms=now))
            self._note(connection, name, "login", name, "", address)
        return token

    def _fail(self, name: str, now: int, address: str, *, known: bool) -> int:
        """Count a wrong password; gives how long the name is locked now."""
        wait = 0
        with self._store.write() as connection:
            if known:
                connection.execute(update(users).where(users.c.name == name).values(failures=users.c.failures + 1))
                failures = connection.execute(select(users.c.failures).where(users.c.name == name)).scalar_one()
                wait = lock_ms(failures)
                connection.execute(update(users).where(users.c.name == name).values(locked_until_ms=now + wait if wait else 0))
            # What was typed as an unknown name may be a password: four digits tell a repetition and betray nothing.
            said = name if known else f"unknown name #{_digest(name).hex()[:4]}"
            self._note(connection, said, "login.refused", said, f"locked {wait // 1000} s" if wait else "", address)
        return wait

    def who(self, token: str | None, *, address: str = "") -> Actor | None:
        """The person behind a cookie, or None when it is unknown, unused for eight hours or a week old."""
        if not token or len(token) > 100:
            return None
        now, digest = self._clock_ms(), _digest(token)
        query = select(sessions.c.opened_ms, sessions.c.used_ms, users.c.name, users.c.display, users.c.role).join_from(
            sessions, users, sessions.c.user == users.c.name
        )
        with self._store.read() as connection:
            row = connection.execute(query.where(sessions.c.token == digest, users.c.disabled.is_(False))).first()
        if row is None or now - row.used_ms > IDLE_MS or now - row.opened_ms > LONGEST_MS:
            return None
        if now - row.used_ms > _USED_EVERY_MS:
            with self._store.write() as connection:
                connection.execute(update(sessions).where(sessions.c.token == digest).values(used_ms=now))
        return Actor(name=row.name, display=row.display, role=row.role, address=address)

    def watching(self, name: str) -> None:
        """A page of this person is open now. It does not prolong their session: nobody need sit before it."""
        self._watching[name] = self._clock_ms()

    def is_on_duty(self) -> bool:
        """Whether somebody who may operate is logged in, and either has done something lately or has a page open now."""
        now = self._clock_ms()
        query = (
            select(users.c.name, users.c.role, func.max(sessions.c.used_ms).label("used_ms"))
            .join_from(sessions, users, sessions.c.user == users.c.name)
            .where(users.c.disabled.is_(False), sessions.c.used_ms >= now - IDLE_MS, sessions.c.opened_ms >= now - LONGEST_MS)
            .group_by(users.c.name, users.c.role)
        )
        with self._store.read() as connection:
            rows = connection.execute(query).all()
        return any(
            may(row.role, "operate") and (now - row.used_ms <= ACTIVE_MS or now - self._watching.get(row.name, 0) <= WATCHING_MS)
            for row in rows
        )

    def log_out(self, token: str) -> None:
        """End a session; an unknown one is no error."""
        with self._store.write() as connection:
            connection.execute(delete(sessions).where(sessions.c.token == _digest(token)))

    def make_key(self, title: str, *, by: str) -> str:
        """Make an API key; gives the whole key, which is not kept and cannot be shown again."""
        if not 1 <= len(title.strip()) <= 100:
            raise AccessError("请写明使用密钥的系统，1–100 个字", "name the system that will use the key, in 1–100 characters")
        key_id, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
        values = {"id": key_id, "title": title.strip(), "secret": _digest(secret), "made_ms": self._clock_ms(), "made_by": by}
        with self._store.write() as connection:
            connection.execute(insert(api_keys).values(**values))
            self._note(connection, by, "key.make", key_id, title.strip())
        return f"nw_{key_id}_{secret}"

    def revoke_key(self, key_id: str, *, by: str) -> None:
        """End a key at once. Raises AccessError when there is none that is in use."""
        with self._store.write() as connection:
            change = (
                update(api_keys).where(api_keys.c.id == key_id, api_keys.c.revoked_ms.is_(None)).values(revoked_ms=self._clock_ms())
            )
            if connection.execute(change).rowcount == 0:
                raise AccessError(f"没有在用的密钥 {key_id}", f"there is no key {key_id!r} in use")
            self._note(connection, by, "key.revoke", key_id)

    def api_keys(self) -> list[ApiKey]:
        """All API keys, newest first."""
        columns = [api_keys.c[field] for field in ApiKey.__struct_fields__]
        with self._store.read() as connection:
            return [ApiKey(**row) for row in connection.execute(select(*columns).order_by(api_keys.c.made_ms.desc())).mappings()]

    def who_has_key(self, key: str, *, address: str = "") -> Actor | None:
        """The integrator behind an API key, or None."""
        match = _KEY.fullmatch(key)
        if match is None:
            return None
        now = self._clock_ms()
        with self._store.read() as connection:
            row = connection.execute(select(api_keys).where(api_keys.c.id == match[1], api_keys.c.revoked_ms.is_(None))).first()
        if row is None or not secrets.compare_digest(bytes(row.secret), _digest(match[2])):
            return None
        if row.used_ms is None or now - row.used_ms > _USED_EVERY_MS:
            with self._store.write() as connection:
                connection.execute(update(api_keys).where(api_keys.c.id == row.id).values(used_ms=now))
        return Actor(name=f"key:{row.id}", display=row.title, role="integrator", address=address)

    def _note(
        self, connection: Connection, actor: str, action: str, subject: str = "", detail: str = "", address: str = ""
    ) -> None:
        audit.append(
            connection, at_ms=self._clock_ms(), actor=actor, action=action, subject=subject, detail=detail, address=address
        )


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _no_role(role: str) -> AccessError:
    known = ", ".join(PERSON_ROLES)
    return AccessError(f"没有角色“{role[:40]}”；可选：{known}", f"the role is {role[:40]!r}; choose one of {known}")
