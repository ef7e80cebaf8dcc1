"""Pages for everybody, without login and without scripts: what a citizen opens on a phone."""
