"""What crosses the network and nothing else: messages, topics, journal entries, custody, signatures.

Start with `wire.entry` (the hash chain), then `wire.custody` (batches and acknowledgements), then `wire.messages`.
Everything here outlives a release: docs/wire.md is its public specification, with test vectors.
"""
