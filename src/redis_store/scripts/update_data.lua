-- ARGV: now, id, data. Reply: 0; -1: no such job.
--@include start
--@include job_lookup
if not is_job(ARGV[2]) then return -1 end
call('HSET', B .. ARGV[2], 'data', ARGV[3])
return 0
