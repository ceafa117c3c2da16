-- Bull's rate limiter, for a job that is still in the waiting list. Returns 0 if the job may start, otherwise the ms for
-- which no job may. A job that may not start moves to `delayed` for the time that Bull computes, and to `limiter:limited`
-- and `limiter:index`, so that it may start when it is due.
local function limited(id, max, duration)
  local key, set, index = B .. 'limiter', B .. 'limiter:limited', B .. 'limiter:index'
  local wait, started = 0, tonumber(call('GET', key) or 0)
  if call('SREM', set, id) == 1 then
    call('HDEL', index, id)
  else
    local parked = call('SCARD', set)
    if parked > 0 then wait = parked * duration * 1.1 / max + call('PTTL', key) end
  end
  if wait == 0 and started >= max then wait = call('PTTL', key) + (started - max) * duration / max end
  if wait <= 0 then
    if started == 0 then call('PSETEX', key, duration, 1) else call('INCR', key) end
    return 0
  end
  local due = now_ms + wait
  call('LREM', B .. 'wait', -1, id)
  call('ZADD', B .. 'delayed', string.format('%.17g', due * 4096 + started % 4096), id)
  call('PUBLISH', B .. 'delayed', string.format('%.17g', due))
  call('SADD', set, id)
  call('HSET', index, id, set)
  return wait
end
