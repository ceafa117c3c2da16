-- Idempotent repeats: the last operation of a session is carried out once. One hash per session: n, the last sequence
-- number; one field per part of that operation, "<sequence>|<reply>"; x, when its expiry of 10 minutes was last set.
-- Sequence number 0 is not remembered.
local session_key, session_sequence, session_fresh

-- Returns 'new'; 'again' and the first reply; or 'back' and the last sequence number.
local function begin_operation(name, sequence, part)
  session_key, session_sequence = own .. 'session:' .. name, sequence
  if sequence == '0' then return 'new' end
  local seen = call('HMGET', session_key, 'n', part, 'x')
  session_fresh = seen[3] and math.abs(now_ms - seen[3]) < 60000
  if not seen[1] or tonumber(seen[1]) < tonumber(sequence) then return 'new' end
  if seen[1] ~= sequence then return 'back', seen[1] end
  local mark = sequence .. '|'
  if seen[2] and string.sub(seen[2], 1, #mark) == mark then return 'again', string.sub(seen[2], #mark + 1) end
  return 'new'
end

-- When Redis is out of memory it rejects only the first write of a script: then the operation has changed nothing, and a
-- repeat may be executed.
local function remember(part, reply)
  if session_sequence == '0' then return end
  local text = session_sequence .. '|' .. reply
  local saved
  if session_fresh then
    saved = redis.pcall('HSET', session_key, 'n', session_sequence, part, text)
  else
    saved = redis.pcall('HSET', session_key, 'n', session_sequence, part, text, 'x', now)
  end
  if type(saved) == 'table' and saved.err then
    if string.find(saved.err, 'OOM', 1, true) then return end
    call('HSET', session_key, 'n', session_sequence, part, text)  -- reports the error
  end
  if not session_fresh then call('PEXPIRE', session_key, 600000) end
end
