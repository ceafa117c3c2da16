-- What becomes of a run's job when it does not complete. By letter: how many arguments, and what is done; answers its
-- line. A piece of finish.lua, made where a turn has such a run.
--@include waiting
--@include options
--@include backs
local outcomes = {}

-- The low 12 bits of an id as a number, as JavaScript has them.
local function low_bits(id)
  local number = string.match(id, '^[%+%-]?%d+%.?%d*[eE]?[%+%-]?%d*$') and tonumber(id)
  if not number then return 0 end
  return (number < 0 and math.ceil(number) or math.floor(number)) % 4096
end

-- A JSON array of strings as text with one literal more, cut to the newest `stackTraceLimit` where the job has one.
local function append_stack(stacks, literal, options)
  if literal == '' then return stacks or '[]' end
  local body = stacks and string.match(stacks, '^%s*%[(.*)%]%s*$') or ''
  if string.match(body, '%S') then body = body .. ',' .. literal else body = literal end
  local limit = options.stackTraceLimit
  if type(limit) ~= 'number' then return '[' .. body .. ']' end
  local items, at = {}, 1
  while true do
    local first = string.find(body, '"', at, true)
    if not first then break end
    local last = first + 1
    while last <= #body do
      local byte = string.byte(body, last)
      if byte == 34 then break end
      last = last + (byte == 92 and 2 or 1)
    end
    items[#items + 1] = string.sub(body, first, last)
    at = last + 1
  end
  local newest = {}
  for i = math.max(1, #items - limit + 1), #items do newest[#newest + 1] = items[i] end
  return '[' .. table.concat(newest, ',') .. ']'
end

local function waiting_line() return line_of(run.priority > 0 and 'p' or 'w', 1) end

local function save_attempt(message, stack)
  run.made = run.made + 1
  return {'attemptsMade', run.made, 'failedReason', message, 'stacktrace',
    append_stack(run.stacktrace, stack, options_of(run.opts))}
end

-- F: message, stack as a JSON literal or "", payload
outcomes.F = {3, function(kind, at)
  read_job()
  end_run('failed', kind, ARGV[at + 2], unpack(save_attempt(ARGV[at], ARGV[at + 1])))
  return ended_line('f', kind)
end}

-- R: delay, counted 0|1, message, stack
outcomes.R = {4, function(_, at)
  local id, delay = run.id, ARGV[at]
  read_job()
  drop_cancel(id)
  if ARGV[at + 1] == '1' then
    call('HSET', run.key, unpack(save_attempt(ARGV[at + 2], ARGV[at + 3])))
  else
    count_back(id)
  end
  if delay ~= '0' then
    local score = (now_ms + delay) * 4096 + low_bits(id)
    call('ZADD', B .. 'delayed', string.format('%.0f', score), id)
    call('PUBLISH', B .. 'delayed', string.format('%.17g', score / 4096))
    return line_of('d', 1, string.format('%.0f', now_ms + delay))
  end
  if run.priority == 0 and options_of(run.opts).lifo == true then
    call('RPUSH', line(), id)
  else
    put_behind(id, run.priority)
  end
  given_back = true
  return waiting_line()
end}

local function go_back()
  drop_cancel(run.id)
  put_in_front(run.id, run.priority)
  given_back = true
  return waiting_line()
end

-- B: nothing more
outcomes.B = {0, function()
  read_job()
  count_back(run.id)
  return go_back()
end}

-- S: max_stalled, message, payload
outcomes.S = {3, function(kind, at)
  read_job()
  run.stalled = call('HINCRBY', run.key, 'stalledCounter', 1)
  if run.stalled <= tonumber(ARGV[at]) then
    call('PUBLISH', B .. 'stalled@', run.id)
    return go_back()
  end
  end_run('failed', kind, ARGV[at + 2], 'failedReason', ARGV[at + 1])
  return ended_line('f', kind)
end}
