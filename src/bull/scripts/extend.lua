-- extend_locks: ARGV: now, life of the locks, then id, token ... Answer: {one letter a lock: k kept, m missing,
-- o held by another run; cancels}.
--@include start
--@include cancels
local count = (#ARGV - 2) / 2
local keys, kept, letters = {}, {}, {}
for i = 1, count do keys[i] = B .. ARGV[2 * i + 1] .. ':lock' end
local locks = count > 0 and call('MGET', unpack(keys)) or {}
for i = 1, count do
  if not locks[i] then
    letters[i] = 'm'
  elseif locks[i] ~= ARGV[2 * i + 2] then
    letters[i] = 'o'
  else
    call('PEXPIRE', keys[i], ARGV[2])
    kept[#kept + 1] = ARGV[2 * i + 1]
    letters[i] = 'k'
  end
end
if #kept > 0 and stalled_there then call('SREM', B .. 'stalled', unpack(kept)) end
return {table.concat(letters), all_cancels()}
