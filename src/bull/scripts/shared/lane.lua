-- Sending again is safe: a lane's last operation is carried out once. A hash a lane: n, the last number; one field a
-- part of that operation, "<number>|<reply>"; x, when it was last given its 10 minutes. Number 0 is not remembered.
local lane_key, lane_number, lane_fresh

-- Answers 'new'; 'again' and the first reply; or 'back' and the last number.
local function open_lane(name, number, part)
  lane_key, lane_number = own .. 'lane:' .. name, number
  if number == '0' then return 'new' end
  local seen = call('HMGET', lane_key, 'n', part, 'x')
  lane_fresh = seen[3] and math.abs(now_ms - seen[3]) < 60000
  if not seen[1] or tonumber(seen[1]) < tonumber(number) then return 'new' end
  if seen[1] ~= number then return 'back', seen[1] end
  local mark = number .. '|'
  if seen[2] and string.sub(seen[2], 1, #mark) == mark then return 'again', string.sub(seen[2], #mark + 1) end
  return 'new'
end

local function remember(part, reply)
  if lane_number == '0' then return end
  if lane_fresh then
    call('HSET', lane_key, 'n', lane_number, part, lane_number .. '|' .. reply)
  else
    call('HSET', lane_key, 'n', lane_number, part, lane_number .. '|' .. reply, 'x', now)
    call('PEXPIRE', lane_key, 600000)
  end
end
