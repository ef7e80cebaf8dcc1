"""Mail, WeCom, DingTalk, Feishu, SMS gateways and webhooks through Apprise, by the addresses of fleet.toml and no others."""

from collections.abc import Mapping, Sequence


class ChannelInvalid(Exception):
    """An address under [notify] that Apprise does not know; the message shows which, without its secret."""


class Channels:
    """Brings messages to audiences. Connects to what the addresses name and to nothing else."""

    def __init__(self, addresses: Mapping[str, Sequence[str]]) -> None:
        """`addresses` are Apprise URLs an audience. Raises ChannelInvalid for one that is none."""
        self._addresses = {audience: tuple(urls) for audience, urls in addresses.items() if urls}
        for audience, urls in self._addresses.items():
            for number, url in enumerate(urls, 1):
                if not _knows(url):
                    kind = url.partition(":")[0][:20]
                    raise ChannelInvalid(
                        f"notify: address {number} of {audience} ({kind}://…) is none that Apprise knows; "
                        "see https://github.com/caronc/apprise/wiki for the form of each service"
                    )

    def reaches(self, audience: str) -> bool:
        """Whether an address is configured for this audience."""
        return audience in self._addresses

    def send(self, audience: str, title: str, body: str) -> str:
        """Bring a message to all addresses of an audience; gives what went wrong, or an empty text. Blocks for the network."""
        failed = [number for number, url in enumerate(self._addresses.get(audience, ()), 1) if not _notify(url, title, body)]
        if not self.reaches(audience):
            return f"no address under [notify] reaches {audience}"
        return f"address {', '.join(map(str, failed))} of {audience} did not take the message" if failed else ""


def _apprise(url: str):  # type: ignore[no-untyped-def]
    # Loaded when something is configured: it knows over a hundred services and takes half a second.
    from apprise import Apprise, AppriseAsset, PersistentStoreMode

    asset = AppriseAsset(storage_mode=PersistentStoreMode.MEMORY, async_mode=False, app_id="Nightwindow", app_desc="Nightwindow")
    made = Apprise(asset=asset)
    return made if made.add(url) and len(made) == 1 else None


def _knows(url: str) -> bool:
    return _apprise(url) is not None


def _notify(url: str, title: str, body: str) -> bool:
    made = _apprise(url)
    return bool(made is not None and made.notify(body=body, title=title))
