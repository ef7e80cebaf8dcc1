"""Journals in, signed acknowledgements out: a process of its own, the only writer of schema `journal`.

Start with `fleet.ingest.rules` (what may be taken), then `fleet.ingest.intake` (one transaction) and `fleet.ingest.worker` (MQTT).
"""
