-- The begin of every script. B: the base of the queue's keys; own: the base of Gaur's; now: ms as text, ARGV[1] or, if
-- that is empty, the server's own clock, so that a host with a wrong clock wakes no job early.
local call = redis.call
local B, own = KEYS[1], KEYS[2]
local now = ARGV[1]
if now == '' then
  local t = call('TIME')
  now = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
end
local now_ms = tonumber(now)
