-- What is made of points is there once for each activity that has points.
select stream_key, count(*) as times from stream_facts group by stream_key having count(*) > 1
