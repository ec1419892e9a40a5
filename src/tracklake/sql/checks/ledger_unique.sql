-- A shard that was applied twice.
select shard, count(*) as times from shards group by all having count(*) > 1
