"""The map's server: a page, its tiles and full-resolution tracks, for a browser on this machine."""
