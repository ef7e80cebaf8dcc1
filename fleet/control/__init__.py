"""What the fleet wants of its devices: desired configuration, window cards, commands, content packs, pictures."""
