"""From what a file says to what gold stores: cleaned, measured, split. Pure."""
