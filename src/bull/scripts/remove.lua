-- ARGV: now, id. Reply: 0; -1: no such job; -6: it is locked.
--@include start
--@include job_state
--@include removal
local id = ARGV[2]
if not is_job(id) then return -1 end
if call('EXISTS', B .. id .. ':lock') == 1 then return -6 end
for _, list in ipairs({'active', 'wait', 'paused'}) do call('LREM', B .. list, 0, id) end
for _, set in ipairs({'delayed', 'completed', 'failed'}) do call('ZREM', B .. set, id) end
call('SREM', B .. 'stalled', id)
erase_jobs({id})
return 0
