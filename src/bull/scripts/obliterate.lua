-- One step of obliterate. ARGV: now, "1" to remove active jobs as well, how many jobs at most. Reply: how many jobs were
-- removed; or -1 and how many are active. The step that finds no job deletes the queue's other keys.
--@include start
--@include job_state
--@include removal
local force, most = ARGV[2] == '1', tonumber(ARGV[3])
local running = call('LLEN', B .. 'active')
if running > 0 and not force then return {-1, running} end
local removed = 0
for _, list in ipairs({'active', 'wait', 'paused'}) do
  if removed < most then
    local ids = call('LRANGE', B .. list, removed - most, -1)
    call('LTRIM', B .. list, 0, -#ids - 1)
    for _, id in ipairs(ids) do call('DEL', B .. id .. ':lock') end
    erase_jobs(ids)
    removed = removed + #ids
  end
end
for _, set in ipairs({'delayed', 'completed', 'failed'}) do
  if removed < most then
    local ids = call('ZRANGE', B .. set, 0, most - removed - 1)
    if #ids > 0 then call('ZREM', B .. set, unpack(ids)) end
    erase_jobs(ids)
    removed = removed + #ids
  end
end
if removed > 0 then return {removed} end
for _, limited in ipairs(call('HVALS', B .. 'limiter:index')) do
  if string.sub(limited, 1, #B) == B then call('DEL', limited) end
end
for _, name in ipairs({'priority', 'stalled-check', 'stalled', 'meta-paused', 'meta', 'id', 'repeat', 'limiter',
  'limiter:index', 'limiter:limited', 'metrics:completed', 'metrics:failed', 'metrics:completed:data',
  'metrics:failed:data'}) do
  call('DEL', B .. name)
end
call('DEL', own .. 'uncounted_starts', own .. 'cancels', own .. 'set_aside')
return {0}
