"""Real drivers, one peripheral a module; nobody outside `hal` imports from here, they use `hal.factory`."""
