"""The invented hall: people, devices and a month of entries for pictures of the console and for tests."""
