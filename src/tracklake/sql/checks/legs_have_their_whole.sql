-- A leg whose multisport outing is not there, or one with the wrong number of legs.
select coalesce(legs.parent_id, wholes.id) as id
from (select parent_id, count(*) as legs from activities where parent_id is not null group by all) as legs
full join (select id, leg_count from activities where leg_count > 0) as wholes on wholes.id = legs.parent_id
where legs.parent_id is null or wholes.id is null or legs.legs <> wholes.leg_count
