-- Two records with one source and source id.
select record_id, count(*) as copies from activity_sources group by all having count(*) > 1
