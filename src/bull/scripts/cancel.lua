-- ARGV: now, id, who, why, reason, payload of the event. A waiting or delayed job fails at once with that reason and is
-- kept. For a job that a Gaur host runs, cancellation is requested. Reply: -1: no such job; "removed", "requested",
-- "finished", "foreign". Gaur's tokens are <session>:<sequence>:<index>; Bull's are UUIDs.
--@include start
--@include job_state
--@include deduplication
--@include removal
local id, who, why, reason = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local where = state_of_job(id)
if not where then return -1 end
if where == 'c' or where == 'f' then return 'finished' end
if where == 'a' then
  local token = call('GET', B .. id .. ':lock') or ''
  if token ~= '' and not string.find(token, '^.+:%d+:') then return 'foreign' end
  if call('HSETNX', own .. 'cancels', id, token .. '\n' .. who .. '\n' .. why) == 1 then
    call('PUBLISH', own .. 'cancel', id)
  end
  return 'requested'
end
if where == 'd' then
  call('ZREM', B .. 'delayed', id)
else
  call('LREM', B .. 'wait', 0, id)
  call('LREM', B .. 'paused', 0, id)
  call('ZREM', B .. 'priority', id)
end
forget_limited(id)
release_deduplication(call('HGET', B .. id, 'deid'))
call('ZADD', B .. 'failed', now, id)
call('HMSET', B .. id, 'failedReason', reason, 'finishedOn', now, 'delay', 0)
call('PUBLISH', B .. 'failed', ARGV[6])
return 'removed'
