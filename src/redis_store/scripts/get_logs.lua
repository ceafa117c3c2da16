-- ARGV: now, id, offset, limit. Reply: nil; or how many lines there are, and those of the page.
--@include start
--@include job_lookup
local id, offset, limit = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
if not is_job(id) then return false end
local key = B .. id .. ':logs'
return {call('LLEN', key), limit > 0 and call('LRANGE', key, offset, offset + limit - 1) or {}}
