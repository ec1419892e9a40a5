-- Where places are, by method and cell; activities that start or end in one share it.
create table if not exists place_cells (
  method VARCHAR,
  lat_e3 INTEGER,
  lng_e3 INTEGER,
  city VARCHAR,
  state VARCHAR,
  country VARCHAR,
  country_code VARCHAR,
  distance_km DOUBLE,
  time_zone VARCHAR,
  dataset_version VARCHAR,
  ingested_at TIMESTAMPTZ,
  content_hash VARCHAR
);
comment on table place_cells is 'Where places are, by method and cell; read activity_places. GeoNames (CC BY 4.0); © OpenStreetMap contributors (ODbL)';
comment on column place_cells.method is 'geonames: offline, cells of 0.001 degrees; nominatim: cells of 0.01 degrees';
comment on column place_cells.lat_e3 is 'Thousandths of a degree, WGS 84: middle of the cell';
comment on column place_cells.lng_e3 is 'Thousandths of a degree, WGS 84: middle of the cell';
comment on column place_cells.city is 'Settlement; NULL: at sea, or none within 50 km';
comment on column place_cells.state is 'State, province, region';
comment on column place_cells.country is 'Country, in English';
comment on column place_cells.country_code is 'ISO 3166-1, two letters; XK: Kosovo';
comment on column place_cells.distance_km is 'km to the centre of the settlement';
comment on column place_cells.time_zone is 'IANA time zone; NULL: not said by this method';
comment on column place_cells.dataset_version is 'What it was looked up in';
comment on column place_cells.ingested_at is 'When it landed';
comment on column place_cells.content_hash is 'SHA-256 of what it says';
