-- A record whose founder is not there, or was founded by another one.
select r.record_id
from records as r
left join records as f on f.record_id = r.founder_id
where f.founder_id is distinct from r.founder_id
