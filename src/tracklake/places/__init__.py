"""Where a position is: settlement, state and country, offline from GeoNames or from Nominatim."""
