-- A settlement has a country, and is within 50 km where it was looked up offline.
select * from place_cells
where (method = 'geonames' and (distance_km > 50 or (city is null) <> (country_code is null)))
  or lat_e3 not between -90000 and 90000 or lng_e3 not between -180000 and 180000
