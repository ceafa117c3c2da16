-- ARGV: now, id, progress, payload of the event, token or "" to skip the check of the lock. Reply: 0; -1: no such job;
-- -2: no lock; -6: locked by another run.
--@include start
--@include job_state
local id, token = ARGV[2], ARGV[5]
if not is_job(id) then return -1 end
if token ~= '' then
  local held = call('GET', B .. id .. ':lock')
  if not held then return -2 end
  if held ~= token then return -6 end
end
call('HSET', B .. id, 'progress', ARGV[3])
call('PUBLISH', B .. 'progress', ARGV[4])
return 0
