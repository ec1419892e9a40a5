-- Where places are; the newest word on each cell wins.
create or replace temp table staged_places as
select * from read_parquet(
  getvariable('new_shards'), union_by_name = true, hive_partitioning = false, file_row_number = true
)
where file_row_number >= getvariable('first_row') and file_row_number < getvariable('end_row')
qualify row_number() over (
  partition by method, lat_e3, lng_e3 order by ingested_at desc, content_hash desc
) = 1;

delete from staged_places
using place_cells as p
where p.method = staged_places.method
  and p.lat_e3 = staged_places.lat_e3 and p.lng_e3 = staged_places.lng_e3
  and (p.ingested_at, p.content_hash) >= (staged_places.ingested_at, staged_places.content_hash);

delete from place_cells
using staged_places as s
where s.method = place_cells.method
  and s.lat_e3 = place_cells.lat_e3 and s.lng_e3 = place_cells.lng_e3;

insert into place_cells by name
select
  method, lat_e3, lng_e3, city, state, country, country_code, distance_km, time_zone,
  dataset_version, ingested_at, content_hash
from staged_places;
