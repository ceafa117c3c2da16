-- ARGV: now, lifetime of the locks or "" to check only, then id, token ... Reply: {one letter per lock: k kept, m missing,
-- o locked by another run, n not active any more; cancels}.
--@include start
--@include cancels
local count = (#ARGV - 2) / 2
local keys, kept, letters, active = {}, {}, {}, {}
-- A client that moves an active job by force (moveToFailed(..., true), obliterate) leaves its lock. With more active jobs
-- than this only the locks are checked.
local most = 10000
local all_seen = call('LLEN', B .. 'active') <= most
for _, id in ipairs(call('LRANGE', B .. 'active', -most, -1)) do active[id] = true end
for i = 1, count do keys[i] = B .. ARGV[2 * i + 1] .. ':lock' end
local locks = count > 0 and call('MGET', unpack(keys)) or {}
for i = 1, count do
  if not locks[i] then
    letters[i] = 'm'
  elseif locks[i] ~= ARGV[2 * i + 2] then
    letters[i] = 'o'
  elseif all_seen and not active[ARGV[2 * i + 1]] then
    call('DEL', keys[i])
    drop_cancel(ARGV[2 * i + 1])
    letters[i] = 'n'
  else
    if ARGV[2] ~= '' then call('PEXPIRE', keys[i], ARGV[2]) end
    kept[#kept + 1] = ARGV[2 * i + 1]
    letters[i] = 'k'
  end
end
if #kept > 0 and stalled_there and ARGV[2] ~= '' then call('SREM', B .. 'stalled', unpack(kept)) end
return {table.concat(letters), all_cancels()}
