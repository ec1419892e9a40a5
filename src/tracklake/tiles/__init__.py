"""Map files: GeoJSON and PMTiles by year, verified, behind a manifest."""
