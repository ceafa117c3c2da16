-- Moves due jobs behind the waiting ones. ARGV: now, token, how many at most. A job is due from its millisecond on: the low
-- bits of the score only order the jobs of one ms.
-- Reply: how many were due, score of the next or nil, 1 if paused, jobs that wait.
--@include start
--@include enqueue
--@include set_aside
local token, most = ARGV[2], tonumber(ARGV[3])
local due = call('ZRANGEBYSCORE', B .. 'delayed', '-inf', string.format('(%.0f', (now_ms + 1) * 4096), 'LIMIT', 0, most)
call('LLEN', waiting_list())  -- a key of another type is an error before the first write
call('LLEN', B .. 'active')
call('ZCARD', B .. 'priority')
if #due > 0 then call('ZREM', B .. 'delayed', unpack(due)) end
local woken = 0
for _, id in ipairs(due) do
  local job = not is_reserved(id) and read_hash('HMGET', B .. id, 'priority', 'name')
  call('LREM', B .. 'active', 0, id)
  if job and (job[2] or call('EXISTS', B .. id) == 1) then
    enqueue(id, job[1])
    call('PUBLISH', B .. 'waiting@' .. token, id)
    call('HSET', B .. id, 'delay', 0)
    woken = woken + 1
  else
    set_aside(id, 'delayed')
  end
end
local next = call('ZRANGE', B .. 'delayed', 0, 0, 'WITHSCORES')
if next[2] and woken > 0 then call('PUBLISH', B .. 'delayed', string.format('%.17g', next[2] / 4096)) end
return {#due, next[2] or false, call('EXISTS', B .. 'meta-paused'), call('LLEN', waiting_list())}
