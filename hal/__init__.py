"""Hardware of a device: Protocols in `hal.api`, drivers, byte-level simulators, and a factory from configuration."""
