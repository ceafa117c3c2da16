-- Ids without a job. Job ids and key names share one namespace, and other programs write to the queue's lists and sets, so
-- an id may have no key, a key of another type, or the name of one of the queue's own keys. Such an id is removed from its
-- list or set and recorded in Gaur's hash `set_aside`: id -> "<ms> <list or set> <reason>". Its key is never changed, and the
-- hash needs no limit, because each of its fields replaces an entry.

local kOwnKeys = ' id wait paused meta-paused meta active delayed priority stalled repeat limiter completed failed ' ..
  'stalled-check events marker pc prioritized waiting-children waiting resumed drained duplicated debounced '
-- Whether the id is the name of a key of the queue, or of another job's lock or logs.
local function is_reserved(id)
  local first = string.byte(id)
  local colon = string.find(id, ':', 1, true)
  if first and first >= 48 and first <= 57 and not colon then return false end
  if not colon then return string.find(kOwnKeys, ' ' .. id .. ' ', 1, true) ~= nil end
  return string.find(id, '^limiter:') or string.find(id, '^metrics:') or string.find(id, '^de:') or
    string.find(id, ':lock$') or string.find(id, ':logs$')
end

-- The reply of a command that reads a job's hash; nil if the key has another type.
local function read_hash(...)
  local reply = redis.pcall(...)
  if type(reply) ~= 'table' or not reply.err then return reply end
  if string.find(reply.err, 'WRONGTYPE', 1, true) then return nil end
  return call(...)  -- reports the error
end

-- The caller has removed the id from `from`. Call it after the script's first write, which may be rejected when Redis is
-- out of memory.
local function set_aside(id, from, reason)
  reason = reason or (is_reserved(id) and 'reserved') or call('TYPE', B .. id)['ok']
  call('HSET', own .. 'set_aside', id, now .. ' ' .. from .. ' ' .. reason)
end
