-- Two activities with one id.
select id, count(*) as copies from activities group by all having count(*) > 1
