-- What every script begins with. B: the base of the queue's keys; own: of Gaur's; now: ms as text, ARGV[1] or, where
-- that is empty, the server's own clock (a host whose clock is wrong wakes nothing early).
local call = redis.call
local B, own = KEYS[1], KEYS[2]
local now = ARGV[1]
if now == '' then
  local t = call('TIME')
  now = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
end
local now_ms = tonumber(now)
