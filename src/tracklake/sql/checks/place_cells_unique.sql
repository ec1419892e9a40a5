-- A method says one thing about a place.
select method, lat_e3, lng_e3 from place_cells group by all having count(*) > 1
