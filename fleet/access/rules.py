"""Roles and what each may do, password rules, and how long a name is locked after wrong passwords. Pure functions."""

from typing import Literal, get_args

Role = Literal["admin", "operator", "supervisor", "handler", "viewer", "integrator"]
"""admin 管理员 · operator 运维 · supervisor 监督 · handler 承办 · viewer 查看 · integrator (API keys of other systems)."""
ROLES: tuple[Role, ...] = get_args(Role)
PERSON_ROLES: tuple[Role, ...] = ("admin", "operator", "supervisor", "handler", "viewer")

Permission = Literal[
    "see",  # every page that names nobody's rating
    "operate",  # incidents, commands, pairing, content, windows
    "supervise",  # single ratings and live figures of one window or clerk
    "handle",  # work orders that are assigned to one
    "administer",  # users, keys, audit, revocation
    "report_services",  # the API's writing calls
]

_ALLOWED: dict[Role, frozenset[Permission]] = {
    "admin": frozenset(("see", "operate", "administer")),
    "operator": frozenset(("see", "operate")),
    "supervisor": frozenset(("see", "supervise", "handle")),
    "handler": frozenset(("see", "handle")),
    "viewer": frozenset(("see",)),
    "integrator": frozenset(("see", "report_services")),
}
"""An admin does not supervise: who runs the system must not read which clerk got which rating when."""

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 200
FREE_TRIES = 4
"""Wrong passwords before a name is locked at all."""
FIRST_LOCK_MS = 30_000
LONGEST_LOCK_MS = 3_600_000


def may(role: str, permission: Permission) -> bool:
    """Whether a role has a permission. An unknown role has none."""
    return permission in _ALLOWED.get(role, frozenset())  # type: ignore[call-overload]


def lock_ms(failures: int) -> int:
    """How long a name stays locked after its `failures`-th wrong password in a row: 0, then 30 s doubling to one hour."""
    if failures <= FREE_TRIES:
        return 0
    return min(LONGEST_LOCK_MS, FIRST_LOCK_MS << min(failures - FREE_TRIES - 1, 20))


def password_problem(password: str, *, name: str) -> tuple[str, str] | None:
    """What is wrong with a new password, in Chinese and English; None when it may be used."""
    count = len(password)
    if count < SHORTEST_PASSWORD:
        return (
            f"密码只有 {count} 个字符，至少 {SHORTEST_PASSWORD} 个",
            f"the password has {count} characters; use {SHORTEST_PASSWORD} or more",
        )
    if count > LONGEST_PASSWORD:
        return (
            f"密码有 {count} 个字符，最多 {LONGEST_PASSWORD} 个",
            f"the password has {count} characters; the limit is {LONGEST_PASSWORD}",
        )
    if len(set(password)) < 5:
        return ("密码只有几个重复的字符，至少用 5 种", "the password repeats a few characters; use at least 5 different ones")
    if name and name.lower() in password.lower():
        return (f"密码包含用户名“{name}”，请换一个", f"the password contains the name {name!r}; choose one without it")
    return None
