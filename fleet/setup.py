"""Making a data directory ready: database, keys, certificate authority, own certificates, the broker's configuration.

Everything here may run again at any time: it adds what is missing, renews what runs out, and replaces no key but expiring ones.
"""

import datetime as dt
from pathlib import Path

from cryptography import x509
from sqlalchemy import select

from fleet import broker
from fleet.config import Config, load_config
from fleet.keys import make_keys
from fleet.registry.authority import Authority, make_root
from fleet.registry.pairing import record_certificate
from fleet.registry.records import Tenant
from fleet.registry.service import Registry
from fleet.registry.tables import certificates
from fleet.store import Store, create_store, open_store

RENEW_BEFORE = dt.timedelta(days=60)


def prepare(data: Path, *, now: dt.datetime) -> list[str]:
    """Make or bring up to date everything below `data`; gives one line for each thing done.

    Raises ConfigError, StoreError, KeysError or BrokerError with what to do. The fleet must not run when a migration is due.
    """
    data.mkdir(parents=True, exist_ok=True)
    config = load_config(data)
    create_store(config.database or data)
    done = ["database ready"]
    make_keys(data / "keys")
    if make_root(data / "ca", tenant=config.tenant, now=now):
        done.append("certificate authority made")
    authority = Authority.open(data / "ca")
    store = open_store(config.database or data, writes="fleet")
    try:
        registry = Registry(store)
        if config.tenant not in {tenant.name for tenant in registry.tenants()}:
            registry.put(Tenant(name=config.tenant, title={"zh": config.tenant}))
        done += certify(data, config, store, authority, now=now)
        revoked = authority.revocation_list(revoked_serials(store), now=now)
    finally:
        store.close()
    path = broker.write_configuration(data / "broker", config, roots_pem=authority.roots_pem(), revocation_list=revoked)
    done.append(f"broker configured: mosquitto -c {path}")
    return done


def certify(data: Path, config: Config, store: Store, authority: Authority, *, now: dt.datetime) -> list[str]:
    """Issue the fleet's own certificates that are missing, run out within 60 days, or lack a configured name."""
    done = []
    for name in ("server", *broker.OWN_CLIENTS):
        names = config.names if name == "server" else ()
        if _is_fit(data / "broker" / f"{name}.pem", names, now):
            continue
        issued = authority.issue_own(data / "broker", name, server_names=names, now=now)
        with store.write() as connection:
            record_certificate(connection, issued)
        done.append(f"certificate issued: {name}")
    return done


def revoked_serials(store: Store) -> list[tuple[str, int]]:
    """(serial, revoked_ms) of every revoked certificate."""
    with store.read() as connection:
        query = select(certificates.c.serial, certificates.c.revoked_ms).where(certificates.c.revoked_ms.is_not(None))
        return [(serial, at_ms) for serial, at_ms in connection.execute(query.order_by(certificates.c.serial))]


def _is_fit(path: Path, names: tuple[str, ...], now: dt.datetime) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return False
    if certificate.not_valid_after_utc - now < RENEW_BEFORE or not path.with_suffix(".key").exists():
        return False
    if not names:
        return True
    held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return set(names) <= {str(each.value) for each in held}
