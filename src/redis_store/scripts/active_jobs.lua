-- Reads the active jobs and their locks, for recovery. Reply: now; then id, lock or nil, and processedOn of an unlocked job
-- or nil: newest first, at most 10 000.
--@include start
--@include set_aside
local ids = call('LRANGE', B .. 'active', 0, 9999)
local out = {now}
for first = 1, #ids, 500 do
  local keys = {}
  for i = first, math.min(first + 499, #ids) do keys[#keys + 1] = B .. ids[i] .. ':lock' end
  local locks = call('MGET', unpack(keys))
  for i = 1, #keys do
    local id = ids[first + i - 1]
    out[#out + 1] = id
    out[#out + 1] = locks[i] or false
    out[#out + 1] = not locks[i] and read_hash('HGET', B .. id, 'processedOn') or false
  end
end
return out
