"""The fleet server: a folder a feature, composed in `fleet.app`, run by `nw-fleet` (`fleet.cli`)."""
