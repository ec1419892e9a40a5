-- Two records with one source and source id.
select record_id, count(*) as copies from records group by all having count(*) > 1
