"""Pictures of everything: `./run shots DIR`. Each module knows the screens of one face, or the pages of the console."""
