-- ARGV: now, "1" to remove delayed jobs as well, how many at most. Reply: how many were removed.
--@include start
--@include job_state
--@include removal
local most = tonumber(ARGV[3])
local removed = 0
for _, list in ipairs({'wait', 'paused'}) do
  if removed < most then
    local ids = call('LRANGE', B .. list, removed - most, -1)
    call('LTRIM', B .. list, 0, -#ids - 1)
    erase_jobs(ids)
    removed = removed + #ids
  end
end
if ARGV[2] == '1' and removed < most then
  local ids = call('ZRANGE', B .. 'delayed', 0, most - removed - 1)
  if #ids > 0 then call('ZREM', B .. 'delayed', unpack(ids)) end
  erase_jobs(ids)
  removed = removed + #ids
end
return removed
