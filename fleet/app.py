"""The composition root: builds the fleet's services in the house's order and hands each what it needs.

store → access → registry → watch | control → ratings → hall → oversight → api | console. Nothing else constructs services.
"""

from collections.abc import Callable
from pathlib import Path

from pwdlib import PasswordHash

from fleet.access.audit import Audit
from fleet.access.service import Access
from fleet.config import FILE, Config, ConfigError, load_config
from fleet.control.packs import Packs
from fleet.control.service import Control
from fleet.hall.items import Items
from fleet.keys import Keys, load_keys
from fleet.oversight.channels import ChannelInvalid, Channels
from fleet.oversight.service import Oversight
from fleet.ratings.ledger.service import Ledger
from fleet.ratings.projection import Projection
from fleet.ratings.service import Ratings
from fleet.registry.authority import Authority
from fleet.registry.pairing import Meeting, Pairings
from fleet.registry.records import Refused
from fleet.registry.service import Registry, now_ms
from fleet.revocation import Revocation
from fleet.services import Fleet
from fleet.store import open_store
from fleet.watch.service import Wanted, Watch


def open_fleet(data: Path, *, clock: Callable[[], int] = now_ms, hasher: PasswordHash | None = None) -> Fleet:
    """Build the services over an initialised data directory. `clock` gives UTC milliseconds, `hasher` hashes passwords.

    Raises ConfigError, KeysError or StoreError with what to do.
    """
    config = load_config(data)
    store = open_store(config.database or data, writes="fleet")
    keys = load_keys(data / "keys")
    authority = Authority.open(data / "ca")
    access = Access(store, clock_ms=clock, hasher=hasher)
    registry = Registry(store, clock=clock, on_revoke=Revocation(data, config, store, authority).apply)
    watch = Watch(store, registry, clock_ms=clock)
    packs = Packs(store, content_folder(data), clock_ms=clock)
    control = Control(store, registry, packs, signing=keys.signing, seal=keys.seal.public_key, clock_ms=clock, on_change=watch.bump)
    watch.wanted = lambda: {
        device: Wanted(configuration=version, content=content, since_ms=made_ms)
        for device, (version, content, made_ms) in control.wanted_versions().items()
    }
    ratings = Ratings(store, registry, clock_ms=clock)
    oversight = Oversight(store, registry, key=keys.contacts, people=access.users, channel=channels(config, data), clock_ms=clock)
    watch.more = lambda: ratings.causes() + oversight.causes()
    watch.help.attended = access.is_on_duty
    projection = Projection(store, registry, seal=keys.seal, clock_ms=clock)

    def desired_for(device: str) -> bytes:
        signed = control.refresh(device)
        if signed is None:
            raise Refused(f"device {device} has no placement; place it first")
        return signed

    pairings = Pairings(store, authority, meeting(config, keys), desired_for=desired_for, clock=clock)
    return Fleet(
        data=data,
        config=config,
        store=store,
        keys=keys,
        access=access,
        audit=Audit(store, clock_ms=clock),
        registry=registry,
        pairings=pairings,
        watch=watch,
        control=control,
        projection=projection,
        ratings=ratings,
        ledger=Ledger(store, registry, tenant=config.tenant, key=keys.signing, clock_ms=clock),
        items=Items(store, clock=clock),
        oversight=oversight,
    )


def content_folder(data: Path) -> Path:
    """Where pack files lie, each named by its SHA-256: control puts them there, the door serves them."""
    return data / "content"


def channels(config: Config, data: Path) -> Channels:
    """Who can be told of work orders. Raises ConfigError for an address that no service has."""
    addresses = {"supervision": config.notify.supervision, **config.notify.people}
    try:
        return Channels(addresses)
    except ChannelInvalid as error:
        raise ConfigError(f"{data / FILE}: {error}") from error


def meeting(config: Config, keys: Keys) -> Meeting:
    """What approved devices are told of this fleet."""
    return Meeting(
        tenant=config.tenant,
        fleet_key=bytes(keys.signing.verify_key),
        broker_host=config.broker.host,
        broker_port=config.broker.port,
        content_url=f"https://{config.door.host}:{config.door.port}/content",
    )
