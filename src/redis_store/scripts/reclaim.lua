-- Requeues the jobs of a worker's previous process at the front, uncounted. ARGV: now, session. The tokens of the worker's
-- sessions are <session>:<sequence>:<index> and <session>~<name>:<sequence>:<index>. Reply: the ids, newest first.
--@include start
--@include enqueue
--@include uncounted_starts
--@include cancels
--@include set_aside
local session = ARGV[2]
local function is_of_worker(lock)
  if string.sub(lock, 1, #session) ~= session then return false end
  local rest = string.sub(lock, #session + 1)
  return string.match(rest, '^:%w+:%d+$') or string.match(rest, '^~%w+:%w+:%d+$')
end
local ids, requeued = call('LRANGE', B .. 'active', 0, 9999), {}
for first = 1, #ids, 500 do
  local keys = {}
  for i = first, math.min(first + 499, #ids) do keys[#keys + 1] = B .. ids[i] .. ':lock' end
  local locks = call('MGET', unpack(keys))
  for i = 1, #keys do
    local lock, id = locks[i], ids[first + i - 1]
    if lock and is_of_worker(lock) then
      call('DEL', keys[i])
      call('LREM', B .. 'active', 1, id)
      call('SREM', B .. 'stalled', id)
      drop_cancel(id)
      local job = call('EXISTS', B .. id) == 1 and read_hash('HMGET', B .. id, 'priority')
      if job then
        count_uncounted_start(id)
        enqueue_next(id, job[1])
        requeued[#requeued + 1] = id
      else
        set_aside(id, 'active')
      end
    end
  end
end
if #requeued > 0 then call('PUBLISH', own .. 'work', '') end
return requeued
