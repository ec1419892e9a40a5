"""How files come in: found, unpacked, read in workers, landed."""
