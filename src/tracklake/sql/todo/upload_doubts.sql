-- Activities that may be one with another. $athlete.
select distinct first_activity_id, second_activity_id
from duplicate_candidates
where athlete = $athlete
